# SPDX-License-Identifier: GPL-3.0-or-later
"""Brushes: an image, a texture of it, and a brush for sculpting and one for texture painting that use it."""
from __future__ import annotations

from typing import Any

import bpy

from . import textures
from .maps import Map

OWNER = 'bridge_hub_asset'
# From here on the shelf shows what is an asset, and nothing else.
BRUSHES_ARE_ASSETS = (4, 3, 0)
MODES = (('SCULPT', ''), ('TEXTURE_PAINT', ' (paint)'))


def _texture(name: str, asset: str, image: bpy.types.Image) -> bpy.types.Texture:
    for found in bpy.data.textures:
        if found.get(OWNER) == asset and found.type == 'IMAGE' and found.image == image:
            return found
    texture = bpy.data.textures.new(name, 'IMAGE')
    texture.image = image
    texture[OWNER] = asset
    return texture


def _brush(name: str, asset: str, texture: bpy.types.Texture, mode: str) -> bpy.types.Brush:
    owner = '%s/%s' % (asset, mode)
    for found in bpy.data.brushes:
        if found.get(OWNER) == owner and found.texture == texture:
            return found
    brush = bpy.data.brushes.new(name, mode=mode)
    brush.texture = texture
    brush.texture_slot.map_mode = 'VIEW_PLANE'
    # Nothing uses a brush that is not in hand, and what nothing uses is not saved.
    brush.use_fake_user = True
    if bpy.app.version >= BRUSHES_ARE_ASSETS:
        brush.asset_mark()
    brush[OWNER] = owner
    return brush


def get_or_build(name: str, asset: str, map_: Map) -> list[Any]:
    """The texture and its brushes."""
    texture = _texture(name, asset, textures.load(asset, map_.role, map_.path, data=True))
    return [texture] + [_brush(name + suffix, asset, texture, mode) for mode, suffix in MODES]
