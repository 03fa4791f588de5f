# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a mesh file with the importer that the Blender at hand has for it."""
from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass, field
from typing import Any, Iterator

import addon_utils
import bpy

log = logging.getLogger(__package__)


class MeshError(Exception):
    """A mesh file cannot be read: which, and why."""


@dataclass(frozen=True)
class Reader:
    """`operator` of `group` in bpy.ops; `addon` has it, where it is not built into Blender."""
    group: str
    operator: str
    addon: str = ''
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def call(self) -> Any:
        return getattr(getattr(bpy.ops, self.group), self.operator)

    def there(self) -> bool:
        try:
            self.call.get_rna_type()
        except KeyError:
            return False
        return True

    def known_arguments(self) -> dict[str, Any]:
        """Without those that this version has not."""
        known = {found.identifier for found in self.call.get_rna_type().properties}
        return {name: value for name, value in self.arguments.items() if name in known}


# The one that is built in before the add-on that it replaces.
READERS = {
    'fbx': (Reader('wm', 'fbx_import', '', {'use_anim': False}),
            Reader('import_scene', 'fbx', 'io_scene_fbx', {'use_anim': False, 'use_image_search': False})),
    'obj': (Reader('wm', 'obj_import', '', {'use_split_objects': True}),
            Reader('import_scene', 'obj', 'io_scene_obj', {'use_image_search': False, 'use_split_objects': True})),
    'abc': (Reader('wm', 'alembic_import', '', {'as_background_job': False, 'set_frame_range': False}),),
    'gltf': (Reader('import_scene', 'gltf', 'io_scene_gltf2', {'loglevel': 50}),),
}
READERS['glb'] = READERS['gltf']

NAMES = {'fbx': 'FBX', 'obj': 'OBJ', 'abc': 'Alembic', 'gltf': 'glTF', 'glb': 'glTF'}

# What says nothing about its unit. FBX does, and glTF and Blender are in metres.
WITHOUT_UNIT = ('obj', 'abc')


@contextlib.contextmanager
def _reader(format_: str) -> Iterator[Reader]:
    """Switches a bundled add-on on for as long as it takes, and leaves the user's preferences as they were."""
    if format_ not in READERS:
        raise MeshError('its format %s is none that is known (%s)' % (
            '“%s”' % format_ if format_ else 'is not told, and', ', '.join(sorted(READERS))))
    for reader in READERS[format_]:
        if reader.there():
            yield reader
            return
    for reader in READERS[format_]:
        if reader.addon and addon_utils.enable(reader.addon, default_set=False) and reader.there():
            log.info('the add-on %s was enabled to read %s', reader.addon, NAMES[format_])
            try:
                yield reader
            finally:
                addon_utils.disable(reader.addon, default_set=False)
            return
    addons = [reader.addon for reader in READERS[format_] if reader.addon]
    raise MeshError('this Blender %s cannot read %s: %s' % (
        bpy.app.version_string, NAMES[format_],
        'its add-on %s cannot be enabled' % addons[0] if addons else 'it was built without'))


@contextlib.contextmanager
def _numpy_with_bool(format_: str) -> Iterator[None]:
    """The glTF importer of Blender 3.4 and before asks for a name that NumPy 1.24 took away; distributions ship them
    together."""
    if format_ not in ('gltf', 'glb'):
        yield
        return
    import numpy
    lacks = 'bool' not in vars(numpy)
    if lacks:
        numpy.bool = bool
    try:
        yield
    finally:
        if lacks:
            del numpy.bool


def _reason(error: Exception) -> str:
    """Of what an operator raises: Blender puts a traceback before it, and where it was called after it, and cuts the
    whole short."""
    lines = [line for line in str(error).strip().split('\n') if line.strip() and not line.startswith('Location: ')]
    last = lines[-1].strip() if lines else type(error).__name__
    if last.endswith('truncated'):
        return 'its importer failed; the console has the traceback'
    return last[len('Error: '):] if last.startswith('Error: ') else last


