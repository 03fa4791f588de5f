# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports what Bridge sent. One asset that fails does not stop the next.

Undo: nothing here pushes a step. An operator with UNDO in its bl_options that calls import_payload() gets one step for
the whole payload; who calls it outside of an operator calls push_undo() after it. bpy.ops makes a step only when it is
asked to, with True as the argument after the execution context.
"""
from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any, Callable

import bpy
from mathutils import Vector

from . import brushes, imperfections, maps, material, meshes, payload, placement, planes, selection
from .options import ALWAYS, FOLLOW_PAYLOAD, ImportOptions
from .payload import Asset

log = logging.getLogger(__package__)

ASSET_PROPERTY, LOD_PROPERTY = 'bridge_hub_asset', 'bridge_hub_lod'

BRUSH_ROLES = ('brush', 'displacement', 'mask')

# Of its size: how far the displacement map of a mesh reaches.
MESH_DETAIL = 0.01

Progress = Callable[[float, str], None]


@dataclass
class AssetResult:
    """`other` are node groups, textures and brushes. An error says what, where and why."""
    asset: Asset
    objects: list[bpy.types.Object] = field(default_factory=list)
    materials: list[bpy.types.Material] = field(default_factory=list)
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    other: list[Any] = field(default_factory=list)


class ImportFailed(Exception):
    """An asset cannot be imported: why."""


def push_undo(assets: list[Asset]) -> None:
    bpy.ops.ed.undo_push(message=undo_message(assets))


def undo_message(assets: list[Asset]) -> str:
    return 'Import %s from Bridge' % (assets[0].name if len(assets) == 1 else '%d assets' % len(assets))


def _ignore(fraction: float, text: str) -> None:
    """The progress of who does not want to know."""


def _first(said: list[str], nothing: str) -> str:
    """An error is one line, also where it is eleven files that are lost: the warnings have each."""
    more = ' (and %d more)' % (len(said) - 1) if len(said) > 1 else ''
    return said[0] + more if said else nothing


def import_payload(context: Any, assets: list[Asset], options: ImportOptions | None = None,
                   progress: Progress = _ignore) -> list[AssetResult]:
    """Leaves the mode that the user is in, if need be, and selects what came."""
    with placement.usable_context(context) as usable, placement.editable_collection(usable):
        return _Import(usable, options or ImportOptions(), progress).run(assets)


class _Import:
    """One payload."""

    def __init__(self, context: Any, options: ImportOptions, progress: Progress) -> None:
        self.context, self.options, self.progress = context, options, progress
        self.row_end = 0.0

    def run(self, assets: list[Asset]) -> list[AssetResult]:
        self.targets = selection.remember(self.context)
        left = placement.leave_mode(self.context)
        results = []
        leftovers = meshes.Leftovers()
        try:
            for number, asset in enumerate(assets):
                self.share = (number / len(assets), 1 / len(assets))
                results.append(self._one(asset, leftovers))
        finally:
            leftovers.remove()
        if left and results:
            results[0].warnings.insert(0, left)
        objects = [found for result in results for found in result.objects]
        placement.select_only(self.context, objects)
        self.progress(1.0, 'Imported')
        return results

    def _tell(self, done: float, result: AssetResult, what: str) -> None:
        start, width = self.share
        self.progress(start + width * done, '%s: %s' % (result.asset.name, what))

    def _one(self, asset: Asset, leftovers: meshes.Leftovers) -> AssetResult:
        result = AssetResult(asset)
        before = (set(bpy.data.objects), set(bpy.data.collections))
        try:
            self._tell(0.0, result, 'materials')
            BY_KIND[asset.kind](self, result)
        except Exception as error:
            expected = isinstance(error, (ImportFailed, meshes.MeshError))
            result.error = '%s “%s” (%s) was not imported: %s' % (
                asset.label, asset.name, asset.id, error if expected else '%s: %s' % (type(error).__name__, error))
            log.error(result.error, exc_info=not expected)
            placement.discard(set(bpy.data.objects) - before[0], set(bpy.data.collections) - before[1])
            result.objects, result.materials = [], []
        leftovers.kept.update(result.materials + result.other)
        for text in result.warnings:
            log.warning('%s: %s', asset.name, text)
        return result

    # --- materials ----------------------------------------------------------------------------------------------------

    def _maps(self, result: AssetResult, billboard: bool = False, sets: tuple[str, ...] = ()) -> dict[str, maps.Map]:
        asset = result.asset
        singles, packed = (asset.billboard, asset.billboard_packed) if billboard else (asset.textures, asset.packed)
        found, said = maps.choose(singles, packed, self.options.wanted_lod or asset.lod, sets)
        result.warnings += [text for text in said if text not in result.warnings]
        if asset.kind in (payload.ATLAS, payload.DECAL) and 'opacity' not in found and 'mask' in found:
            found['opacity'] = replace(found['mask'], role='opacity')
        return found

    def _some_maps(self, result: AssetResult) -> dict[str, maps.Map]:
        """Of what is nothing without textures."""
        found = self._maps(result)
        if not found:
            raise ImportFailed('none of its textures can be used. %s' % _first(result.warnings, 'Bridge named none'))
        return found

    def _material(self, result: AssetResult, found: dict[str, maps.Map], suffix: str = '',
                  glass: bool = False) -> bpy.types.Material:
        """Made also where there is no texture, so that the mesh has one that can be worked on."""
        asset = result.asset
        look = material.Look(workflow=asset.workflow, color=asset.average_color, true_height=self._height(asset),
                             glass=glass, soft=asset.kind == payload.DECAL)
        made = material.get_or_build(asset.name + suffix, asset.id + suffix, found, look, self.options)
        if made not in result.materials:
            result.materials.append(made)
        return made

    def _height(self, asset: Asset) -> float | None:
        """A surface tells its own. A mesh has its shape already, and its displacement adds what is finer than that."""
        if asset.kind == payload.SURFACE:
            return asset.height
        return asset.size * MESH_DETAIL if asset.size and asset.kind in payload.MESH_KINDS else None

    # --- meshes -------------------------------------------------------------------------------------------------------

    def _meshes(self, result: AssetResult) -> None:
        asset = result.asset
        wanted = self.options.wanted_lod
        chosen, said = payload.choose_meshes(asset, wanted)
        if not chosen:
            result.warnings += said
            raise ImportFailed(_first(said, 'Bridge named no mesh file'))
        result.warnings += said
        billboard = self._is_billboard(asset, chosen)
        main = self._material(result, self._maps(result, billboard), ' Billboard' if billboard else '')
        slots = {} if billboard else {slot.index: self._slot_material(result, slot, main) for slot in asset.slots}
        groups, failed = [], []
        for number, mesh in enumerate(chosen):
            self._tell((number + 1) / (len(chosen) + 1), result, 'mesh %d of %d' % (number + 1, len(chosen)))
            try:
                objects = self._read(mesh, asset)
            except meshes.MeshError as error:
                failed.append(str(error))
                continue
            for found in objects:
                self._dress(found, main, slots)
                found[ASSET_PROPERTY], found[LOD_PROPERTY] = asset.id, mesh.lod
            self._name(objects, asset, mesh)
            groups.append(objects)
        result.warnings += failed
        result.objects = [found for group in groups for found in group]
        if not result.objects:
            raise ImportFailed(_first(failed, ''))
        self._place(result, groups)

    def _is_billboard(self, asset: Asset, chosen: list[payload.Mesh]) -> bool:
        """The coarsest LOD of a plant is two crossed planes, with textures of their own."""
        last = asset.min_lod or (asset.lods[-1] if asset.lods else '')
        coarsest = (len(asset.lods) > 1 or bool(asset.min_lod)) and all(mesh.lod == last for mesh in chosen)
        return asset.kind == payload.PLANT and coarsest and bool(asset.billboard or asset.billboard_packed)

    def _slot_material(self, result: AssetResult, slot: payload.Slot, main: bpy.types.Material) -> bpy.types.Material:
        if slot.glass:
            return self._material(result, self._maps(result, sets=slot.sets), ' Glass', glass=True)
        if slot.sets:
            return self._material(result, self._maps(result, sets=slot.sets), ' ' + (slot.name or slot.sets[0]))
        return main

    def _read(self, mesh: payload.Mesh, asset: Asset) -> list[bpy.types.Object]:
        objects = meshes.read(self.context, mesh.path, mesh.format)
        self.context.view_layer.update()
        if mesh.format in meshes.WITHOUT_UNIT:
            factor = meshes.unit_of(objects, asset.size)
            for found in placement.roots(objects):
                found.scale = found.scale * factor
                found.location = found.location * factor
        if self.options.apply_transform:
            meshes.apply_transform(objects)
        return objects

    def _dress(self, found: bpy.types.Object, main: bpy.types.Material, slots: dict[int, bpy.types.Material]) -> None:
        if found.type != 'MESH':
            return
        if not found.material_slots:
            found.data.materials.append(main)
        for index, slot in enumerate(found.material_slots):
            slot.material = slots.get(index, main)

    def _name(self, objects: list[bpy.types.Object], asset: Asset, mesh: payload.Mesh) -> None:
        """The asset's name; the parts of a modular asset have names that say more."""
        name = asset.name if mesh.variation is None else '%s Variation %d' % (asset.name, mesh.variation)
        several = len(objects) > 1
        for number, found in enumerate(objects):
            if not several:
                found.name = name
            elif asset.kind != payload.MODULAR:
                found.name = '%s %02d' % (name, number + 1)
            if found.type == 'MESH' and found.data.users == 1:
                found.data.name = found.name

    # --- places -------------------------------------------------------------------------------------------------------

    def _place(self, result: AssetResult, groups: list[list[bpy.types.Object]]) -> None:
        asset = result.asset
        varied = asset.kind in payload.VARIED_KINDS and len(result.objects) > 1
        collection = placement.target_collection(self.context)
        if varied:
            collection = placement.new_collection(collection, asset.name)
        placement.move_to(result.objects, collection)
        self.context.view_layer.update()
        if self.options.spread_out:
            apart = groups if asset.kind == payload.PLANT else [result.objects]
            self.row_end = placement.in_a_row(self.context, apart, self.row_end)
        if self.options.place_at_cursor:
            placement.move_by(result.objects, Vector(self.context.scene.cursor.location))

    # --- the other kinds ----------------------------------------------------------------------------------------------

    def _surface(self, result: AssetResult) -> None:
        found = self._some_maps(result)
        made = self._material(result, found)
        choice = self.options.apply_to_selection
        if choice == ALWAYS or choice == FOLLOW_PAYLOAD and result.asset.apply_to_selection:
            result.warnings += selection.apply(made, self.targets) if self.targets else [
                'Nothing was selected that the material could be applied to; it is kept as “%s”' % made.name]
        # What nothing uses is not saved.
        made.use_fake_user = made.use_fake_user or made.users == 0

    def _imperfection(self, result: AssetResult) -> None:
        found = self._some_maps(result)
        group = imperfections.get_or_build(result.asset.name, result.asset.id, found)
        result.other.append(group)

    def _plane(self, result: AssetResult) -> None:
        asset = result.asset
        found = self._some_maps(result)
        if 'opacity' not in found:
            result.warnings.append('There is no opacity map: the plane is opaque')
        made = self._material(result, found)
        image = next((node.image for node in made.node_tree.nodes if node.type == 'TEX_IMAGE' and node.image), None)
        collection = placement.target_collection(self.context)
        lift = planes.LIFT if asset.kind == payload.DECAL else 0.0
        plane = planes.add(asset.name, planes.size_of(asset, image), collection, lift)
        plane.data.materials.append(made)
        plane[ASSET_PROPERTY] = asset.id
        result.objects = [plane]
        self._place(result, [[plane]])

    def _brush(self, result: AssetResult) -> None:
        found = self._some_maps(result)
        map_ = next((found[role] for role in BRUSH_ROLES if role in found), None) or next(iter(found.values()))
        result.other += brushes.get_or_build(result.asset.name, result.asset.id, map_)

    def _unknown(self, result: AssetResult) -> None:
        raise ImportFailed('its type is not known, and it has neither meshes nor textures')


BY_KIND: dict[str, Callable[[_Import, AssetResult], None]] = {
    payload.MESH: _Import._meshes,
    payload.PLANT: _Import._meshes,
    payload.SCATTER: _Import._meshes,
    payload.MODULAR: _Import._meshes,
    payload.SURFACE: _Import._surface,
    payload.IMPERFECTION: _Import._imperfection,
    payload.ATLAS: _Import._plane,
    payload.DECAL: _Import._plane,
    payload.BRUSH: _Import._brush,
    payload.UNKNOWN: _Import._unknown,
}
