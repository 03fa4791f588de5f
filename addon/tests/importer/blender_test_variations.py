# SPDX-License-Identifier: GPL-3.0-or-later
"""Plants, scatter assets and modular assets: several meshes, in a collection; billboards; several materials."""
import os

import bpy
import library
from case import Case
from bridge_hub.nodes import socket


class Plants(Case):
    def setUp(self):
        super().setUp()
        self.records = self.library.payload('plant3d')

    def test_variations_in_a_collection_side_by_side(self):
        result, = self.imported(self.records)
        collection = bpy.data.collections['Clover']
        self.assertEqual(set(collection.objects), set(result.objects))
        self.assertEqual(list(bpy.context.scene.collection.objects), [])
        self.assertEqual([found.name for found in result.objects], ['Clover Variation %d' % n for n in range(1, 12)])
        self.assertEqual({len(found.data.vertices) for found in result.objects}, {library.vertices('lod0')})
        places = [found.location.x for found in result.objects]
        self.assertEqual(places[0], 0)
        self.assertTrue(all(b - a > 1.2 for a, b in zip(places, places[1:])), places)
        self.assertEqual({slot.material for found in result.objects for slot in found.material_slots},
                         set(result.materials))

    def test_leaves(self):
        result, = self.imported(self.records)
        material, = result.materials
        self.assertEqual(self.feeds(material, 'Alpha'), {('Opacity', 'Color')})
        # There is no normal map.
        self.assertEqual(self.feeds(material, 'Normal'), {('Bump', 'Color')})
        self.assertEqual((material.blend_method, material.shadow_method), ('CLIP', 'CLIP'))
        self.assertFalse(material.use_backface_culling)
        through = next(node for node in material.node_tree.nodes if node.type == 'BSDF_TRANSLUCENT')
        self.assertEqual(self.feeds_of(through.inputs['Color']), {('Translucency', 'Color')})
        mix = through.outputs[0].links[0].to_node
        self.assertEqual(self.feeds_of(mix.inputs[0]), {('Opacity', 'Color')})
        self.assertEqual(mix.inputs[1].links[0].from_node, self.principled(material))

    def test_without_translucency(self):
        result, = self.imported(self.records, use_translucency=False)
        self.assertEqual([node for node in result.materials[0].node_tree.nodes if node.type == 'BSDF_TRANSLUCENT'], [])

    def test_the_last_lod_is_a_billboard_with_textures_of_its_own(self):
        result, = self.imported(self.records, lod='lod5')
        material, = result.materials
        self.assertEqual(material.name, 'Clover Billboard')
        self.assertTrue(all('/Billboard/' in image.filepath for image in self.images(material).values()))
        self.assertEqual(self.feeds(material, 'Base Color'), {('Albedo', 'Color')})
        result, = self.imported(self.records, lod='lod4')
        self.assertEqual(result.materials[0].name, 'Clover')

    def test_a_variation_that_is_lost_does_not_stop_the_others(self):
        for item in self.records[0]['lodList']:
            if item['variation'] == 3:
                os.remove(item['path'])
        broken = next(item['path'] for item in self.records[0]['lodList'] if item['variation'] == 5
                      and item['lod'] == 'lod0')
        with open(broken, 'wb') as file:
            file.write(b'x')
        result, = self.run_import(self.records)
        self.assertIsNone(result.error)
        self.assertEqual(len(result.objects), 9)
        self.assertRegex(result.warnings[0], 'Variation 3 is not on disk: .*Var3_LOD0.fbx')
        self.assertIn(broken, result.warnings[1])


class Parts(Case):
    def parts(self, name, count, slots=1):
        """The payload, with a mesh file of several objects, apart from each other."""
        records = self.library.payload(name)

        def build():
            made = []
            for number in range(count):
                part, = library.grid('lod0', 0.5)
                part.name = 'Part_%d' % number
                part.location = (number, 0, 0)
                for slot in range(slots):
                    part.data.materials.append(bpy.data.materials.new('slot%d' % slot))
                for face in part.data.polygons:
                    face.material_index = face.index % slots
                made.append(part)
            return made
        library.write_mesh(records[0]['lodList'][0]['path'], build)
        return records

    def test_a_scatter_asset_keeps_its_layout(self):
        bpy.context.scene.cursor.location = (0, 7, 0)
        result, = self.imported(self.parts('scatter3d', 4))
        self.assertEqual(set(bpy.data.collections['Forest Debris Pack'].objects), set(result.objects))
        self.assertEqual(sorted(tuple(round(part, 4) for part in found.location) for found in result.objects),
                         [(number, 7, 0) for number in range(4)])
        self.assertEqual(sorted(found.name for found in result.objects),
                         ['Forest Debris Pack %02d' % n for n in range(1, 5)])

    def test_a_modular_asset_keeps_its_names_and_gets_glass(self):
        result, = self.imported(self.parts('modular_window', 2, slots=3))
        self.assertEqual(sorted(found.name for found in result.objects), ['Part_0', 'Part_1'])
        self.assertEqual([slot.material.name for slot in result.objects[0].material_slots],
                         ['Modular Window Glass', 'Modular Window', 'Modular Window Glass'])
        glass = next(material for material in result.materials if material.name.endswith('Glass'))
        self.assertEqual(socket(self.principled(glass).inputs, 'Transmission').default_value, 1)
        self.assertTrue(glass.use_screen_refraction)
        plain = next(material for material in result.materials if not material.name.endswith('Glass'))
        self.assertEqual(socket(self.principled(plain).inputs, 'Transmission').default_value, 0)
        self.assertEqual(len({face.material_index for face in result.objects[0].data.polygons}), 3)
        self.assertEqual(len(bpy.data.materials), 2)

    def test_texture_sets(self):
        records = self.parts('modular_window', 1, slots=2)
        record = records[0]
        record['meta'] = []
        record['materials'] = [{'materialId': 0, 'materialName': 'Wall', 'textureSets': ['A']},
                               {'materialId': 1, 'materialName': 'Roof', 'textureSets': ['B']}]
        albedo = record['components'][0]
        other = self.library.texture(albedo['path'].replace('4K', 'B'), 'albedo')
        record['components'] = [dict(albedo, textureSets=['A']), dict(albedo, path=other, textureSets=['B'])]
        result, = self.imported(records)
        self.assertEqual([os.path.basename(self.images(slot.material)['Albedo'].filepath)
                          for slot in result.objects[0].material_slots],
                         ['modwin06_4K_Albedo.jpg', 'modwin06_B_Albedo.jpg'])
