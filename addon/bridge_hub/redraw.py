# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes Blender draw what shows the hub again: the sidebars and headers of its 3D views, and nothing else."""
from __future__ import annotations

import bpy

REGIONS = {'UI', 'HEADER', 'TOOL_HEADER'}


def all_views() -> None:
    manager = bpy.context.window_manager
    for window in manager.windows if manager else ():
        for area in window.screen.areas:
            if area.type == 'VIEW_3D':
                for region in area.regions:
                    if region.type in REGIONS:
                        region.tag_redraw()
