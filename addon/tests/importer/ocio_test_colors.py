# SPDX-License-Identifier: GPL-3.0-or-later
"""A studio's colour management, in which no space has one of Blender's names: found by role. Run with OCIO set to
studio.ocio."""
import bpy
from case import Case


class Studio(Case):
    def test_data_and_color(self):
        names = [space.name
                 for space in bpy.types.ColorManagedInputColorspaceSettings.bl_rna.properties['name'].enum_items]
        self.assertEqual(sorted(names), ['Studio Display', 'Studio Raw', 'Studio Scene'])
        result, = self.imported(self.library.payload('surface'))
        images = self.images(result.materials[0])
        self.assertEqual({role: image.colorspace_settings.name for role, image in images.items()}, {
            'Albedo': 'Studio Display', 'Specular': 'Studio Display', 'Ao': 'Studio Raw', 'Roughness': 'Studio Raw',
            'Normal': 'Studio Raw', 'Displacement': 'Studio Raw'})
        second, = self.imported(self.library.payload('surface'))
        self.assertEqual(second.materials, result.materials)
