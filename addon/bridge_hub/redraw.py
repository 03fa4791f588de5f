# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes Blender draw what shows the hub again, and nothing else: a header costs more, because the view below it is drawn
too."""
from __future__ import annotations

import bpy


def _tag(kind: str) -> None:
    manager = bpy.context.window_manager
    for window in manager.windows if manager else ():
        for area in window.screen.areas:
            if area.type == 'VIEW_3D':
                for region in area.regions:
                    if region.type == kind:
                        region.tag_redraw()


def sidebars() -> None:
    _tag('UI')


def headers() -> None:
    _tag('HEADER')
