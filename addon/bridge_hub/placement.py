# SPDX-License-Identifier: GPL-3.0-or-later
"""Where objects go: their collection, their place, the selection, and the mode that has to be left for them."""
from __future__ import annotations

import contextlib
from typing import Any, Iterable, Iterator

import bpy
from mathutils import Vector

from .meshes import remove

GAP = 0.2


@contextlib.contextmanager
def usable_context(context: Any) -> Iterator[Any]:
    """A timer has no window, and operators need one; in the background there is none and none is needed."""
    windows = context.window_manager.windows
    if context.window is not None or not windows or not hasattr(context, 'temp_override'):
        yield context
        return
    with context.temp_override(window=windows[0]):
        yield bpy.context


@contextlib.contextmanager
def _shown(found: bpy.types.Object | None) -> Iterator[None]:
    """Blender changes no mode of what is hidden, and one can hide what one sculpts."""
    if found is None or found.visible_get():
        yield
        return
    kept = (found.hide_get(), found.hide_viewport)
    found.hide_set(False)
    found.hide_viewport = False
    try:
        yield
    finally:
        found.hide_set(kept[0])
        found.hide_viewport = kept[1]


def leave_mode(context: Any) -> str:
    """To Object Mode, with what was being edited kept; says what was left, or nothing."""
    mode, active = context.mode, context.view_layer.objects.active
    if mode == 'OBJECT':
        return ''
    with _shown(active):
        bpy.ops.object.mode_set(mode='OBJECT')
    word = mode.split('_')[0].capitalize()
    return '%s Mode of “%s” was left for the import' % (word, active.name if active else '')


@contextlib.contextmanager
def editable_collection(context: Any) -> Iterator[None]:
    """Importers put objects into the active collection. One that is linked from another file can take none: for as long
    as it takes, the scene's own is active instead."""
    layer = context.view_layer
    active = layer.active_layer_collection
    if active.collection.library is None and active.collection.override_library is None:
        yield
        return
    layer.active_layer_collection = layer.layer_collection
    try:
        yield
    finally:
        layer.active_layer_collection = active


def target_collection(context: Any) -> bpy.types.Collection:
    return context.view_layer.active_layer_collection.collection


def new_collection(parent: bpy.types.Collection, name: str) -> bpy.types.Collection:
    collection = bpy.data.collections.new(name)
    parent.children.link(collection)
    return collection


def move_to(objects: Iterable[bpy.types.Object], collection: bpy.types.Collection) -> None:
    for found in objects:
        for other in list(found.users_collection):
            if other != collection:
                other.objects.unlink(found)
        if collection not in found.users_collection:
            collection.objects.link(found)


def roots(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    objects = list(objects)
    return [found for found in objects if found.parent not in objects]


def bounds(objects: Iterable[bpy.types.Object]) -> tuple[Vector, Vector] | None:
    corners = [found.matrix_world @ Vector(corner)
               for found in objects if found.type == 'MESH' for corner in found.bound_box]
    if not corners:
        return None
    axes = list(zip(*corners))
    return Vector([min(axis) for axis in axes]), Vector([max(axis) for axis in axes])


def move_by(objects: Iterable[bpy.types.Object], offset: Vector) -> None:
    for found in roots(objects):
        found.location = found.location + offset


def in_a_row(context: Any, groups: Iterable[list[bpy.types.Object]], start: float) -> float:
    """Each group beside the one before, along X, with its own origin kept on the row's line; gives where the row ends.
    The first group of a row that starts at 0 stays where its file has it."""
    context.view_layer.update()
    end = start
    for group in groups:
        extent = bounds(group)
        if extent is None:
            continue
        if end:
            gap = GAP * (extent[1].x - extent[0].x)
            move_by(group, Vector((end + gap - extent[0].x, 0.0, 0.0)))
            end += gap + extent[1].x - extent[0].x
        else:
            end = max(extent[1].x, 1e-6)
    context.view_layer.update()
    return end


def select_only(context: Any, objects: Iterable[bpy.types.Object]) -> None:
    """What is in no collection that this view layer shows cannot be selected."""
    context.view_layer.update()
    shown = set(context.view_layer.objects)
    objects = [found for found in objects if found in shown]
    if not objects:
        return
    for found in shown:
        found.select_set(False)
    for found in objects:
        found.select_set(True)
    context.view_layer.objects.active = objects[0]


def discard(objects: Iterable[bpy.types.Object], collections: Iterable[bpy.types.Collection]) -> None:
    """What an asset left that failed half-way."""
    remove(list(objects))
    for collection in collections:
        bpy.data.collections.remove(collection)
