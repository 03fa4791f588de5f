# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridge Hub: several Blender windows share one Quixel Bridge."""
from __future__ import annotations

import sys

import bpy

# After an update Blender runs this file again, in the same process: what it imports is to be the new one too.
for _name in [name for name in sys.modules if name.startswith(__name__ + '.')]:
    del sys.modules[_name]
    globals().pop(_name[len(__name__) + 1:], None)

from . import header, operators, panel, preferences, running  # noqa: E402

# For Blender 2.93 to 4.1; blender_manifest.toml says the same to later ones. Blender reads it without running it.
bl_info = {
    'name': 'Bridge Hub',
    'author': 'The Bridge Hub project',
    'version': (0, 1, 0),
    'blender': (2, 93, 0),
    'location': '3D Viewport > Sidebar > Quixel',
    'description': 'Several Blender windows share one Quixel Bridge, and each export lands in the one you chose',
    'category': 'Import-Export',
}

CLASSES = preferences.CLASSES + operators.CLASSES + panel.CLASSES


def register() -> None:
    for each in CLASSES:
        bpy.utils.register_class(each)
    panel.register()
    header.register()
    running.register()


def unregister() -> None:
    running.unregister()
    header.unregister()
    panel.unregister()
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
