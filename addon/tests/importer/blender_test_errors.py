# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing, broken or unknown: the rest is imported, and what is said names what, where and why."""
import json
import logging
import os
import random

import bpy
import package
from bridge_hub import importer, payload, thumbnails
from case import Case


class Missing(Case):
    def test_textures(self):
        records = self.library.payload('asset3d')
        lost = [item['path'] for item in records[0]['components']
                if item['type'] in ('normal', 'albedo', 'curvature', 'normalobject')]
        for path in lost:
            os.remove(path)
        result, = self.run_import(records)
        self.assertIsNone(result.error)
        self.assertEqual(result.warnings,
                         ['Albedo map is not on disk: %s' % lost[0], 'Normal map is not on disk: %s' % lost[1]])
        material, = result.materials
        # Diffuse and bump are there instead.
        self.assertEqual(self.feeds(material, 'Base Color'),
                         {('Diffuse', 'Color'), ('Specular', 'Color'), ('Ao', 'Color')})
        self.assertEqual(self.feeds(material, 'Normal'), {('Bump', 'Color')})
        self.assertEqual(result.objects[0].active_material, material)

    def test_all_textures_of_a_mesh(self):
        records = self.library.payload('asset3d')
        for item in records[0]['components']:
            os.remove(item['path'])
        result, = self.run_import(records)
        self.assertIsNone(result.error)
        self.assertEqual(len(result.warnings), 10)
        self.assertEqual(self.images(result.materials[0]), {})
        self.assertEqual(result.objects[0].active_material, result.materials[0])

    def test_all_textures_of_a_surface(self):
        result, = self.run_import(self.library.records('surface'))
        self.assertRegex(result.error,
                         r'^Surface “Smooth Concrete” \(smokcd3x\) was not imported: '
                         r'none of its textures can be used\. Albedo map is not on disk: /.*_4K_Albedo\.jpg \(and 9 more\)$')
        self.assertEqual(len(result.warnings), 10)
        self.assertEqual((len(bpy.data.materials), len(bpy.data.images)), (0, 0))

    def test_all_meshes(self):
        records = self.library.payload('asset3d')
        for item in records[0]['lodList']:
            os.remove(item['path'])
        result, = self.run_import(records)
        self.assertRegex(result.error,
                         r'^3D asset “Nordic .*” \(uchwaffda\) was not imported: '
                         r'The mesh is not on disk: /.*_LOD0\.fbx$')
        self.assertEqual((result.objects, result.materials), ([], []))
        self.assertEqual((len(bpy.data.objects), len(bpy.data.materials), len(bpy.data.images)), (0, 0, 0))

    def test_a_mesh_of_which_nothing_was_downloaded(self):
        records = self.library.payload('asset3d')
        path = next(item['path'] for item in records[0]['lodList'] if item['lod'] == 'lod0')
        open(path, 'wb').close()
        result, = self.run_import(records)
        self.assertTrue(result.error.endswith(' was not imported: %s: it is empty' % path), result.error)

    def test_a_packed_texture(self):
        records = self.library.payload('asset3d_packed')
        path = records[0]['packedTextures'][0]['path']
        os.remove(path)
        result, = self.run_import(records)
        self.assertEqual(result.warnings, ['Packed texture is not on disk: %s' % path])
        self.assertEqual(self.feeds(result.materials[0], 'Roughness'), {('Roughness', 'Color')})

    def test_the_windows_paths_of_another_machine(self):
        with open(os.path.join(package.PAYLOADS, 'batch_mixed8.json'), encoding='utf-8') as file:
            results = self.run_import(file.read())
        self.assertEqual([result.error is None for result in results], [False] * 8)
        self.assertIn(r'C:\Users\artist', results[0].error)


