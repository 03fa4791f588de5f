# SPDX-License-Identifier: GPL-3.0-or-later
"""3D assets: LODs, formats, units, places, and what importers leave behind in the file."""
import math
import os

import addon_utils
import bpy
import library
from case import Case
from mathutils import Matrix


class Asset3d(Case):
    def setUp(self):
        super().setUp()
        self.records = self.library.payload('asset3d')

    def test_the_exported_lod_with_its_material(self):
        result, = self.imported(self.records)
        found, = result.objects
        self.assertEqual(found.name, 'Nordic Beach Rock Formation')
        self.assertEqual(len(found.data.vertices), library.vertices('lod0'))
        self.assertEqual([slot.material for slot in found.material_slots], result.materials)
        self.assertEqual((found['bridge_hub_asset'], found['bridge_hub_lod']), ('uchwaffda', 'lod0'))
        self.assertEqual(bpy.context.selected_objects, [found])
        self.assertEqual(bpy.context.view_layer.objects.active, found)
        self.assertEqual(list(bpy.context.scene.collection.objects), [found])

    def test_another_lod(self):
        for lod in ('high', 'lod3'):
            result, = self.imported(self.records, lod=lod)
            self.assertEqual(len(result.objects[0].data.vertices), library.vertices(lod))

    def test_the_nearest_lod_is_told(self):
        os.remove(next(item['path'] for item in self.records[0]['lodList'] if item['lod'] == 'lod3'))
        result, = self.run_import(self.records, lod='lod3')
        self.assertEqual(len(result.objects[0].data.vertices), library.vertices('lod2'))
        self.assertEqual(result.warnings, ['LOD3 of the mesh is not on disk, so LOD2 was taken'])

    def test_lies_at_the_cursor(self):
        bpy.context.scene.cursor.location = (1, 2, 3)
        result, = self.imported(self.records)
        self.assertEqual(tuple(result.objects[0].location), (1, 2, 3))
        result, = self.imported(self.records, place_at_cursor=False)
        self.assertEqual(tuple(result.objects[0].location), (0, 0, 0))

    def test_goes_into_the_active_collection(self):
        collection = bpy.data.collections.new('Set')
        bpy.context.scene.collection.children.link(collection)
        bpy.context.view_layer.active_layer_collection = bpy.context.view_layer.layer_collection.children['Set']
        result, = self.imported(self.records)
        self.assertEqual(list(collection.objects), result.objects)

    def test_a_linked_collection_can_take_nothing(self):
        path = os.path.join(self.library.directory, 'linked.blend')
        bpy.context.scene.collection.children.link(bpy.data.collections.new('Linked'))
        bpy.ops.wm.save_as_mainfile(filepath=path)
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        with bpy.data.libraries.load(path, link=True) as (there, here):
            here.collections = ['Linked']
        bpy.context.scene.collection.children.link(here.collections[0])
        active = bpy.context.view_layer.layer_collection.children['Linked']
        bpy.context.view_layer.active_layer_collection = active
        for records in (self.records, self.library.payload('decal'), self.library.payload('plant3d')):
            result, = self.imported(records)
            self.assertTrue(result.objects)
        self.assertEqual(bpy.context.view_layer.active_layer_collection, active)
        self.assertEqual(len(bpy.context.scene.collection.objects), 2)


