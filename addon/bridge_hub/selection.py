# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a material on what the user had selected: on the selected faces where a mesh was being edited, else on whole
objects."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy


# Their materials are of another kind. Blender 4.3 renamed it.
DRAWINGS = ('GPENCIL', 'GREASEPENCIL')


@dataclass(frozen=True)
class Target:
    object: bpy.types.Object
    edited: bool


def remember(context: Any) -> list[Target]:
    """Taken before the mode is left and anything is imported."""
    return [Target(found, found.mode == 'EDIT') for found in context.view_layer.objects
            if (found.select_get() or found.mode == 'EDIT') and hasattr(found.data, 'materials')
            and found.type not in DRAWINGS]


def _slot_of(found: bpy.types.Object, material: bpy.types.Material) -> int:
    for index, slot in enumerate(found.material_slots):
        if slot.material == material:
            return index
    found.data.materials.append(material)
    return len(found.material_slots) - 1


def apply(material: bpy.types.Material, targets: list[Target]) -> list[str]:
    """What has to be said about those that could not take it."""
    said = []
    for target in targets:
        found = target.object
        if found.data.library is not None or found.library is not None:
            said.append('“%s” is linked from another file and keeps its material' % found.name)
            continue
        if found.type == 'MESH' and not found.data.uv_layers:
            said.append('“%s” has no UV map, so the textures cannot be placed on it' % found.name)
        faces = [face for face in found.data.polygons if face.select] if target.edited and found.type == 'MESH' else []
        if faces and len(faces) < len(found.data.polygons):
            if not found.material_slots:
                found.data.materials.append(None)
            index = _slot_of(found, material)
            for face in faces:
                face.material_index = index
        elif found.material_slots:
            found.material_slots[found.active_material_index].material = material
        else:
            found.data.materials.append(material)
    return said
