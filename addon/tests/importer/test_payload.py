# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of what Bridge sends, without Blender."""
import glob
import json
import os
import random
import unittest

import package

from bridge_hub import payload

EVERYTHING = [None, True, False, 0, -1, 1.5, 10 ** 30, '', 'x', 'lod0', '\ud800', '\x00', [], [[]], [None], [1], ['a'],
              {}, {'a': 1}, [{}], [{'path': 1}], {'path': None}, [{'path': 'p', 'type': {}}],
              [{'key': [], 'value': {}}]]


def read(name):
    with open(os.path.join(package.PAYLOADS, name + '.json'), encoding='utf-8') as file:
        return file.read()


def short(name):
    """With three of each list: enough for what types do to it."""
    return {key: value[:3] if isinstance(value, list) else value for key, value in json.loads(read(name))[0].items()}


def asset(**fields):
    parsed, = payload.parse(json.dumps([fields]))
    return parsed


class Payloads(unittest.TestCase):
    def test_kinds_of_all_examples(self):
        kinds = {os.path.basename(path)[:-5]: [each.kind for each in payload.parse(read(os.path.basename(path)[:-5]))]
                 for path in glob.glob(os.path.join(package.PAYLOADS, '*.json'))}
        self.assertEqual(kinds, {
            'asset3d': ['mesh'], 'asset3d_packed': ['mesh'], 'atlas': ['atlas'], 'brush': ['brush'], 'decal': ['decal'],
            'batch_mixed8': ['surface', 'mesh', 'plant', 'decal', 'atlas', 'brush', 'scatter', 'modular'],
            'imperfection': ['imperfection'], 'modular_window': ['modular'], 'plant3d': ['plant'],
            'scatter3d': ['scatter'], 'surface': ['surface'], 'surface_unicode_nulltags': ['surface']})

    def test_surface(self):
        found, = payload.parse(read('surface'))
        self.assertEqual((found.name, found.id, found.type, found.resolution),
                         ('Smooth Concrete', 'smokcd3x', 'surface', '4096x4096'))
        self.assertEqual(found.tags, ('concrete', 'grey', 'smooth', 'wall'))
        self.assertEqual([texture.role for texture in found.textures], [
            'albedo', 'ao', 'bump', 'cavity', 'diffuse', 'displacement', 'gloss', 'normal', 'normalobject',
            'roughness', 'specular'])
        self.assertEqual((found.workflow, found.apply_to_selection, found.scan_area, found.height),
                         ('specular', False, (2.0, 2.0), 0.14))
        self.assertTrue(found.preview.endswith('smokcd3x_Preview.png'))
        self.assertEqual([round(part * 255) for part in found.average_color], [0x6D, 0x6B, 0x5C])

    def test_plant(self):
        found, = payload.parse(read('plant3d'))
        self.assertEqual(found.lods, ('lod0', 'lod1', 'lod2', 'lod3', 'lod4', 'lod5'))
        self.assertEqual(len(found.meshes), 66)
        self.assertEqual({mesh.variation for mesh in found.meshes}, set(range(1, 12)))
        self.assertEqual(len(found.billboard), 5)
        self.assertTrue(found.use_billboard)

    def test_unicode_and_null_tags(self):
        found, = payload.parse(read('surface_unicode_nulltags'))
        self.assertEqual((found.name, found.id, found.tags), ('Mühle – 石の壁 🧱', 'ünïx07', ()))

    def test_packed_channels(self):
        found, = payload.parse(read('asset3d_packed'))
        self.assertEqual(found.packed[0].channels, (('Red', 'ao'), ('Green', 'roughness'), ('Blue', 'metalness')))

    def test_slots_of_a_modular_asset(self):
        found, = payload.parse(read('modular_window'))
        self.assertEqual([(slot.index, slot.name, slot.glass) for slot in found.slots], [
            (0, 'glass', True), (1, 'frame', False), (2, 'glass', True)])

    def test_summary(self):
        self.assertEqual(payload.summary(payload.parse(read('plant3d'))[0]),
                         '3D plant, 4096x4096, LOD0 of 6, 11 variations, 8 maps')
        self.assertEqual(payload.summary(payload.parse(read('brush'))[0]), 'Brush, 4096x4096, 1 map')
        self.assertEqual(payload.summary(asset(type='hdri')), 'Unknown type “hdri”, 0 maps')

    def test_missing(self):
        found, = payload.parse(read('asset3d'))
        there = {found.textures[0].path}
        lost = payload.missing(found, exists=there.__contains__)
        self.assertEqual(len(lost), 11)
        self.assertTrue(lost[-1].endswith('uchwaffda_LOD0.fbx'))
        self.assertEqual(payload.missing(found, exists=lambda path: True), [])
        self.assertTrue(payload.missing(found, 'lod3', exists=there.__contains__)[-1].endswith('uchwaffda_LOD3.fbx'))
        self.assertEqual(len(payload.missing(found)), 12)


