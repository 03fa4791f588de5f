# SPDX-License-Identifier: GPL-3.0-or-later
"""3D assets: formats, LODs, units, and what is left behind in the file."""
import bpy
import library
from case import Case


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
        self.assertEqual(found['bridge_hub_lod'], 'lod0')
        self.assertEqual(bpy.context.selected_objects, [found])
        self.assertEqual(bpy.context.view_layer.objects.active, found)
