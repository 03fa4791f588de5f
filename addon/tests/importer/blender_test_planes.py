# SPDX-License-Identifier: GPL-3.0-or-later
"""What has no mesh: decals and atlases on a plane, brushes, imperfections."""
import bpy
from case import Case


class Planes(Case):
    def test_an_atlas(self):
        result, = self.imported(self.library.payload('atlas'))
        plane, = result.objects
        self.assertEqual([round(part, 4) for part in plane.dimensions], [2, 2, 0])
        self.assertEqual(sorted(tuple(loop.uv) for loop in plane.data.uv_layers[0].data),
                         [(0, 0), (0, 1), (1, 0), (1, 1)])
        self.assertEqual(self.feeds(plane.active_material, 'Alpha'), {('Opacity', 'Color')})
        self.assertEqual(plane.active_material.blend_method, 'CLIP')
        self.assertEqual(list(plane.data.polygons[0].normal), [0, 0, 1])

    def test_a_decal_has_soft_edges_and_lies_above_what_it_is_on(self):
        result, = self.imported(self.library.payload('decal'))
        plane, = result.objects
        self.assertEqual((plane.active_material.blend_method, plane.active_material.shadow_method),
                         ('HASHED', 'HASHED'))
        self.assertGreater(plane.data.vertices[0].co.z, 0)
        self.assertEqual(plane.name, 'Leaking Stain Décal')

    def test_the_proportions_of_the_textures(self):
        records = self.library.records('decal')
        records[0]['meta'] = [{'key': 'scanArea', 'value': '3x3 m'}]
        result, = self.imported(self.library.fill(records, (16, 4)))
        self.assertEqual([round(part, 4) for part in result.objects[0].dimensions], [3, 0.75, 0])

    def test_a_mask_stands_in_for_opacity(self):
        records = self.library.records('decal')
        for item in records[0]['components']:
            if item['type'] == 'opacity':
                item.update(type='mask', path=item['path'].replace('Opacity', 'Mask'))
        result, = self.imported(self.library.fill(records))
        self.assertEqual(self.feeds(result.materials[0], 'Alpha'), {('Mask', 'Color')})

    def test_without_opacity_it_is_said(self):
        records = self.library.payload('decal')
        records[0]['components'] = [item for item in records[0]['components'] if item['type'] != 'opacity']
        result, = self.run_import(records)
        self.assertEqual(result.warnings, ['There is no opacity map: the plane is opaque'])


class Brushes(Case):
    def test_a_texture_and_brushes_that_are_saved(self):
        result, = self.imported(self.library.payload('brush'))
        texture, sculpt, paint = result.other
        self.assertTrue(texture.image.filepath.endswith('brushx03_4K_Brush.jpg'))
        self.assertTrue(texture.image.colorspace_settings.is_data)
        self.assertEqual([(brush.texture, brush.use_fake_user) for brush in (sculpt, paint)], [(texture, True)] * 2)
        self.assertTrue(sculpt.use_paint_sculpt)
        self.assertTrue(paint.use_paint_image)
        self.assertEqual((result.objects, result.materials), ([], []))

    def test_once(self):
        records = self.library.payload('brush')
        first, = self.imported(records)
        second, = self.imported(records)
        self.assertEqual(first.other, second.other)


class Imperfections(Case):
    def test_a_node_group_with_an_output_for_each_map(self):
        result, = self.imported(self.library.payload('imperfection'))
        group, = result.other
        self.assertEqual((group.name, group.type, group.use_fake_user), ('Smudges', 'SHADER', True))
        self.assertEqual([socket.name for socket in group.outputs], ['Roughness', 'Gloss'])
        output = next(node for node in group.nodes if node.type == 'GROUP_OUTPUT')
        self.assertEqual(self.feeds_of(output.inputs['Roughness']), {('Roughness', 'Color')})
        self.assertEqual(result.materials, [])

    def test_gloss_alone_gives_roughness_too(self):
        records = self.library.payload('imperfection')
        records[0]['components'] = [item for item in records[0]['components'] if item['type'] == 'gloss']
        result, = self.imported(records)
        output = next(node for node in result.other[0].nodes if node.type == 'GROUP_OUTPUT')
        self.assertEqual(self.feeds_of(output.inputs['Roughness']), {('Gloss', 'Color')})
        self.assertEqual(output.inputs['Roughness'].links[0].from_node.operation, 'SUBTRACT')

    def test_once(self):
        records = self.library.payload('imperfection')
        self.assertEqual(self.imported(records)[0].other, self.imported(records)[0].other)
        self.assertEqual(len(bpy.data.node_groups), 1)