class Broken(unittest.TestCase):
    def test_no_json_says_where(self):
        for text, part in (('', 'line 1 column 1'), ('[{]', 'column 3'), ('[{"a":1}', 'column'), ('\ufeff[]', 'BOM')):
            with self.assertRaisesRegex(payload.PayloadError, 'not JSON: .*' + part):
                payload.parse(text)

    def test_neither_array_nor_object(self):
        for text in ('1', '"a"', 'null', 'true'):
            with self.assertRaisesRegex(payload.PayloadError, 'no array of assets'):
                payload.parse(text)

    def test_too_deep(self):
        with self.assertRaisesRegex(payload.PayloadError, 'nested too deeply'):
            payload.parse('[' * 100000)

    def test_a_number_too_long_for_python(self):
        with self.assertRaises(payload.PayloadError):
            payload.parse('[{"a":%s}]' % ('1' * 10000))

    def test_one_object_is_an_array_of_one(self):
        self.assertEqual([each.name for each in payload.parse('{"name":"a"}')], ['a'])

    def test_what_is_no_object_is_passed_over(self):
        self.assertEqual([each.name for each in payload.parse('[1,null,"a",[],{"name":"b"}]')], ['b'])

    def test_nothing_at_all(self):
        found = asset()
        self.assertEqual((found.name, found.id, found.kind, found.meshes, found.textures),
                         ('Unnamed asset', 'unnamed', 'unknown', (), ()))


class Tolerance(unittest.TestCase):
    def ask(self, text):
        for found in payload.parse(text):
            payload.summary(found).encode('utf-8')
            payload.missing(found)
            payload.choose_meshes(found)
            for value in (found.name, found.id, found.preview):
                self.assertIsInstance(value, str)

    def test_any_field_can_have_any_type(self):
        for name in ('plant3d', 'asset3d_packed', 'modular_window'):
            record = short(name)
            for key in list(record) + ['unknown']:
                for value in EVERYTHING:
                    self.ask(json.dumps([dict(record, **{key: value})]))

    def test_any_field_of_a_part_can_have_any_type_or_be_missing(self):
        chance = random.Random(1)
        for name in ('plant3d', 'asset3d_packed', 'modular_window'):
            for _ in range(40):
                record = short(name)
                for key in ('components', 'meshList', 'lodList', 'packedTextures', 'meta', 'materials',
                            'components-billboard'):
                    for item in record[key]:
                        wrong = chance.choice(sorted(item))
                        if chance.random() < 0.5:
                            del item[wrong]
                        else:
                            item[wrong] = chance.choice(EVERYTHING)
                self.ask(json.dumps([record]))

    def test_surrogates_and_controls_do_not_reach_blender(self):
        found = asset(name='a\ud800b\x00c\nd', id='\ud83e\uddf1')
        self.assertEqual((found.name, found.id), ('a\ufffdb c d', '🧱'))

    def test_roles_by_type_by_other_words_and_by_file_name(self):
        found = asset(components=[{'path': 'C:\\x\\a_4K_Albedo.jpg'}, {'path': 'b.jpg', 'type': 'Ambient Occlusion'},
                                  {'path': 'c.jpg', 'type': 'Metallic'}, {'path': 'd_Normal_LOD0.jpg', 'type': None}])
        self.assertEqual([texture.role for texture in found.textures], ['albedo', 'ao', 'metalness', 'normal'])

    def test_id_and_name_stand_in_for_each_other(self):
        self.assertEqual((asset(id='abc').name, asset(guid='g').id, asset(path='C:\\lib\\rock_abc\\').name),
                         ('abc', 'g', 'rock_abc'))

    def test_tags_as_one_string(self):
        self.assertEqual(asset(tags='decal, wall', type='atlas').kind, 'decal')

    def test_an_unknown_type_is_taken_for_what_it_holds(self):
        self.assertEqual(asset(type='gizmo', meshList=[{'path': 'a.fbx'}]).kind, 'mesh')
        self.assertEqual(asset(type='gizmo', components=[{'path': 'a.jpg', 'type': 'albedo'}]).kind, 'surface')

    def test_lengths(self):
        for text, metres in (('0.14 m', 0.14), ('12cm', 0.12), ('2', 2.0), ('1,5 M', 1.5), ('0 m', None),
                             ('tall', None), (3, 3.0)):
            self.assertEqual(asset(meta=[{'key': 'height', 'value': text}]).height, metres)
        for text, area in (('2x2 m', (2.0, 2.0)), ('50x25cm', (0.5, 0.25)), ('1m x 3m', (1.0, 3.0)), ('big', None),
                           ('0x1 m', None)):
            self.assertEqual(asset(meta=[{'key': 'scanArea', 'value': text}]).scan_area, area)


