# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: loaded once for a file, found again after a second import and after the file was saved and opened."""
from __future__ import annotations

import os
from typing import Any

import bpy

# The id of the asset and the map that the image was first loaded for: it is one of ours.
OWNER = 'bridge_hub_map'
# Size and time of the file when it was read: another export can have replaced it under the same name.
STAMP = 'bridge_hub_file'


def same_path(one: str, other: str) -> bool:
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def path_of(image: bpy.types.Image) -> str:
    return bpy.path.abspath(image.filepath, library=image.library)


def _stamp(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return ''
    return '%d:%d' % (found.st_size, found.st_mtime_ns)


def _matches(image: bpy.types.Image, path: str, data: bool) -> bool:
    """An artist may have given the image another file or colour space since."""
    return same_path(path_of(image), path) and image.colorspace_settings.is_data == data and image.source == 'FILE'


def _existing(path: str, data: bool) -> bpy.types.Image | None:
    for image in bpy.data.images:
        # The name first: after the path the file system is asked, which takes long where there are hundreds.
        named = _name(image.filepath) == _name(path)
        if named and image.library is None and image.get(OWNER) and _matches(image, path, data):
            return image
    return None


def _name(path: str) -> str:
    return os.path.normcase(os.path.basename(path))


def of_tree(tree: Any) -> list[bpy.types.Image]:
    return [node.image for node in tree.nodes if node.type == 'TEX_IMAGE' and node.image]


def refresh(image: bpy.types.Image) -> None:
    """Reads one of ours again if its file was replaced, unless an artist has painted on it since."""
    stamp = _stamp(path_of(image))
    ours = image.library is None and image.get(OWNER) and not image.is_dirty
    if ours and stamp and image.get(STAMP) != stamp:
        image.reload()
        image[STAMP] = stamp


def load(asset: str, role: str, path: str, data: bool) -> bpy.types.Image:
    """`data` is what is no colour. The colour space of data is the one that has this role in the configuration of
    colour management, whatever its name; that of a colour is the one that Blender gives to this kind of file."""
    image = _existing(path, data)
    if image is not None:
        refresh(image)
        return image
    image = bpy.data.images.load(path, check_existing=False)
    if data:
        image.colorspace_settings.is_data = True
    # Channels that have nothing to do with each other: alpha must not be multiplied into colour.
    image.alpha_mode = 'CHANNEL_PACKED'
    image[OWNER] = '%s/%s' % (asset, role)
    image[STAMP] = _stamp(path)
    return image
