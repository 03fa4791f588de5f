# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators called where no window is the current one, in a timer: as if the user had called them in a 3D view."""
from __future__ import annotations

from typing import Any, Callable

import bpy


def _members() -> dict[str, Any]:
    """The first window with a 3D view, or any window."""
    windows = list(bpy.context.window_manager.windows)
    for window in windows:
        for area in window.screen.areas:
            if area.type == 'VIEW_3D':
                region = next(region for region in area.regions if region.type == 'WINDOW')
                return {'window': window, 'screen': window.screen, 'area': area, 'region': region}
    return {'window': windows[0], 'screen': windows[0].screen} if windows else {}


def call(operator: Callable[..., set[str]], *arguments: Any, **properties: Any) -> set[str]:
    if hasattr(bpy.context, 'temp_override'):
        members = _members()
        members.pop('screen', None)
        with bpy.context.temp_override(**members):
            return operator(*arguments, **properties)
    # Blender 2.93 to 3.1.
    return operator({**bpy.context.copy(), **_members()}, *arguments, **properties)
