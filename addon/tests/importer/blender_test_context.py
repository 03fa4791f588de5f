# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user is doing when an import comes: modes, selection, hidden and linked things."""
import os

import bmesh
import bpy
from case import Case


class Modes(Case):
    def setUp(self):
        super().setUp()
        self.cube = self.add_cube()

    def test_edit_mode_is_left_and_its_work_kept(self):
        bpy.ops.object.mode_set(mode='EDIT')
        bpy.ops.mesh.select_all(action='SELECT')
        bpy.ops.mesh.subdivide()
        result, = self.run_import(self.library.payload('asset3d'))
        self.assertIsNone(result.error)
        self.assertEqual(result.warnings, ['Edit Mode of “Cube” was left for the import'])
        self.assertEqual(bpy.context.mode, 'OBJECT')
        self.assertEqual(len(self.cube.data.vertices), 26)
        self.assertEqual(bpy.context.selected_objects, result.objects)

    def test_other_modes(self):
        for mode, word in (('SCULPT', 'Sculpt'), ('VERTEX_PAINT', 'Paint'), ('WEIGHT_PAINT', 'Paint')):
            bpy.context.view_layer.objects.active = self.cube
            bpy.ops.object.mode_set(mode=mode)
            result, = self.run_import(self.library.payload('decal'))
            self.assertIsNone(result.error)
            self.assertRegex(result.warnings[0], 'Mode of “Cube” was left for the import')
            self.assertEqual(bpy.context.mode, 'OBJECT')

    def test_the_mode_of_what_is_hidden(self):
        for hide in (lambda: self.cube.hide_set(True), lambda: setattr(self.cube, 'hide_viewport', True)):
            bpy.context.view_layer.objects.active = self.cube
            bpy.ops.object.mode_set(mode='SCULPT')
            hide()
            result, = self.run_import(self.library.payload('decal'))
            self.assertEqual((result.error, result.warnings),
                             (None, ['Sculpt Mode of “Cube” was left for the import']))
            self.assertEqual((bpy.context.mode, self.cube.mode, self.cube.visible_get()), ('OBJECT', 'OBJECT', False))
            self.cube.hide_set(False)

    def edit_with_face(self, index):
        bpy.ops.object.mode_set(mode='EDIT')
        bpy.ops.mesh.select_all(action='DESELECT')
        edited = bmesh.from_edit_mesh(self.cube.data)
        edited.faces.ensure_lookup_table()
        edited.faces[index].select_set(True)

    def test_selected_faces_alone_get_the_surface(self):
        before = bpy.data.materials.new('Before')
        self.cube.data.materials.append(before)
        self.edit_with_face(2)
        result, = self.run_import(self.library.payload('surface'), apply_to_selection='always')
        self.assertEqual([slot.material for slot in self.cube.material_slots], [before, result.materials[0]])
        self.assertEqual([face.material_index for face in self.cube.data.polygons], [0, 0, 1, 0, 0, 0])

    def test_faces_without_a_material_keep_having_none(self):
        self.edit_with_face(0)
        result, = self.run_import(self.library.payload('surface'), apply_to_selection='always')
        self.assertEqual([slot.material for slot in self.cube.material_slots], [None, result.materials[0]])
        self.assertEqual([face.material_index for face in self.cube.data.polygons], [1, 0, 0, 0, 0, 0])


class Selection(Case):
    def link(self, name):
        """A cube of this name, linked from another file."""
        self.add_cube(name)
        path = os.path.join(self.library.directory, 'linked.blend')
        bpy.ops.wm.save_as_mainfile(filepath=path)
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        with bpy.data.libraries.load(path, link=True) as (there, here):
            here.objects = [name]
        bpy.context.scene.collection.objects.link(here.objects[0])
        return here.objects[0]

    def test_lights_empties_and_drawings_are_passed_over(self):
        bpy.ops.object.light_add()
        bpy.ops.object.empty_add()
        bpy.ops.object.gpencil_add(type='STROKE')
        bpy.ops.object.select_all(action='SELECT')
        result, = self.run_import(self.library.payload('surface'), apply_to_selection='always')
        self.assertEqual(result.warnings, [
            'Nothing was selected that the material could be applied to; it is kept as “Smooth Concrete”'])

    def test_the_active_slot_is_replaced(self):
        cube = self.add_cube()
        first, second = bpy.data.materials.new('1'), bpy.data.materials.new('2')
        cube.data.materials.append(first)
        cube.data.materials.append(second)
        cube.active_material_index = 1
        result, = self.imported(self.library.payload('surface'), apply_to_selection='always')
        self.assertEqual([slot.material for slot in cube.material_slots], [first, result.materials[0]])

    def test_what_is_linked_keeps_its_material(self):
        self.link('Linked').select_set(True)
        result, = self.run_import(self.library.payload('surface'), apply_to_selection='always')
        self.assertEqual(result.warnings, ['“Linked” is linked from another file and keeps its material'])

    def test_a_mesh_without_uv_map_is_told(self):
        cube = self.add_cube()
        cube.data.uv_layers.remove(cube.data.uv_layers[0])
        result, = self.run_import(self.library.payload('surface'), apply_to_selection='always')
        self.assertEqual(result.warnings, ['“Cube” has no UV map, so the textures cannot be placed on it'])
        self.assertEqual(cube.active_material, result.materials[0])

    def test_a_linked_object_of_the_same_name_does_not_take_its_place(self):
        """The name that an import gives can be that of something linked."""
        self.link('Leaking Stain Décal')
        result, = self.imported(self.library.payload('decal'))
        self.assertEqual(result.objects[0].users_collection, (bpy.context.scene.collection,))
        self.assertEqual(bpy.context.selected_objects, result.objects)

    def test_a_surface_leaves_the_selection(self):
        cube = self.add_cube()
        self.imported(self.library.payload('surface'))
        self.assertEqual(bpy.context.selected_objects, [cube])

    def test_the_selection_of_before_a_batch_counts(self):
        cube = self.add_cube()
        results = self.run_import(self.library.payload('decal') + self.library.payload('surface'),
                                  apply_to_selection='always')
        self.assertEqual(cube.active_material, results[1].materials[0])
        self.assertEqual(results[0].objects[0].active_material, results[0].materials[0])
