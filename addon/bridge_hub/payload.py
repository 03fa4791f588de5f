# SPDX-License-Identifier: GPL-3.0-or-later
"""What Bridge sends, as a model that the rest of the add-on can trust. Needs no bpy.

Bridge's array is taken as it comes: a field may be missing, null, unknown or of another type, paths are of the system
that Bridge runs on, and strings are any Unicode. Here a field of another type counts as one that is missing; only text
that is no JSON, or whose top level is neither an array nor an object, is an error.
"""
from __future__ import annotations

import json
import ntpath
import os
import re
from dataclasses import dataclass
from typing import Any, Callable, Iterable

MESH, PLANT, SCATTER, MODULAR = 'mesh', 'plant', 'scatter', 'modular'
SURFACE, IMPERFECTION, ATLAS, DECAL, BRUSH = 'surface', 'imperfection', 'atlas', 'decal', 'brush'
UNKNOWN = 'unknown'

LABELS = {
    MESH: '3D asset', PLANT: '3D plant', SCATTER: '3D scatter asset', MODULAR: 'Modular asset', SURFACE: 'Surface',
    IMPERFECTION: 'Imperfection', ATLAS: 'Atlas', DECAL: 'Decal', BRUSH: 'Brush', UNKNOWN: 'Unknown type',
}
MESH_KINDS = (MESH, PLANT, SCATTER, MODULAR)
VARIED_KINDS = (PLANT, SCATTER, MODULAR)

# Other words for the same map.
ROLES = {
    'basecolor': 'albedo', 'color': 'albedo', 'colour': 'albedo', 'ambientocclusion': 'ao', 'occlusion': 'ao',
    'glossiness': 'gloss', 'smoothness': 'gloss', 'rough': 'roughness', 'metallic': 'metalness', 'metal': 'metalness',
    'height': 'displacement', 'alpha': 'opacity', 'normalgl': 'normal', 'normalmap': 'normal',
    'translucent': 'translucency',
}
CHANNELS = ('Red', 'Green', 'Blue', 'Alpha', 'Grayscale')

HIGH = 'high'


class PayloadError(ValueError):
    """The text is not what Bridge sends."""


@dataclass(frozen=True)
class Texture:
    role: str
    path: str
    resolution: str = ''
    color_space: str = ''
    sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class PackedTexture:
    """`channels` has for each channel that is used the map that lies in it: {'Red': 'ao'}."""
    name: str
    path: str
    channels: tuple[tuple[str, str], ...]
    resolution: str = ''
    sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mesh:
    lod: str
    path: str
    format: str
    variation: int | None = None


@dataclass(frozen=True)
class Slot:
    """What an asset says about one material slot of its mesh."""
    index: int
    name: str
    glass: bool
    sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asset:
    name: str
    id: str
    type: str
    kind: str
    resolution: str
    lod: str
    min_lod: str
    lods: tuple[str, ...]
    textures: tuple[Texture, ...]
    packed: tuple[PackedTexture, ...]
    billboard: tuple[Texture, ...]
    billboard_packed: tuple[PackedTexture, ...]
    use_billboard: bool
    meshes: tuple[Mesh, ...]
    slots: tuple[Slot, ...]
    tags: tuple[str, ...]
    preview: str
    workflow: str
    apply_to_selection: bool
    average_color: tuple[float, float, float] | None
    scan_area: tuple[float, float] | None
    height: float | None
    size: float | None

    @property
    def exported_lod(self) -> str:
        """Where Bridge does not say it, the finest: the high poly source is not meant unless there is nothing else."""
        return self.lod or next((lod for lod in self.lods if lod != HIGH), self.lods[0] if self.lods else '')

    @property
    def label(self) -> str:
        label = LABELS[self.kind]
        return '%s “%s”' % (label, self.type) if self.kind == UNKNOWN and self.type else label


# --- values of any type -----------------------------------------------------------------------------------------------

