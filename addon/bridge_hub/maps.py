# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file stands for which map of a material, a packed texture's channels included. Needs no bpy."""
from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Callable, Sequence

from .payload import HIGH, PackedTexture, Texture

# Everything that is no colour is data: a texture's name, and what the payload says, do not decide it.
COLOR_ROLES = frozenset(['albedo', 'diffuse', 'specular', 'translucency', 'fuzz'])

# Bridge exports these, and no material of ours needs them: not loaded, and not missed.
UNUSED_ROLES = frozenset(['normalobject', 'curvature', 'thickness', 'normalbump', 'profile', 'id'])

FULL = 'Color'

MAGIC = {
    '.jpg': b'\xff\xd8\xff', '.jpeg': b'\xff\xd8\xff', '.png': b'\x89PNG\r\n\x1a\n', '.exr': b'v/1\x01',
}
MAGIC_MAX = max(map(len, MAGIC.values()))
# What stands at the end of those that have one, and how much can follow it: some programs add what nobody needs.
ENDS = {MAGIC['.jpg']: b'\xff\xd9', MAGIC['.png']: b'IEND'}
END_WITHIN = 65536


@dataclass(frozen=True)
class Map:
    """`channel` is FULL for the whole colour, else the one channel of a packed texture; `pair` where a normal map has
    two."""
    role: str
    path: str
    channel: str
    data: bool
    packed: bool = False
    pair: tuple[str, str] | None = None
    resolution: str = ''


def trouble(path: str) -> str:
    """Why a texture cannot be used; empty where it can. The first octets tell a download that is an error page, and the
    last ones one that was cut off. Which of the formats it is need not be in its name: Blender asks the octets too."""
    if not os.path.isfile(path):
        return 'is not on disk'
    extension = os.path.splitext(path)[1].lower()
    try:
        with open(path, 'rb') as file:
            start = file.read(MAGIC_MAX)
            file.seek(max(0, file.seek(0, os.SEEK_END) - END_WITHIN))
            rest = file.read()
    except OSError as error:
        return 'cannot be read: %s' % (error.strerror or error)
    if not start:
        return 'is empty'
    if extension in MAGIC and not start.startswith(tuple(MAGIC.values())):
        return 'is no %s file' % extension[1:].upper()
    whole = all(end in rest for magic, end in ENDS.items() if start.startswith(magic))
    return '' if whole else 'is cut off'


def _of_set(item: Texture | PackedTexture, wanted: Sequence[str]) -> bool:
    return not wanted or not item.sets or bool(set(item.sets) & set(wanted))


def _preference(texture: Texture, lod: str) -> tuple[bool, bool]:
    """A normal map can be there once for each LOD, and a displacement as JPEG and as EXR, which has more of it."""
    stem = os.path.splitext(texture.path)[0].lower()
    found = re.search(r'_lod\d+$', stem)
    own = found.group()[1:] == lod if found else lod == HIGH or not lod
    return (not own, texture.role == 'displacement' and not texture.path.lower().endswith('.exr'))


def _packed_maps(packed: PackedTexture) -> list[Map]:
    """The maps in a packed texture. It is one image with one colour space: of colour only where a whole colour lies in
    it."""
    held: dict[str, list[str]] = {}
    for channel, role in packed.channels:
        held.setdefault(role, []).append(channel)
    whole = {role for role, channels in held.items()
             if {'Red', 'Green', 'Blue'} <= set(channels) or channels == ['Grayscale']}
    data = not any(role in COLOR_ROLES for role in whole)
    found = []
    for role, channels in held.items():
        pair = ('Red', 'Green') if role == 'normal' and channels[:2] == ['Red', 'Green'] and role not in whole else None
        channel = FULL if role in whole else channels[0]
        found.append(Map(role, packed.path, channel, data, True, pair, packed.resolution))
    return found


def choose(textures: Sequence[Texture], packed: Sequence[PackedTexture], lod: str = '', sets: Sequence[str] = (),
           problem: Callable[[str], str] = trouble) -> tuple[dict[str, Map], list[str]]:
    """{role: Map}, and what is wrong with the files that cannot be used.

    What Bridge packed is taken before the single textures that it was packed from: the artist asked for it, and it is
    one image.
    """
    found: dict[str, Map] = {}
    said: list[str] = []
    for item in packed:
        if not _of_set(item, sets):
            continue
        wrong = problem(item.path) or ('' if item.channels else 'does not say what lies in its channels')
        if wrong:
            said.append('Packed texture %s: %s' % (wrong, item.path))
            continue
        for map_ in _packed_maps(item):
            found.setdefault(map_.role, map_)
    singles = [t for t in textures if t.role not in UNUSED_ROLES and _of_set(t, sets)]
    for texture in sorted(singles, key=lambda t: _preference(t, lod)):
        if texture.role in found:
            continue
        wrong = problem(texture.path)
        if wrong:
            said.append('%s map %s: %s' % (texture.role.capitalize(), wrong, texture.path))
        else:
            data = texture.role not in COLOR_ROLES
            found[texture.role] = Map(texture.role, texture.path, FULL, data, resolution=texture.resolution)
    return found, said