class Broken(Case):
    def test_textures_that_are_none(self):
        records = self.library.payload('surface')
        paths = {item['type']: item['path'] for item in records[0]['components']}
        for role, octets in (('albedo', b''), ('normal', b'<html>not found</html>')):
            with open(paths[role], 'wb') as file:
                file.write(octets)
        result, = self.run_import(records)
        self.assertEqual(result.warnings, ['Albedo map is empty: %s' % paths['albedo'],
                                           'Normal map is no JPG file: %s' % paths['normal']])

    def test_a_texture_of_another_format_than_its_name_says_is_none_of_these(self):
        records = self.library.payload('surface')
        paths = {item['type']: item['path'] for item in records[0]['components']}
        os.replace(self.library.texture(paths['albedo'].replace('.jpg', '.png'), 'albedo'), paths['albedo'])
        result, = self.imported(records)
        self.assertEqual(tuple(self.images(result.materials[0])['Albedo'].size), (8, 8))

    def test_textures_of_which_a_part_was_downloaded(self):
        records = self.library.payload('surface')
        paths = {item['type']: item['path'] for item in records[0]['components']}
        self.library.texture(paths['albedo'].replace('.jpg', '.png'), 'albedo')
        os.replace(paths['albedo'].replace('.jpg', '.png'), paths['albedo'])
        for role in ('albedo', 'normal'):
            os.truncate(paths[role], os.path.getsize(paths[role]) // 2)
        result, = self.run_import(records)
        self.assertEqual(result.warnings, ['%s map is cut off: %s' % (role.capitalize(), paths[role])
                                           for role in ('albedo', 'normal')])

    def test_a_preview_that_is_no_image_leaves_no_hole(self):
        path = os.path.join(self.library.directory, 'preview.png')
        for octets in (b'', b'<html>not found</html>'):
            with open(path, 'wb') as file:
                file.write(octets)
            thumbnails.icon('an import', path)
            self.assertIsNone(thumbnails._collection)
        thumbnails.icon('an import', self.library.texture(path, 'albedo'))
        self.assertEqual(len(thumbnails._collection), 1)
        thumbnails.clear()

    def test_an_unknown_type(self):
        result, = self.run_import('[{"type":"hdri","name":"Sky","id":"x1"}]')
        self.assertEqual(result.error, 'Unknown type “hdri” “Sky” (x1) was not imported: '
                                       'its type is not known, and it has neither meshes nor textures')

    def test_an_asset_of_nothing(self):
        result, = self.run_import('[{}]')
        self.assertIn('was not imported', result.error)

    def test_no_json(self):
        with self.assertRaisesRegex(payload.PayloadError, 'not JSON: .* line 1 column 2'):
            self.run_import('[')

    def test_an_empty_payload(self):
        self.assertEqual(self.run_import('[]'), [])

    def test_one_that_fails_does_not_stop_the_next(self):
        records = self.library.payload('surface') + self.library.payload('asset3d') + self.library.payload('decal')
        for item in records[1]['lodList']:
            with open(item['path'], 'wb') as file:
                file.write(b'no mesh')
        results = self.run_import(records)
        self.assertEqual([result.error is None for result in results], [True, False, True])
        self.assertIn('uchwaffda_LOD0.fbx', results[1].error)
        self.assertEqual([found.name for found in bpy.data.objects], ['Leaking Stain Décal'])
        self.assertEqual(sorted(material.name for material in bpy.data.materials),
                         ['Leaking Stain Décal', 'Smooth Concrete'])

    def test_a_fault_of_ours_does_not_stop_the_next_and_is_logged(self):
        records = self.library.payload('surface') + self.library.payload('decal')
        kept = importer.BY_KIND['surface']
        importer.BY_KIND['surface'] = lambda run, result: 1 / 0
        try:
            with self.assertLogs('bridge_hub', logging.ERROR) as logged:
                results = self.run_import(records)
        finally:
            importer.BY_KIND['surface'] = kept
        self.assertRegex(results[0].error, 'was not imported: ZeroDivisionError: division by zero')
        self.assertIn('Traceback', logged.output[0])
        self.assertIsNone(results[1].error)


    def test_one_that_fails_late_leaves_nothing_behind(self):
        records = self.library.payload('plant3d')
        kept = importer.placement.in_a_row
        importer.placement.in_a_row = lambda *arguments: 1 / 0
        try:
            result, = self.run_import(records)
        finally:
            importer.placement.in_a_row = kept
        self.assertIn('ZeroDivisionError', result.error)
        self.assertEqual([len(data) for data in (bpy.data.objects, bpy.data.meshes, bpy.data.collections,
                                                 bpy.data.materials, bpy.data.images)], [0] * 5)


class Hostile(Case):
    def test_names_of_all_kinds(self):
        for name in ('', ' ', '\ud800', 'a/b\\c', '..', '%s', '\u202eevil', 'x' * 5000, '🧱' * 40, None, [1], {}):
            records = self.library.payload('decal')
            records[0]['name'] = records[0]['id'] = name
            results = self.run_import(json.dumps(records))
            self.assertIsNone(results[0].error, name)

    def test_fields_of_any_type_with_files_that_are_there(self):
        """An asset may then not be imported, but no fault of ours may be the reason."""
        chance = random.Random(2)
        values = [None, True, -1, 1.5, '', 'x', 'lod1', '\x00', [], {}, [None], [{}], [{'path': 'x.fbx'}],
                  {'path': None}, '100x100']
        for name in ('asset3d_packed', 'modular_window', 'decal', 'surface', 'brush', 'imperfection'):
            whole = self.library.payload(name)[0]
            for _ in range(12):
                record = json.loads(json.dumps(whole))
                parts = [item for value in record.values() if isinstance(value, list) for item in value
                         if isinstance(item, dict)]
                for item in chance.sample(parts, min(len(parts), 4)) + [record]:
                    item[chance.choice(sorted(item))] = chance.choice(values)
                result, = self.run_import([record])
                self.assertNotRegex(result.error or '', r'\b[A-Z]\w*(Error|Exception)\b')
