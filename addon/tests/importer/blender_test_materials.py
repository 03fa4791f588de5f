# SPDX-License-Identifier: GPL-3.0-or-later
"""The Principled BSDF material of every combination of maps."""
from types import SimpleNamespace

import bpy
from bridge_hub.material import set_transparency
from bridge_hub.nodes import socket
from case import Case


class Materials(Case):
    def surface(self, *roles, packed=(), **fields):
        """A surface that has these maps alone."""
        record = self.library.records('surface')[0]
        template = record['components'][0]
        parts = [dict(template, type=role, path=template['path'].replace('Albedo', role.capitalize()))
                 for role in roles]
        return self.library.fill([dict(record, components=parts, packedTextures=list(packed), **fields)])

    def packed(self, name, channels, extension='jpg'):
        template = self.library.records('asset3d_packed')[0]['packedTextures'][0]
        path = template['path'].replace('ORM.jpg', '%s.%s' % (name, extension))
        return dict(template, type='ORM', name=name, path=path,
                    channelsData={key: [role, 'R'] for key, role in channels.items()})

    def material(self, records, **options):
        result, = self.imported(records, **options)
        return result.materials[0]

    def node(self, material, kind):
        return next(node for node in material.node_tree.nodes if node.type == kind)

    def output(self, material):
        return self.node(material, 'OUTPUT_MATERIAL')

    # --- roughness ----------------------------------------------------------------------------------------------------

    def test_gloss_is_inverted_once(self):
        material = self.material(self.surface('albedo', 'gloss'))
        self.assertEqual(self.feeds(material, 'Roughness'), {('Gloss', 'Color')})
        invert = socket(self.principled(material).inputs, 'Roughness').links[0].from_node
        self.assertEqual((invert.operation, invert.inputs[0].default_value), ('SUBTRACT', 1))
        self.assertEqual(invert.inputs[1].links[0].from_node.type, 'TEX_IMAGE')
        self.assertTrue(self.images(material)['Gloss'].colorspace_settings.is_data)

    def test_roughness_goes_before_gloss(self):
        material = self.material(self.surface('gloss', 'roughness'))
        self.assertEqual(self.feeds(material, 'Roughness'), {('Roughness', 'Color')})
        self.assertEqual(socket(self.principled(material).inputs, 'Roughness').links[0].from_node.type, 'TEX_IMAGE')

    # --- workflows ----------------------------------------------------------------------------------------------------

    def test_metalness_workflow(self):
        material = self.material(self.surface('albedo', 'metalness', 'roughness', workflow='metalness',
                                              pbrWorkflow='metalness'))
        self.assertEqual(self.feeds(material, 'Metallic'), {('Metalness', 'Color')})
        self.assertEqual(self.feeds(material, 'Base Color'), {('Albedo', 'Color')})
        self.assertEqual(self.feeds(material, 'Specular'), set())

    def test_specular_workflow_with_diffuse_alone_gives_metal_its_color(self):
        material = self.material(self.surface('diffuse', 'specular', 'gloss'))
        self.assertEqual(self.feeds(material, 'Base Color'), {('Diffuse', 'Color'), ('Specular', 'Color')})
        self.assertEqual(self.feeds(material, 'Metallic'), {('Specular', 'Color')})
        self.assertEqual(self.feeds(material, 'Specular'), {('Specular', 'Color')})
        self.assertEqual(self.images(material)['Specular'].colorspace_settings.name, 'sRGB')

    def test_metalness_goes_before_what_is_derived_from_specular(self):
        material = self.material(self.surface('albedo', 'specular', 'metalness'))
        self.assertEqual(self.feeds(material, 'Metallic'), {('Metalness', 'Color')})

    def test_without_a_color_the_average_stands_in(self):
        material = self.material(self.surface('roughness', averageColor='#FF0080'))
        color = self.principled(material).inputs['Base Color'].default_value
        self.assertEqual([round(part, 3) for part in color], [1, 0, 0.216, 1])

    # --- occlusion ----------------------------------------------------------------------------------------------------

    def test_occlusion_and_cavity_by_choice(self):
        records = self.surface('albedo', 'ao', 'cavity')
        self.assertEqual(self.feeds(self.material(records), 'Base Color'), {('Albedo', 'Color'), ('Ao', 'Color')})
        self.assertEqual(self.feeds(self.material(records, use_ao=False), 'Base Color'), {('Albedo', 'Color')})
        material = self.material(records, use_cavity=True)
        self.assertEqual(self.feeds(material, 'Base Color'),
                         {('Albedo', 'Color'), ('Ao', 'Color'), ('Cavity', 'Color')})
        mix = self.principled(material).inputs['Base Color'].links[0].from_node
        self.assertEqual((mix.blend_type, socket(mix.inputs, 'Factor').default_value), ('MULTIPLY', 1))

    # --- relief -------------------------------------------------------------------------------------------------------

    def test_bump_stands_in_for_a_normal_map(self):
        self.assertEqual(self.feeds(self.material(self.surface('normal', 'bump')), 'Normal'), {('Normal', 'Color')})
        self.assertEqual(self.feeds(self.material(self.surface('albedo', 'bump')), 'Normal'), {('Bump', 'Color')})
        material = self.material(self.surface('normal', 'bump'), use_bump=True)
        self.assertEqual(self.feeds(material, 'Normal'), {('Normal', 'Color'), ('Bump', 'Color')})

    def test_a_normal_map_goes_through_its_node(self):
        node = socket(self.principled(self.material(self.surface('normal'))).inputs, 'Normal').links[0].from_node
        self.assertEqual((node.type, node.space), ('NORMAL_MAP', 'TANGENT'))
        self.assertEqual(node.inputs['Color'].links[0].from_node.type, 'TEX_IMAGE')

    def test_directx_normals(self):
        material = self.material(self.surface('normal'), flip_green=True)
        self.assertEqual(self.feeds(material, 'Normal'), {('Normal', 'Red'), ('Normal', 'Green'), ('Normal', 'Blue')})
        self.assertEqual([node.label for node in material.node_tree.nodes if node.type == 'MATH'],
                         ['DirectX to OpenGL'])

    def test_displacement(self):
        material = self.material(self.surface('normal', 'displacement'))
        node = self.output(material).inputs['Displacement'].links[0].from_node
        self.assertEqual((node.type, round(node.inputs['Scale'].default_value, 4),
                          node.inputs['Midlevel'].default_value),
                         ('DISPLACEMENT', 0.14, 0.5))
        # What the displacement shows as bump is in the normal map already.
        self.assertEqual(material.cycles.displacement_method, 'DISPLACEMENT')
        self.assertEqual(self.material(self.surface('albedo', 'displacement')).cycles.displacement_method, 'BOTH')

    def test_without_displacement_it_is_seen_as_bump(self):
        material = self.material(self.surface('albedo', 'displacement'), use_displacement=False)
        self.assertFalse(self.output(material).inputs['Displacement'].is_linked)
        self.assertEqual(self.feeds(material, 'Normal'), {('Displacement', 'Color')})

    # --- light through ------------------------------------------------------------------------------------------------

    def test_transmission_and_fuzz(self):
        material = self.material(self.surface('albedo', 'transmission', 'fuzz'))
        self.assertEqual(self.feeds(material, 'Transmission'), {('Transmission', 'Color')})
        self.assertEqual(self.feeds(material, 'Sheen'), {('Fuzz', 'Color')})
        images = self.images(material)
        self.assertEqual((images['Transmission'].colorspace_settings.name, images['Fuzz'].colorspace_settings.name),
                         ('Non-Color', 'sRGB'))

    def test_translucency_without_opacity(self):
        material = self.material(self.surface('albedo', 'translucency'))
        mix = self.output(material).inputs['Surface'].links[0].from_node
        self.assertEqual((mix.type, mix.inputs[0].is_linked, mix.inputs[0].default_value), ('MIX_SHADER', False, 0.5))
        self.assertEqual(material.blend_method, 'OPAQUE')

    # --- packed textures ----------------------------------------------------------------------------------------------

    def test_a_packed_texture_is_one_image_for_its_maps(self):
        result, = self.imported(self.library.payload('asset3d_packed'))
        material, = result.materials
        self.assertEqual(self.feeds(material, 'Roughness'), {('ORM', 'Green')})
        self.assertEqual(self.feeds(material, 'Metallic'), {('ORM', 'Blue')})
        self.assertEqual(self.feeds(material, 'Base Color'), {('Albedo', 'Color'), ('ORM', 'Red')})
        self.assertEqual(sorted(self.images(material)), ['Albedo', 'Displacement', 'Normal', 'ORM', 'Specular'])
        self.assertTrue(self.images(material)['ORM'].colorspace_settings.is_data)

    def test_opacity_in_the_alpha_of_a_color(self):
        packed = self.packed('AlbedoOpacity',
                             {'Red': 'albedo', 'Green': 'albedo', 'Blue': 'albedo', 'Alpha': 'opacity'}, 'png')
        material = self.material(self.surface(packed=[packed]))
        self.assertEqual(self.feeds(material, 'Base Color'), {('AlbedoOpacity', 'Color')})
        self.assertEqual(self.feeds(material, 'Alpha'), {('AlbedoOpacity', 'Alpha')})
        image = self.images(material)['AlbedoOpacity']
        self.assertEqual((image.colorspace_settings.name, image.alpha_mode), ('sRGB', 'CHANNEL_PACKED'))

    def test_gloss_in_a_channel(self):
        material = self.material(self.surface('albedo',
                                              packed=[self.packed('AG', {'Red': 'ao', 'Alpha': 'gloss'}, 'png')]))
        self.assertEqual(self.feeds(material, 'Roughness'), {('AG', 'Alpha')})
        self.assertEqual(socket(self.principled(material).inputs, 'Roughness').links[0].from_node.operation, 'SUBTRACT')

    def test_a_normal_map_of_two_channels(self):
        packed = self.packed('NR', {'Red': 'normal', 'Green': 'normal', 'Blue': 'roughness'}, 'png')
        material = self.material(self.surface('albedo', packed=[packed]))
        self.assertEqual(self.feeds(material, 'Normal'), {('NR', 'Red'), ('NR', 'Green')})
        self.assertEqual(self.feeds(material, 'Roughness'), {('NR', 'Blue')})

    # --- one file for several maps ------------------------------------------------------------------------------------

    def test_a_file_is_color_and_data_at_once(self):
        records = self.surface('albedo', 'opacity')
        color, opacity = records[0]['components']
        opacity['path'] = color['path']
        material = self.material(records)
        of = {name: socket(self.principled(material).inputs, name).links[0].from_node.image
              for name in ('Base Color', 'Alpha')}
        self.assertEqual({name: image.colorspace_settings.is_data for name, image in of.items()},
                         {'Base Color': False, 'Alpha': True})

    # --- the tree -----------------------------------------------------------------------------------------------------

    def test_one_node_scales_all_textures(self):
        material = self.material(self.library.payload('surface'))
        mapping = self.node(material, 'MAPPING')
        users = {link.to_node.type for link in mapping.outputs[0].links}
        self.assertEqual((users, len(mapping.outputs[0].links)), ({'TEX_IMAGE'}, 6))

    def test_no_two_nodes_in_one_place_and_none_without_use(self):
        for name in ('surface', 'plant3d', 'asset3d_packed'):
            material = self.imported(self.library.payload(name))[0].materials[0]
            nodes = material.node_tree.nodes
            self.assertEqual(len({tuple(node.location) for node in nodes}), len(nodes),
                             [(node.name, tuple(node.location)) for node in nodes])
            idle = [node.name for node in nodes if node.type != 'OUTPUT_MATERIAL'
                    and not any(out.is_linked for out in node.outputs)]
            self.assertEqual(idle, [])

    def test_exr_color_is_scene_linear(self):
        records = self.surface('albedo')
        path = records[0]['components'][0]['path'].replace('.jpg', '.exr')
        records[0]['components'][0]['path'] = self.library.texture(path, 'albedo')
        self.assertEqual(self.images(self.material(records))['Albedo'].colorspace_settings.name, 'Linear')

    def test_names_of_any_length_and_script(self):
        result, = self.imported(self.library.payload('surface_unicode_nulltags'))
        self.assertEqual(result.materials[0].name, 'Mühle – 石の壁 🧱')
        records = self.surface('albedo', name='石' * 100)
        self.assertTrue('石' * 100 == records[0]['name'] and self.material(records).name.startswith('石' * 20))
        self.assertEqual(len(bpy.data.images), 6)


