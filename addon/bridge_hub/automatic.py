# SPDX-License-Identifier: GPL-3.0-or-later
"""Import at once: whatever waits is imported as soon as Blender can."""
from __future__ import annotations

from typing import Any

import bpy

from . import override
from .session import preferences, session
from .wrapping import first_lines


def why_not_now() -> str:
    """What an automatic import would disturb; '' where nothing."""
    active = bpy.context.view_layer.objects.active
    if active is not None and active.mode != 'OBJECT':
        return 'Imports in Object Mode'
    if hasattr(bpy.app, 'is_job_running') and bpy.app.is_job_running('RENDER'):
        return 'Imports after rendering'
    return ''


def is_on() -> bool:
    chosen = preferences()
    return chosen is not None and chosen.import_at_once


def tick() -> None:
    if not len(session.queue) or not is_on() or why_not_now():
        return
    item = session.queue.items()[0]
    try:
        override.call(bpy.ops.bridge_hub.import_pending, 'EXEC_DEFAULT', True, import_id=item.import_id)
    except RuntimeError:
        # An error that an operator reports comes as an exception where no user has called it.
        _show(item.title, session.last_error)


def _show(title: str, text: str) -> None:
    def draw(menu: bpy.types.Menu, context: Any) -> None:
        for line in first_lines(text).splitlines():
            menu.layout.label(text=line)

    if not bpy.app.background:
        bpy.context.window_manager.popup_menu(draw, title='%s was not imported' % title, icon='ERROR')