def _text(value: Any) -> str:
    """Without what neither a file system nor Blender takes: control characters and halves of surrogate pairs."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ''
    value = value.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')
    return re.sub(r'[\x00-\x1f\x7f]+', ' ', value).strip()


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of an array; one object stands for an array of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(',')
    found = [_text(item) for item in value] if isinstance(value, list) else []
    return tuple(text for text in found if text)


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ('true', 'yes', '1')
    return isinstance(value, (bool, int)) and bool(value)


def _whole(value: Any) -> int | None:
    text = _text(value)
    return int(text) if re.fullmatch(r'[0-9]{1,9}', text) else None


def _color(value: Any) -> tuple[float, float, float] | None:
    """#RRGGBB, as it stands on the screen."""
    found = re.fullmatch(r'#?([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})', _text(value))
    return tuple(int(part, 16) / 255 for part in found.groups()) if found else None  # type: ignore[return-value]


UNITS = {'mm': 0.001, 'cm': 0.01, 'm': 1.0, 'in': 0.0254, 'ft': 0.3048}
LENGTH = re.compile(r'\s*([0-9]+(?:[.,][0-9]+)?)\s*(mm|cm|m|in|ft)?\s*', re.IGNORECASE)


def _metres(text: str) -> float | None:
    """'0.14 m', '12cm', '2'; nothing where it is no length, or zero."""
    found = LENGTH.fullmatch(text)
    return (float(found[1].replace(',', '.')) * UNITS[(found[2] or 'm').lower()] or None) if found else None


def _area(text: str) -> tuple[float, float] | None:
    """'2x2 m'"""
    parts = re.split(r'[x×*]', text, flags=re.IGNORECASE)
    unit = re.search(r'(mm|cm|m|in|ft)\s*$', text, re.IGNORECASE)
    if len(parts) != 2:
        return None
    if unit and LENGTH.fullmatch(parts[0]) and not re.search('[a-z]', parts[0], re.IGNORECASE):
        parts[0] += unit[1]
    width, height = _metres(parts[0]), _metres(parts[1])
    return (width, height) if width and height else None


def pixels(resolution: str) -> tuple[int, int] | None:
    """'4096x2048'"""
    found = re.fullmatch(r'([1-9][0-9]{0,5})\s*[xX×]\s*([1-9][0-9]{0,5})', resolution)
    return (int(found[1]), int(found[2])) if found else None


# --- parts of an asset ------------------------------------------------------------------------------------------------

def _role(value: Any, path: str) -> str:
    """Where no type is given, the file's name ends in it: id_4K_Albedo.jpg."""
    stem = re.sub(r'_LOD\d+$', '', ntpath.splitext(ntpath.basename(path))[0], flags=re.IGNORECASE)
    word = re.sub(r'[\s_-]', '', (_text(value) or stem.rsplit('_')[-1]).lower())
    return ROLES.get(word, word)


def _texture(item: dict[str, Any]) -> Texture:
    path = _text(item.get('path'))
    return Texture(_role(item.get('type'), path), path, _text(item.get('resolution')),
                   _text(item.get('colorSpace')).lower(), _texts(item.get('textureSets')))


def _channels(value: Any) -> tuple[tuple[str, str], ...]:
    """Bridge gives [map, channel of that map] for each channel; the map is what counts."""
    found = []
    for channel in CHANNELS if isinstance(value, dict) else ():
        said = value.get(channel)
        word = _text(said[0] if isinstance(said, list) and said else said)
        if word:
            found.append((channel, _role(word, '')))
    return tuple(found)


def _packed(item: dict[str, Any]) -> PackedTexture:
    path = _text(item.get('path'))
    return PackedTexture(_text(item.get('name')) or ntpath.basename(path), path, _channels(item.get('channelsData')),
                         _text(item.get('resolution')), _texts(item.get('textureSets')))


def lod_rank(lod: str) -> int:
    """From the finest to the coarsest; what is no LOD counts as lod0."""
    if lod == HIGH:
        return -1
    found = re.fullmatch(r'lod([0-9]{1,3})', lod)
    return int(found[1]) if found else 0


def _lod(value: Any) -> str:
    text = _text(value).lower()
    found = re.fullmatch(r'(?:lod)?([0-9]{1,3})', text)
    return 'lod' + found[1] if found else text if text == HIGH else ''


def _lod_of_name(path: str) -> str:
    found = re.search(r'_(LOD\d{1,3}|High)$', ntpath.splitext(ntpath.basename(path))[0], re.IGNORECASE)
    return found[1].lower() if found else ''


def _mesh(item: dict[str, Any], active: str) -> Mesh:
    path = _text(item.get('path'))
    lod = _lod(item.get('lod')) or _lod_of_name(path) or active
    extension = ntpath.splitext(path)[1].lstrip('.').lower()
    return Mesh(lod, path, extension or _text(item.get('format')).lower(), _whole(item.get('variation')))


