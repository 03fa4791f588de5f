# SPDX-License-Identifier: GPL-3.0-or-later
"""Imperfections (smudges, scratches): a node group with an output for each map, to be added to another shader."""
from __future__ import annotations

from typing import Any, Mapping

import bpy

from . import textures
from .maps import Map
from .nodes import Tree, socket

OWNER = 'bridge_hub_asset'


def _add_socket(group: Any, name: str, kind: str, direction: str) -> None:
    """Blender 4.0 moved the sockets of a group into an interface."""
    if hasattr(group, 'interface'):
        group.interface.new_socket(name, in_out=direction, socket_type=kind)
    else:
        (group.inputs if direction == 'INPUT' else group.outputs).new(kind, name)


def _matches(group: Any, maps: Mapping[str, Map]) -> bool:
    there = [textures.path_of(image) for image in textures.of_tree(group)]
    return all(any(textures.same_path(map_.path, path) for path in there) for map_ in maps.values())


def _source(tree: Tree, asset: str, map_: Map, row: int, vector: Any) -> Any:
    node = tree.add('ShaderNodeTexImage', 0, row, map_.role.capitalize())
    node.image = textures.load(asset, map_.role, map_.path, map_.data)
    tree.link(vector, node, 'Vector')
    if map_.channel in ('Color', 'Alpha'):
        return node.outputs[map_.channel]
    return socket(tree.separate(1, row, node.outputs['Color']).outputs, map_.channel)


def get_or_build(name: str, asset: str, maps: Mapping[str, Map]) -> Any:
    for group in bpy.data.node_groups:
        if group.library is None and group.get(OWNER) == asset and group.type == 'SHADER' and _matches(group, maps):
            for image in textures.of_tree(group):
                textures.refresh(image)
            return group
    group = bpy.data.node_groups.new(name, 'ShaderNodeTree')
    tree = Tree(group)
    coordinates = tree.add('ShaderNodeTexCoord', -2, 0)
    mapping = tree.add('ShaderNodeMapping', -1, 0, 'Tiling')
    tree.link(coordinates.outputs['UV'], mapping, 'Vector')
    output = tree.add('NodeGroupOutput', 3, 0)
    sources = {role.capitalize(): _source(tree, asset, map_, row, mapping.outputs['Vector'])
               for row, (role, map_) in enumerate(maps.items())}
    if 'Roughness' not in sources and 'Gloss' in sources:
        sources['Roughness'] = tree.invert(2, 0, 'Gloss to Roughness', sources['Gloss'])
    for title, source in sources.items():
        _add_socket(group, title, 'NodeSocketColor' if source.type == 'RGBA' else 'NodeSocketFloat', 'OUTPUT')
        group.links.new(source, next(found for found in output.inputs if found.name == title))
    group.use_fake_user = True
    group[OWNER] = asset
    return group
