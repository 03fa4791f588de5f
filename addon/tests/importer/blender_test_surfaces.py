# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces: the material, and the selection that it goes to."""
import bpy
from case import Case


class Surfaces(Case):
    def setUp(self):
        super().setUp()
        self.records = self.library.payload('surface')

    def test_material_of_all_maps(self):
        result, = self.imported(self.records)
        material, = result.materials
        self.assertEqual(result.objects, [])
        self.assertEqual(material.name, 'Smooth Concrete')
        self.assertEqual(self.feeds(material, 'Base Color'), {('Albedo', 'Color'), ('Ao', 'Color')})
        self.assertEqual(self.feeds(material, 'Roughness'), {('Roughness', 'Color')})
        self.assertEqual(self.feeds(material, 'Normal'), {('Normal', 'Color')})
        self.assertEqual(self.feeds(material, 'Specular'), {('Specular', 'Color')})
        self.assertEqual(self.feeds(material, 'Metallic'), {('Specular', 'Color')})
        self.assertEqual(self.feeds(material, 'Alpha'), set())
        output = next(node for node in material.node_tree.nodes if node.type == 'OUTPUT_MATERIAL')
        self.assertEqual(self.feeds_of(output.inputs['Displacement']), {('Displacement', 'Color')})
        self.assertEqual(output.inputs['Surface'].links[0].from_node.type, 'BSDF_PRINCIPLED')

    def test_color_spaces(self):
        result, = self.imported(self.records)
        images = self.images(result.materials[0])
        self.assertEqual({role: image.colorspace_settings.name for role, image in images.items()}, {
            'Albedo': 'sRGB', 'Specular': 'sRGB', 'Ao': 'Non-Color', 'Roughness': 'Non-Color', 'Normal': 'Non-Color',
            'Displacement': 'Non-Color'})

    def test_a_material_that_nothing_uses_is_still_saved(self):
        result, = self.imported(self.records)
        self.assertTrue(result.materials[0].use_fake_user)

    def test_goes_to_the_selection_when_bridge_asks(self):
        chosen, other = self.add_cube('Chosen'), self.add_cube('Other')
        other.select_set(False)
        chosen.select_set(True)
        self.records[0]['applyToSelection'] = True
        result, = self.imported(self.records)
        self.assertEqual(chosen.active_material, result.materials[0])
        self.assertEqual(len(other.material_slots), 0)
        self.assertEqual(bpy.context.selected_objects, [chosen])

    def test_does_not_go_to_the_selection_unasked(self):
        cube = self.add_cube()
        self.imported(self.records)
        self.assertEqual(len(cube.material_slots), 0)

    def test_options_decide_over_bridge(self):
        cube = self.add_cube()
        self.records[0]['applyToSelection'] = True
        self.imported(self.records, apply_to_selection='never')
        self.assertEqual(len(cube.material_slots), 0)
        self.records[0]['applyToSelection'] = False
        self.imported(self.records, apply_to_selection='always')
        self.assertEqual(len(cube.material_slots), 1)


if __name__ == '__main__':
    raise SystemExit('run by addon/tests/importer/run.py')
