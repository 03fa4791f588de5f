# SPDX-License-Identifier: GPL-3.0-or-later
"""Decals and atlases: a plane with the proportions of the textures."""
from __future__ import annotations

import bpy

from .payload import Asset, pixels

# Above the surface that a decal is put on, or they flicker.
LIFT = 0.001


def size_of(asset: Asset, image: bpy.types.Image | None) -> tuple[float, float]:
    """In metres. The textures decide on the proportions, the scanned area on the width."""
    area = asset.scan_area
    shape = tuple(image.size) if image is not None and all(image.size) else pixels(asset.resolution)
    width = area[0] if area else 1.0
    return (width, width * shape[1] / shape[0]) if shape else area or (1.0, 1.0)


def add(name: str, size: tuple[float, float], collection: bpy.types.Collection, lift: float = 0.0) -> bpy.types.Object:
    x, y = size[0] / 2, size[1] / 2
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(-x, -y, lift), (x, -y, lift), (x, y, lift), (-x, y, lift)], [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new(name='UVMap')
    for loop, coordinates in zip(layer.data, [(0, 0), (1, 0), (1, 1), (0, 1)]):
        loop.uv = coordinates
    plane = bpy.data.objects.new(name, mesh)
    collection.objects.link(plane)
    return plane
