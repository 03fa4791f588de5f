# SPDX-License-Identifier: GPL-3.0-or-later
"""Shader nodes under the names that they, and their sockets, have in the Blender at hand (2.93 to 5.x)."""
from __future__ import annotations

from typing import Any

import bpy

COLUMN, ROW = 300, 310

# What Blender 4.0 renamed, under the name that we use. Sockets are sought by identifier, which no translation changes.
SOCKETS = {
    'Specular': ('Specular IOR Level', 'Specular'),
    'Transmission': ('Transmission Weight', 'Transmission'),
    'Sheen': ('Sheen Weight', 'Sheen'),
    'Subsurface': ('Subsurface Weight', 'Subsurface'),
    'Factor': ('Factor_Float', 'Factor', 'Fac'),
    'A': ('A_Color', 'Color1'),
    'B': ('B_Color', 'Color2'),
    'Mixed': ('Result_Color', 'Color'),
    'Separated': ('Color', 'Image'),
    'Red': ('Red', 'R'),
    'Green': ('Green', 'G'),
    'Blue': ('Blue', 'B'),
}


def socket(sockets: Any, name: str) -> Any:
    """None where this Blender has no such socket."""
    for identifier in SOCKETS.get(name, (name,)):
        for found in sockets:
            if found.identifier == identifier:
                return found
    return None


class Tree:
    """A node tree that is being built: columns go from left to right, rows downwards."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def add(self, kind: str, column: float, row: float, label: str = '', **properties: Any) -> Any:
        node = self.tree.nodes.new(kind)
        node.location = (column * COLUMN, -row * ROW)
        node.label = label
        for name, value in properties.items():
            setattr(node, name, value)
        return node

    def link(self, source: Any, node: Any, name: str) -> bool:
        """To the input `name`; False where this Blender has none."""
        target = socket(node.inputs, name)
        if target is None:
            return False
        self.tree.links.new(source, target)
        return True

    def mix(self, column: float, row: float, label: str, blend: str, one: Any, other: Any, factor: Any = 1.0) -> Any:
        """A colour. Blender 3.4 has a node of its own for every type in the place of the one for colours."""
        if hasattr(bpy.types, 'ShaderNodeMix'):
            node = self.add('ShaderNodeMix', column, row, label, data_type='RGBA', blend_type=blend, clamp_factor=True)
        else:
            node = self.add('ShaderNodeMixRGB', column, row, label, blend_type=blend)
        for value, name in ((factor, 'Factor'), (one, 'A'), (other, 'B')):
            if isinstance(value, bpy.types.NodeSocket):
                self.link(value, node, name)
            else:
                socket(node.inputs, name).default_value = value
        return socket(node.outputs, 'Mixed')

    def separate(self, column: float, row: float, source: Any) -> Any:
        """The node; its outputs are socket(node.outputs, 'Red') and so on."""
        kind = 'ShaderNodeSeparateColor' if hasattr(bpy.types, 'ShaderNodeSeparateColor') else 'ShaderNodeSeparateRGB'
        node = self.add(kind, column, row)
        self.link(source, node, 'Separated')
        return node

    def combine(self, column: float, row: float, red: Any, green: Any, blue: Any) -> Any:
        kind = 'ShaderNodeCombineColor' if hasattr(bpy.types, 'ShaderNodeCombineColor') else 'ShaderNodeCombineRGB'
        node = self.add(kind, column, row)
        for value, name in ((red, 'Red'), (green, 'Green'), (blue, 'Blue')):
            if isinstance(value, bpy.types.NodeSocket):
                self.link(value, node, name)
            else:
                socket(node.inputs, name).default_value = value
        return node.outputs[0]

    def invert(self, column: float, row: float, label: str, source: Any) -> Any:
        """One minus the value: for data, which must not go through a colour node."""
        node = self.add('ShaderNodeMath', column, row, label, operation='SUBTRACT')
        node.inputs[0].default_value = 1.0
        self.tree.links.new(source, node.inputs[1])
        return node.outputs[0]