class Files(Case):
    """One mesh file, made for the test."""

    def setUp(self):
        super().setUp()
        self.records = self.library.records('asset3d')
        self.path = os.path.join(self.library.directory, 'a mesh – ünï石.fbx')

    def of(self, path, size=1.2, **arguments):
        self.library.mesh(path, 'lod0', size, **arguments)
        return self.naming(path)

    def naming(self, path):
        record = dict(self.records[0], lodList=[], meshList=[{'path': path, 'type': 'lod'}], components=[])
        return [record]

    def assert_size(self, found, size=1.2):
        self.assertAlmostEqual(found.dimensions.x, size, places=4)
        self.assertEqual([round(part, 5) for part in found.scale], [1, 1, 1])
        self.assertEqual([round(part, 5) for part in found.rotation_euler], [0, 0, 0])
        # Up is up: what is 0.1 of its width high lies flat.
        self.assertAlmostEqual(found.dimensions.z, size / 10, places=4)

    def test_fbx_in_metres_and_in_centimetres(self):
        for size, scale in ((1.2, 1.0), (120, 0.01)):
            path = os.path.join(self.library.directory, 'of_%s.fbx' % size)
            result, = self.imported(self.of(path, size, global_scale=scale))
            self.assert_size(result.objects[0])

    def test_the_transform_can_be_left_to_the_object(self):
        result, = self.imported(self.of(self.path, 120, global_scale=0.01), apply_transform=False)
        self.assertAlmostEqual(result.objects[0].scale.x, 0.01, places=5)
        self.assertAlmostEqual(result.objects[0].dimensions.x, 1.2, places=4)

    def test_obj_has_no_unit(self):
        for size in (1.2, 120):
            result, = self.imported(self.of(os.path.join(self.library.directory, 'of_%s.obj' % size), size))
            self.assert_size(result.objects[0])

    def test_gltf(self):
        for extension in ('gltf', 'glb'):
            result, = self.imported(self.of(os.path.join(self.library.directory, 'a.' + extension)))
            self.assert_size(result.objects[0])
            self.assertEqual(len(result.objects[0].data.polygons), 2 * library.CUTS['lod0'] ** 2)

    def test_alembic_is_read_or_refused_in_plain_words(self):
        """Debian builds Blender without Alembic."""
        path = os.path.join(self.library.directory, 'a.abc')
        if bpy.app.build_options.alembic:
            result, = self.imported(self.of(path))
            self.assertAlmostEqual(result.objects[0].dimensions.x, 1.2, places=4)
            return
        with open(path, 'wb') as file:
            file.write(b'Ogawa')
        result, = self.run_import(self.naming(path))
        self.assertRegex(result.error,
                         r'3D asset “Nordic Beach Rock Formation” \(uchwaffda\) was not imported: .*/a\.abc: '
                         r'this Blender .* cannot read Alembic: it was built without')

    def test_an_unknown_format(self):
        path = os.path.join(self.library.directory, 'a.ztl')
        with open(path, 'wb') as file:
            file.write(b'x')
        result, = self.run_import(self.naming(path))
        self.assertRegex(result.error,
                         r'a\.ztl: its format “ztl” is none that is known \(abc, fbx, glb, gltf, obj\)')

    def test_a_broken_file_names_itself(self):
        for extension in ('fbx', 'obj', 'gltf', 'glb'):
            path = os.path.join(self.library.directory, 'broken.' + extension)
            with open(path, 'wb') as file:
                file.write(b'\0nothing of it')
            result, = self.run_import(self.naming(path))
            self.assertIn(path, result.error)
            self.assertEqual(list(bpy.data.objects), [])

    def test_an_add_on_that_is_off_is_switched_on_and_off_again(self):
        records = self.of(self.path)
        addon_utils.disable('io_scene_fbx')
        before = addon_utils.check('io_scene_fbx')
        try:
            result, = self.imported(records)
            self.assertEqual(len(result.objects), 1)
            self.assertEqual((before[1], addon_utils.check('io_scene_fbx')), (False, before))
        finally:
            addon_utils.enable('io_scene_fbx')

    def test_frame_rate_and_range_stay(self):
        records = self.of(self.path)
        scene = bpy.context.scene
        scene.render.fps, scene.render.fps_base, scene.frame_end = 30, 1.001, 77
        self.imported(records)
        self.assertEqual((scene.render.fps, round(scene.render.fps_base, 3), scene.frame_end), (30, 1.001, 77))

    def test_the_render_engine_stays(self):
        records = self.of(os.path.join(self.library.directory, 'a.glb'))
        bpy.context.scene.render.engine = 'BLENDER_WORKBENCH'
        self.imported(records)
        self.assertEqual(bpy.context.scene.render.engine, 'BLENDER_WORKBENCH')

    def test_scene_units(self):
        records = self.of(self.path, 120, global_scale=0.01)
        bpy.context.scene.unit_settings.scale_length = 0.01
        result, = self.imported(records)
        self.assertAlmostEqual(result.objects[0].dimensions.x, 120, places=2)

    def write(self, build):
        library.write_mesh(self.path, build, object_types={'MESH', 'EMPTY', 'LIGHT', 'CAMERA', 'ARMATURE'})
        return self.naming(self.path)

    def test_only_meshes_and_what_they_hang_on(self):
        def build():
            empty, lone = bpy.data.objects.new('Pivot', None), bpy.data.objects.new('Lone', None)
            light = bpy.data.objects.new('Sun', bpy.data.lights.new('Sun', 'SUN'))
            mesh, = library.grid('lod0', 1.2)
            mesh.parent = empty
            empty.location = (0, 0, 5)
            mesh.data.materials.append(bpy.data.materials.new('FromFile'))
            return [empty, lone, light, mesh]
        records = self.write(build)
        bpy.ops.outliner.orphans_purge(do_recursive=True)
        result, = self.imported(records)
        self.assertEqual(sorted(found.type for found in result.objects), ['EMPTY', 'MESH'])
        self.assertEqual([material.name for material in bpy.data.materials], ['Nordic Beach Rock Formation'])
        self.assertEqual((len(bpy.data.lights), len(bpy.data.objects), len(bpy.data.meshes)), (0, 2, 1))
        mesh = next(found for found in result.objects if found.type == 'MESH')
        bpy.context.view_layer.update()
        self.assertAlmostEqual(mesh.matrix_world.translation.z, 5, places=4)

    def test_a_mirrored_mesh_keeps_its_outside(self):
        def build():
            mesh, = library.grid('lod0', 1.2)
            mesh.matrix_world = Matrix.Diagonal((-1, 1, 1, 1)) @ Matrix.Rotation(math.pi / 2, 4, 'Z')
            return [mesh]
        result, = self.imported(self.write(build))
        found, = result.objects
        self.assertEqual([round(part, 4) for part in found.scale], [1, 1, 1])
        self.assertTrue(all(face.normal.z > 0 for face in found.data.polygons))

    def test_shape_keys_have_the_size_of_the_mesh(self):
        def build():
            mesh, = library.grid('lod0', 120)
            mesh.shape_key_add(name='Basis')
            mesh.shape_key_add(name='Bent')
            return [mesh]
        library.write_mesh(self.path, build, global_scale=0.01)
        result, = self.imported(self.naming(self.path))
        bpy.context.view_layer.update()
        self.assertEqual(len(result.objects[0].data.shape_keys.key_blocks), 2)
        self.assert_size(result.objects[0])