def _meshes(record: dict[str, Any], active: str) -> tuple[Mesh, ...]:
    """lodList names every LOD with its variation; meshList what the artist chose, which alone is in old exports."""
    listed = [_mesh(item, active) for item in _objects(record.get('lodList'))]
    lods = {mesh.lod for mesh in listed}
    chosen = [_mesh(item, active) for item in _objects(record.get('meshList'))]
    return tuple(mesh for mesh in listed + [mesh for mesh in chosen if mesh.lod not in lods] if mesh.path)


def _meta(record: dict[str, Any]) -> dict[str, Any]:
    return {_text(item.get('key')): item.get('value') for item in _objects(record.get('meta'))}


def _slots(record: dict[str, Any], meta: dict[str, Any]) -> tuple[Slot, ...]:
    """`materials`, and the older `materialIds` of modular assets, which name the slots of each material."""
    found: dict[int, Slot] = {}
    for item in _objects(meta.get('materialIds')):
        name = _text(item.get('material'))
        for index in item.get('ids') if isinstance(item.get('ids'), list) else []:
            number = _whole(index)
            if number is not None:
                found[number] = Slot(number, name, 'glass' in name.lower())
    for item in _objects(record.get('materials')):
        number = _whole(item.get('materialId'))
        if number is not None:
            name = found[number].name if number in found else _text(item.get('materialName'))
            glass = _text(item.get('opacityType')).lower() == 'glass' or number in found and found[number].glass
            found[number] = Slot(number, name, glass, _texts(item.get('textureSets')))
    return tuple(found[number] for number in sorted(found))


def _kind(kind: str, words: set[str], modular: bool, meshes: Iterable[Mesh], textures: Iterable[Any]) -> str:
    """Bridge tells decals and imperfections by a tag; what it has never sent before is taken for what it has in it."""
    if kind == '3dplant':
        return PLANT
    if kind == '3d':
        return MODULAR if modular else SCATTER if words & {'scatter', 'cmb_asset'} else MESH
    if kind == 'surface':
        return IMPERFECTION if any('imperfection' in word for word in words) else DECAL if 'decal' in words else SURFACE
    if kind in ('atlas', 'decal'):
        return DECAL if kind == 'decal' or 'decal' in words else ATLAS
    if kind in ('brush', 'imperfection'):
        return kind
    if any(True for _ in meshes):
        return MESH
    return SURFACE if any(True for _ in textures) else UNKNOWN


def _asset(record: dict[str, Any]) -> Asset:
    meta = _meta(record)
    kind = _text(record.get('type')).lower()
    tags, categories = _texts(record.get('tags')), _texts(record.get('categories'))
    active = _lod(record.get('activeLOD'))
    textures = tuple(t for t in map(_texture, _objects(record.get('components'))) if t.path)
    packed = tuple(p for p in map(_packed, _objects(record.get('packedTextures'))) if p.path)
    meshes = _meshes(record, active)
    words = {word.lower() for word in tags + categories}
    lengths = [_metres(_text(meta.get(key))) for key in ('length', 'width', 'height')]
    folder = ntpath.basename(_text(record.get('path')).rstrip('\\/'))
    identity = _text(record.get('id')) or _text(record.get('guid')) or folder
    return Asset(
        name=_text(record.get('name')) or identity or 'Unnamed asset',
        id=identity or 'unnamed',
        type=kind,
        kind=_kind(kind, words, _flag(record.get('isModularAsset')), meshes, textures + packed),
        resolution=_text(record.get('resolution')),
        lod=active,
        min_lod=_lod(record.get('minLOD')),
        lods=tuple(sorted({mesh.lod for mesh in meshes if mesh.lod}, key=lod_rank)),
        textures=textures,
        packed=packed,
        billboard=tuple(t for t in map(_texture, _objects(record.get('components-billboard'))) if t.path),
        billboard_packed=tuple(p for p in map(_packed, _objects(record.get('packed-billboard'))) if p.path),
        use_billboard=_flag(meta.get('useBillboardMaterial')),
        meshes=meshes,
        slots=_slots(record, meta),
        tags=tags,
        preview=_text(record.get('previewImage')),
        workflow=(_text(record.get('pbrWorkflow')) or _text(record.get('workflow'))).lower(),
        apply_to_selection=_flag(record.get('applyToSelection')),
        average_color=_color(record.get('averageColor')),
        scan_area=_area(_text(meta.get('scanArea'))),
        height=lengths[2],
        size=max((length for length in lengths if length), default=None),
    )


