# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview images of the exports that wait, as icons."""
from __future__ import annotations

import bpy.utils.previews

from . import maps

_collection: bpy.utils.previews.ImagePreviewCollection | None = None
_by_import: dict[str, set[str]] = {}


def icon(import_id: str, path: str) -> int:
    """0: there is no such image."""
    global _collection
    key = '%s %s' % (import_id, path)
    if _collection is None or key not in _collection:
        if not path or maps.trouble(path):
            return 0
        if _collection is None:
            _collection = bpy.utils.previews.new()
        _collection.load(key, path, 'IMAGE')
        _by_import.setdefault(import_id, set()).add(key)
    return _collection[key].icon_id


def drop(import_id: str) -> None:
    for key in _by_import.pop(import_id, ()):
        del _collection[key]


def clear() -> None:
    global _collection
    _by_import.clear()
    if _collection is not None:
        bpy.utils.previews.remove(_collection)
        _collection = None