class LaterBlenders(Case):
    """The names of Blender 4.0 and 4.2, which cannot run here."""

    def test_sockets(self):
        names = ['Base Color', 'Metallic', 'Roughness', 'IOR', 'Alpha', 'Normal', 'Weight', 'Subsurface Weight',
                 'Subsurface Radius', 'Subsurface Scale', 'Specular IOR Level', 'Specular Tint', 'Anisotropic',
                 'Transmission Weight', 'Coat Weight', 'Coat Tint', 'Sheen Weight', 'Sheen Roughness', 'Sheen Tint',
                 'Emission Color', 'Emission Strength']
        sockets = [SimpleNamespace(identifier=name) for name in names]
        for name, identifier in (('Specular', 'Specular IOR Level'), ('Transmission', 'Transmission Weight'),
                                 ('Sheen', 'Sheen Weight'), ('Base Color', 'Base Color'), ('Alpha', 'Alpha')):
            self.assertEqual(socket(sockets, name).identifier, identifier)
        self.assertIsNone(socket(sockets, 'Clearcoat'))

    def test_transparency(self):
        for soft, method in ((False, 'DITHERED'), (True, 'BLENDED')):
            material = SimpleNamespace(surface_render_method='', use_raytrace_refraction=False)
            set_transparency(material, cut_out=True, soft=soft, refracts=soft)
            self.assertEqual((material.surface_render_method, material.use_raytrace_refraction), (method, soft))
            self.assertEqual(len(vars(material)), 2)
