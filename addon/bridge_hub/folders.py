# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the add-on may keep files of its own, which an update must not remove."""
from __future__ import annotations

import os

import bpy


def own() -> str:
    if __package__.startswith('bl_ext.'):
        return bpy.utils.extension_path_user(__package__, create=True)
    return os.path.join(bpy.utils.user_resource('CONFIG'), __package__)