@contextlib.contextmanager
def _scene_kept(scene: bpy.types.Scene) -> Iterator[None]:
    """Importers set the frame rate, and the range, to those of their file, and the one of glTF sets the render engine."""
    names = ('frame_start', 'frame_end', 'frame_current')
    kept = {name: getattr(scene, name) for name in names}
    rate, engine = (scene.render.fps, scene.render.fps_base), scene.render.engine
    try:
        yield
    finally:
        scene.render.fps, scene.render.fps_base = rate
        scene.render.engine = engine
        for name, value in kept.items():
            setattr(scene, name, value)


# What an importer brings with it, and nobody needs once our material is on the mesh: each before what it may use.
BROUGHT = ('actions', 'armatures', 'cameras', 'lights', 'collections', 'meshes', 'materials', 'textures', 'images')


class Leftovers:
    """Removes what importers made and what nothing uses in the end."""

    def __init__(self) -> None:
        self.before = {name: set(getattr(bpy.data, name)) for name in BROUGHT}
        self.kept: set[Any] = set()

    def remove(self) -> None:
        for name in BROUGHT:
            data = getattr(bpy.data, name)
            for item in list(set(data) - self.before[name]):
                if item.users - item.use_fake_user == 0 and item not in self.kept:
                    data.remove(item)


def read(context: bpy.types.Context, path: str, format_: str) -> list[bpy.types.Object]:
    """The meshes, and the empties above them. Lights, cameras and the like of the file are removed."""
    before = set(bpy.data.objects)
    try:
        if os.path.getsize(path) == 0:
            raise MeshError('it is empty')
        with _reader(format_) as reader, _scene_kept(context.scene), _numpy_with_bool(format_):
            result = reader.call(filepath=path, **reader.known_arguments())
        new = [found for found in bpy.data.objects if found not in before]
        if 'FINISHED' not in result:
            raise MeshError('the importer gave up')
        meshes = [found for found in new if found.type == 'MESH']
        if not meshes:
            raise MeshError('there is no mesh in it')
    except Exception as error:
        remove([found for found in bpy.data.objects if found not in before])
        raise MeshError('%s: %s' % (path, str(error) if isinstance(error, MeshError) else _reason(error))) from error
    needed = set(meshes)
    for mesh in meshes:
        while mesh.parent is not None and mesh.parent in new and mesh.parent.type in ('EMPTY', 'MESH'):
            mesh = mesh.parent
            needed.add(mesh)
    for mesh in meshes:
        if mesh.parent is not None and mesh.parent not in needed:
            matrix = mesh.matrix_world.copy()
            mesh.parent = None
            mesh.matrix_world = matrix
            for modifier in [m for m in mesh.modifiers if m.type == 'ARMATURE']:
                mesh.modifiers.remove(modifier)
    remove([found for found in new if found not in needed])
    return [found for found in new if found in needed]


def remove(objects: list[bpy.types.Object]) -> None:
    for found in objects:
        bpy.data.objects.remove(found, do_unlink=True)


def unit_of(objects: list[bpy.types.Object], known: float | None) -> float:
    """The factor to metres of a file that has no unit: 1, or 0.01, whichever brings it nearer to the asset's known
    size; without one, what is larger than a house is taken for centimetres."""
    largest = max((max(found.dimensions) for found in objects if found.type == 'MESH'), default=0.0)
    if not largest:
        return 1.0
    limit = known * 10 if known else 20.0
    return 0.01 if largest > limit else 1.0


def apply_transform(objects: list[bpy.types.Object]) -> None:
    """Rotation and scale into the vertices, as artists expect it; a mesh that several objects share, and children, stay
    as they are."""
    for found in objects:
        if found.type == 'MESH' and found.parent is None and found.data.users == 1 and not found.children:
            location = found.matrix_basis.to_translation()
            matrix = found.matrix_basis.copy()
            matrix.translation = (0.0, 0.0, 0.0)
            found.data.transform(matrix, shape_keys=True)
            if matrix.is_negative:
                found.data.flip_normals()
            found.data.update()
            found.matrix_basis.identity()
            found.location = location
