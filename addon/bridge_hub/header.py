# SPDX-License-Identifier: GPL-3.0-or-later
"""The icon in the header of the 3D view: pressed where this window is the active one."""
from __future__ import annotations

from typing import Any

import bpy

from .session import session


def draw(header: bpy.types.Header, context: Any) -> None:
    shown = session.at_a_glance()
    if shown.runs:
        icon = 'ERROR' if shown.problem else 'IMPORT'
        header.layout.operator('bridge_hub.claim', text='', icon=icon, depress=shown.active)


def register() -> None:
    bpy.types.VIEW3D_HT_header.append(draw)


def unregister() -> None:
    bpy.types.VIEW3D_HT_header.remove(draw)