class Batches(Case):
    def test_a_batch_of_eight(self):
        bpy.context.scene.cursor.location = (10, 0, 0)
        told = []
        results = self.run_import(self.library.payload('batch_mixed8'),
                                  lambda fraction, text: told.append((fraction, text)))
        self.assertEqual([(result.error, result.warnings) for result in results], [(None, [])] * 8)
        self.assertEqual([len(result.objects) for result in results], [0, 1, 11, 1, 1, 0, 1, 1])
        self.assertEqual(set(bpy.context.selected_objects), {found for result in results for found in result.objects})
        fractions = [fraction for fraction, _ in told]
        self.assertEqual(fractions, sorted(fractions))
        self.assertEqual((fractions[0], fractions[-1]), (0.0, 1.0))
        self.assertIn('Clover: mesh 3 of 11', [text for _, text in told])

    def test_assets_lie_beside_each_other(self):
        results = self.run_import(self.library.payload('batch_mixed8'))
        bpy.context.view_layer.update()
        corners = [[found.location.x + corner[0] for corner in found.bound_box]
                   for result in results for found in result.objects]
        ranges = sorted((min(each), max(each)) for each in corners)
        self.assertEqual(len(ranges), 16)
        for one, other in zip(ranges, ranges[1:]):
            self.assertLess(one[1], other[0])

    def test_or_in_one_place(self):
        results = self.run_import(self.library.payload('batch_mixed8'), spread_out=False)
        self.assertEqual({tuple(found.location) for result in results for found in result.objects}, {(0, 0, 0)})
