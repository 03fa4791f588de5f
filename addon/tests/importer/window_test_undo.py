# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo, and what else needs a window: Blender keeps no undo steps in the background."""
import json

import bpy
from bridge_hub import importer, payload
from bridge_hub.options import ImportOptions
from case import Case


class ImportOperator(bpy.types.Operator):
    """As the add-on's own operators call the importer."""
    bl_idname = 'bridge_hub_test.import_payload'
    bl_label = 'Import'
    bl_options = {'REGISTER', 'UNDO'}
    assets = []

    def execute(self, context):
        importer.import_payload(context, self.assets, ImportOptions())
        return {'FINISHED'}


bpy.utils.register_class(ImportOperator)


class Undo(Case):
    def setUp(self):
        super().setUp()
        self.context = bpy.context.temp_override(window=bpy.context.window_manager.windows[0])
        self.context.__enter__()
        self.addCleanup(self.context.__exit__, None, None, None)
        self.add_cube()
        bpy.ops.ed.undo_push(message='before')

    def things(self):
        names = sorted(found.name for found in bpy.data.objects)
        return names, len(bpy.data.materials), len(bpy.data.images), len(bpy.data.collections)

    def assert_one_step(self, before, after):
        bpy.ops.ed.undo()
        self.assertEqual(self.things(), before)
        bpy.ops.ed.redo()
        self.assertEqual(self.things(), after)

    def test_a_batch_by_an_operator_is_one_step(self):
        before = self.things()
        ImportOperator.assets = self.parsed('batch_mixed8')
        bpy.ops.bridge_hub_test.import_payload('EXEC_DEFAULT', True)
        after = self.things()
        self.assertEqual(len(after[0]), 17)
        self.assert_one_step(before, after)

    def test_a_plant_outside_of_an_operator_is_one_step(self):
        before = self.things()
        assets = self.parsed('plant3d')
        importer.import_payload(bpy.context, assets, ImportOptions())
        importer.push_undo(assets)
        self.assert_one_step(before, self.things())

    def test_what_was_undone_is_made_anew(self):
        assets = self.parsed('asset3d')
        importer.import_payload(bpy.context, assets, ImportOptions())
        importer.push_undo(assets)
        bpy.ops.ed.undo()
        result, = importer.import_payload(bpy.context, assets, ImportOptions())
        self.assertEqual(result.error, None)
        self.assertEqual(self.feeds(result.materials[0], 'Roughness'), {('Roughness', 'Color')})

    def test_edit_mode_comes_back(self):
        bpy.ops.object.mode_set(mode='EDIT')
        bpy.ops.mesh.subdivide()
        bpy.ops.ed.undo_push(message='subdivided')
        assets = self.parsed('decal')
        importer.import_payload(bpy.context, assets, ImportOptions())
        importer.push_undo(assets)
        bpy.ops.ed.undo()
        self.assertEqual((bpy.context.mode, len(bpy.data.objects)), ('EDIT_MESH', 1))
        bpy.ops.object.mode_set(mode='OBJECT')
        self.assertEqual(len(bpy.data.objects[0].data.vertices), 26)

    def test_without_a_window_in_the_context(self):
        """As in a timer."""
        with bpy.context.temp_override(window=None):
            self.assertIsNone(bpy.context.window)
            result, = importer.import_payload(bpy.context, self.parsed('asset3d'), ImportOptions())
        self.assertIsNone(result.error)
        self.assertEqual(bpy.context.selected_objects, result.objects)

    def test_local_view(self):
        window = bpy.context.window_manager.windows[0]
        area = next(area for area in window.screen.areas if area.type == 'VIEW_3D')
        region = next(region for region in area.regions if region.type == 'WINDOW')
        with bpy.context.temp_override(window=window, area=area, region=region):
            bpy.ops.view3d.localview()
            self.assertIsNotNone(area.spaces.active.local_view)
            result, = importer.import_payload(bpy.context, self.parsed('decal'), ImportOptions())
            evaluated = bpy.context.evaluated_depsgraph_get()
            for found in (bpy.data.objects['Cube'], result.objects[0]):
                self.assertTrue(found.evaluated_get(evaluated).local_view_get(area.spaces.active))

    def parsed(self, name):
        return payload.parse(json.dumps(self.library.payload(name)))
