# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials and images are used again, by a second import and after saving and opening, as long as they match."""
import json
import os

import bpy
from case import Case


class Reuse(Case):
    def setUp(self):
        super().setUp()
        self.records = self.library.payload('asset3d')

    def counts(self):
        return len(bpy.data.materials), len(bpy.data.images)

    def material(self, **options):
        result, = self.imported(self.records, **options)
        return result.materials[0]

    def albedo(self, material):
        return self.images(material)['Albedo']

    def test_a_second_import_brings_a_mesh_alone(self):
        first = self.material()
        before = self.counts()
        self.assertEqual(self.material(), first)
        self.assertEqual(self.counts(), before)
        self.assertEqual(len(bpy.data.objects), 2)
        self.assertEqual(len(bpy.data.meshes), 2)

    def test_every_payload_twice(self):
        for name in ('plant3d', 'scatter3d', 'modular_window', 'atlas', 'decal', 'surface', 'brush', 'imperfection'):
            records = self.library.payload(name)
            self.imported(records)
            kinds = ('materials', 'images', 'node_groups', 'textures', 'brushes')
            before = [len(getattr(bpy.data, kind)) for kind in kinds]
            self.imported(records)
            self.assertEqual([len(getattr(bpy.data, kind)) for kind in kinds], before, name)

    def test_after_saving_and_opening(self):
        self.material()
        before = self.counts()
        path = os.path.join(self.library.directory, 'saved.blend')
        bpy.ops.wm.save_as_mainfile(filepath=path)
        bpy.ops.wm.open_mainfile(filepath=path)
        self.assertEqual(self.counts(), before)
        material = self.material()
        self.assertEqual(self.counts(), before)
        self.assertEqual(len(bpy.data.objects), 2)
        self.assertEqual(self.feeds(material, 'Base Color'), {('Albedo', 'Color'), ('Ao', 'Color')})
        self.assertTrue(self.images(material)['Normal'].colorspace_settings.is_data)

    def test_after_paths_were_made_relative(self):
        first = self.material()
        bpy.ops.wm.save_as_mainfile(filepath=os.path.join(self.library.directory, 'relative.blend'))
        bpy.ops.file.make_paths_relative()
        self.assertTrue(self.albedo(first).filepath.startswith('//'))
        self.assertEqual(self.material(), first)

    def test_a_copy_of_the_name_is_not_taken_for_it(self):
        other = bpy.data.materials.new('Nordic Beach Rock Formation')
        self.assertNotEqual(self.material(), other)

    def test_an_artists_changes_stay(self):
        first = self.material()
        self.principled(first).inputs['Base Color'].links[0].from_node.mute = True
        first.name = 'My rock'
        self.assertEqual(self.material(), first)

    def test_other_choices_are_another_material_of_the_same_images(self):
        first = self.material()
        images = self.counts()[1]
        second = self.material(use_ao=False)
        self.assertNotEqual(second, first)
        self.assertEqual(self.counts()[1], images)
        self.assertEqual(self.albedo(second), self.albedo(first))

    def test_another_resolution_is_another_material(self):
        first = self.material()
        for item in self.records[0]['components']:
            item['path'] = item['path'].replace('4K', '2K')
        self.library.fill(self.records)
        second = self.material()
        self.assertNotEqual(second, first)
        self.assertIn('2K', self.albedo(second).filepath)

    def test_a_material_that_lost_a_texture_is_made_anew(self):
        first = self.material()
        tree = first.node_tree
        tree.nodes.remove(next(node for node in tree.nodes if node.type == 'TEX_IMAGE'
                               and 'Albedo' in node.image.filepath))
        second = self.material()
        self.assertNotEqual(second, first)
        self.assertEqual(self.feeds(second, 'Base Color'), {('Albedo', 'Color'), ('Ao', 'Color')})

    def test_an_image_whose_color_space_was_changed_is_loaded_anew(self):
        first = self.material()
        image = self.images(first)['Normal']
        image.colorspace_settings.name = 'sRGB'
        second = self.material(use_ao=False)
        self.assertNotEqual(self.images(second)['Normal'], image)
        self.assertTrue(self.images(second)['Normal'].colorspace_settings.is_data)

    def test_a_file_that_was_replaced_is_read_again(self):
        first = self.material()
        image = self.albedo(first)
        self.assertEqual(tuple(image.size), (8, 8))
        self.library.texture(bpy.path.abspath(image.filepath), 'albedo', (16, 16))
        self.assertEqual(self.albedo(self.material(use_ao=False)), image)
        self.assertEqual(tuple(image.size), (16, 16))

    def test_a_file_that_was_replaced_shows_in_what_is_used_again(self):
        for name in ('asset3d', 'imperfection'):
            records = self.library.payload(name)
            first, = self.imported(records)
            image = next(found for found in bpy.data.images if found.filepath.endswith('Roughness.jpg'))
            self.assertEqual(tuple(image.size), (8, 8))
            self.library.texture(image.filepath, 'roughness', (16, 16))
            second, = self.imported(records)
            self.assertEqual(second.materials + second.other, first.materials + first.other)
            self.assertEqual(tuple(image.size), (16, 16), name)
            bpy.data.images.remove(image)

    def test_what_an_artist_has_painted_and_not_saved_stays(self):
        first = self.material()
        image = self.albedo(first)
        image.pixels = [0.25, 0.5, 0.75, 1.0] * 64
        self.library.texture(image.filepath, 'albedo', (16, 16))
        for options in ({}, {'use_ao': False}):
            self.assertEqual(self.albedo(self.material(**options)), image)
            self.assertEqual((tuple(image.size), image.is_dirty), ((8, 8), True))

    def test_a_file_that_several_materials_need_is_one_image(self):
        result, = self.imported(self.library.payload('modular_window'))
        self.assertEqual((len(result.materials), len(bpy.data.images)), (2, 6))
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        self.imported(self.records + [dict(self.records[0], id='other', name='Other')])
        self.assertEqual(self.counts(), (2, 6))

    def test_properties_of_another_type_are_survived(self):
        first = self.material()
        first['bridge_hub_files'] = 5
        self.assertNotEqual(self.material(), first)
        first['bridge_hub_files'] = json.dumps(7)
        self.material()
