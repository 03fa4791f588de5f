# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps the session going in Blender: its timer and its handlers."""
from __future__ import annotations

import os
import threading
import time
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import automatic
from .session import preferences, session

# Blender's loop wakes up more often than that anyway; a look is a call into the library that finds nothing.
INTERVAL_S = 0.05

# To start the instance in `blender -b` too.
BACKGROUND_VARIABLE = 'BRIDGE_HUB_BACKGROUND'

_MAIN_THREAD = threading.get_ident()

# What loading a file changes is nobody's work.
QUIET_S = 1.0


class _State:
    started = False
    worked = False
    quiet_until = 0.0


def wanted() -> bool:
    """Not in `blender -b`, unless asked."""
    return not bpy.app.background or os.environ.get(BACKGROUND_VARIABLE) == '1'


def _on_timer() -> float:
    if not _State.started:
        # Not while Blender is starting up, when there is no file yet.
        _State.started = True
        session.start()
    session.tick()
    automatic.tick()
    _follow_focus()
    return INTERVAL_S


def _follow_focus() -> None:
    worked, _State.worked = _State.worked, False
    chosen = preferences()
    could = session.status.registered and not session.status.active
    if worked and could and chosen is not None and chosen.follow_focus:
        session.claim_in_passing()


@persistent
def _on_file(*_: Any) -> None:
    _State.quiet_until = time.monotonic() + QUIET_S
    session.rename()


@persistent
def _on_change(*_: Any) -> None:
    """Something in the scene has changed: by hand, unless an animation plays, or a render does it in its own thread."""
    by_hand = threading.get_ident() == _MAIN_THREAD and session.progress is None
    if not by_hand or time.monotonic() < _State.quiet_until:
        return
    if not any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows):
        _State.worked = True


def pump(seconds: float) -> None:
    """In place of the timer, for `blender -b`, where timers do not run."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _on_timer()
        time.sleep(INTERVAL_S / 10)


def register() -> None:
    _State.started = False
    _State.quiet_until = time.monotonic() + QUIET_S
    bpy.app.handlers.load_post.append(_on_file)
    bpy.app.handlers.save_post.append(_on_file)
    bpy.app.handlers.depsgraph_update_post.append(_on_change)
    if wanted():
        bpy.app.timers.register(_on_timer, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(_on_timer):
        bpy.app.timers.unregister(_on_timer)
    bpy.app.handlers.depsgraph_update_post.remove(_on_change)
    bpy.app.handlers.save_post.remove(_on_file)
    bpy.app.handlers.load_post.remove(_on_file)
    session.unload()