class Lods(unittest.TestCase):
    def setUp(self):
        self.asset, = payload.parse(read('asset3d'))
        self.plant, = payload.parse(read('plant3d'))

    def names(self, chosen):
        return [mesh.path.rsplit('\\', 1)[-1] for mesh in chosen]

    def test_what_bridge_exported(self):
        self.assertEqual(self.names(payload.choose_meshes(self.asset, exists=lambda path: True)[0]),
                         ['uchwaffda_LOD0.fbx'])

    def test_without_an_lod_that_is_told_the_high_poly_source_is_not_meant(self):
        record = dict(short('asset3d'), lodList=json.loads(read('asset3d'))[0]['lodList'], activeLOD='')
        found = asset(**record)
        self.assertEqual(self.names(payload.choose_meshes(found, exists=lambda path: True)[0]), ['uchwaffda_LOD0.fbx'])
        self.assertIn(', LOD0 of 7, ', payload.summary(found))
        second = asset(**dict(record, activeLOD=2))
        self.assertEqual(self.names(payload.choose_meshes(second, exists=lambda path: True)[0]), ['uchwaffda_LOD2.fbx'])
        lost = [path for path in payload.missing(found, exists=lambda path: False) if path.endswith('.fbx')]
        self.assertEqual([path.rsplit('\\', 1)[-1] for path in lost], ['uchwaffda_LOD0.fbx'])

    def test_what_is_asked_for(self):
        for lod, name in (('high', 'uchwaffda_High.fbx'), ('lod3', 'uchwaffda_LOD3.fbx')):
            chosen, said = payload.choose_meshes(self.asset, lod, lambda path: True)
            self.assertEqual((self.names(chosen), said), ([name], []))

    def test_the_nearest_and_the_finer_of_two(self):
        chosen, said = payload.choose_meshes(self.asset, 'lod3', lambda path: not path.endswith('LOD3.fbx'))
        self.assertEqual(self.names(chosen), ['uchwaffda_LOD2.fbx'])
        self.assertEqual(said, ['LOD3 of the mesh is not on disk, so LOD2 was taken'])

    def test_one_that_there_never_was(self):
        chosen, said = payload.choose_meshes(self.asset, 'lod9', lambda path: True)
        self.assertEqual(self.names(chosen), ['uchwaffda_LOD5.fbx'])
        self.assertEqual(said, ['LOD9 of the mesh was not exported, so LOD5 was taken'])

    def test_each_variation_for_itself(self):
        chosen, said = payload.choose_meshes(self.plant, 'lod1', lambda path: not path.endswith('Var3_LOD1.fbx'))
        self.assertEqual(self.names(chosen), ['Var%d_LOD%d.fbx' % (n, 0 if n == 3 else 1) for n in range(1, 12)])
        self.assertEqual(said, ['LOD1 of variation 3 is not on disk, so LOD0 was taken'])

    def test_no_file_at_all(self):
        chosen, said = payload.choose_meshes(self.asset, exists=lambda path: False)
        self.assertEqual(chosen, [])
        self.assertRegex(said[0], r'The mesh is not on disk: .*uchwaffda_LOD0\.fbx')

    def test_only_a_mesh_list(self):
        found = asset(type='3d', activeLOD='lod2', meshList=[{'path': 'a_LOD2.fbx'}, {'path': 'b_LOD2.fbx'}])
        self.assertEqual(self.names(payload.choose_meshes(found, exists=lambda path: True)[0]),
                         ['a_LOD2.fbx', 'b_LOD2.fbx'])


if __name__ == '__main__':
    unittest.main()