def parse(text: str) -> list[Asset]:
    """The assets of one import. What is no object among them is passed over."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise PayloadError('What Bridge sent is nested too deeply') from None
    except ValueError as error:
        raise PayloadError('What Bridge sent is not JSON: %s' % error) from None
    if not isinstance(value, (list, dict)):
        raise PayloadError('What Bridge sent is a JSON %s and no array of assets' % type(value).__name__)
    return [_asset(record) for record in _objects(value)]


# --- questions about an asset -----------------------------------------------------------------------------------------

def _by_variation(meshes: Iterable[Mesh]) -> list[tuple[int | None, list[Mesh]]]:
    groups: dict[int | None, list[Mesh]] = {}
    for mesh in meshes:
        groups.setdefault(mesh.variation, []).append(mesh)
    return sorted(groups.items(), key=lambda group: (group[0] is None, group[0] or 0))


def _by_distance(lods: Iterable[str], wanted: str) -> list[str]:
    return sorted(lods, key=lambda lod: (abs(lod_rank(lod) - lod_rank(wanted)), lod_rank(lod)))


def choose_meshes(asset: Asset, wanted: str = '',
                  exists: Callable[[str], bool] = os.path.isfile) -> tuple[list[Mesh], list[str]]:
    """The files of one LOD, for each variation, and what has to be said about it.

    `wanted` is 'high', 'lodN', or empty for the LOD that Bridge exported. A variation whose files of that LOD are not
    there is taken at the nearest LOD of which there is a file, the finer of two.
    """
    wanted = wanted or asset.exported_lod
    chosen: list[Mesh] = []
    said: list[str] = []
    for variation, meshes in _by_variation(asset.meshes):
        there = [mesh for mesh in meshes if exists(mesh.path)]
        lods = _by_distance({mesh.lod for mesh in there}, wanted)
        what = 'variation %d' % variation if variation is not None else 'the mesh'
        if not lods:
            paths = [mesh.path for mesh in meshes if mesh.lod == wanted] or [meshes[0].path]
            said.append('%s is not on disk: %s' % (what.capitalize(), paths[0]))
            continue
        if lods[0] != wanted and wanted:
            listed = any(mesh.lod == wanted for mesh in meshes)
            said.append('%s of %s %s, so %s was taken' % (
                label_of_lod(wanted), what, 'is not on disk' if listed else 'was not exported', label_of_lod(lods[0])))
        of_lod = [mesh for mesh in meshes if mesh.lod == lods[0]]
        chosen += [mesh for mesh in of_lod if mesh in there]
        said += ['Mesh file is not on disk: %s' % mesh.path for mesh in of_lod if mesh not in there]
    return chosen, said


def label_of_lod(lod: str) -> str:
    return 'High poly' if lod == HIGH else lod.upper()


def missing(asset: Asset, lod: str = '', exists: Callable[[str], bool] = os.path.isfile) -> list[str]:
    """The files that an import needs and that are not on disk: each texture, and each mesh of the LOD."""
    lod = lod or asset.exported_lod
    meshes = [mesh.path for mesh in asset.meshes if not lod or mesh.lod == lod]
    paths = [texture.path for texture in asset.textures + asset.packed] + meshes
    return [path for path in dict.fromkeys(paths) if not exists(path)]


def _count(number: int, word: str) -> str:
    return '%d %s%s' % (number, word, '' if number == 1 else 's')


def summary(asset: Asset) -> str:
    """One line: 3D plant, 4096x4096, LOD0 of 6, 11 variations, 8 maps."""
    parts = [asset.label]
    if asset.resolution:
        parts.append(asset.resolution)
    if asset.lods:
        lod = label_of_lod(asset.exported_lod)
        parts.append('%s of %d' % (lod, len(asset.lods)) if len(asset.lods) > 1 else lod)
    variations = len({mesh.variation for mesh in asset.meshes} - {None})
    if variations > 1:
        parts.append(_count(variations, 'variation'))
    parts.append(_count(len(asset.textures + asset.packed), 'map'))
    return ', '.join(parts)
