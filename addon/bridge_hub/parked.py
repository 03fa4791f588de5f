# SPDX-License-Identifier: GPL-3.0-or-later
"""The imports that were given up: listed, tried again and dropped. Needs no Blender."""
from __future__ import annotations

import ctypes
import os
import re
import time
from dataclasses import dataclass

from . import library
from .library import Library, LibraryError, octets, text


@dataclass(frozen=True)
class ParkedImport:
    import_id: str
    assets: int
    parked_at: int
    reason: str

    @property
    def why(self) -> str:
        """For people: the hub names who refused it, and how, by words of the protocol."""
        return re.sub(r'^[A-Za-z0-9-]+ refused it: [a-z-]+: ', '', self.reason)

    @property
    def title(self) -> str:
        what = '%d asset%s' % (self.assets, '' if self.assets == 1 else 's') if self.assets else 'Unreadable'
        return '%s, %s' % (what, time.strftime('%H:%M', time.localtime(self.parked_at)))


class Spool:
    """The directory in which the hub keeps them. It need not be in this process."""

    def __init__(self, lib: Library, path: str) -> None:
        self._lib = lib
        self._path = os.fsencode(path)
        self._why = ctypes.create_string_buffer(library.TEXT_MAX)

    def parked(self) -> list[ParkedImport]:
        items = ctypes.POINTER(library.Parked)()
        count = ctypes.c_size_t()
        self._check(self._lib.bh_parked_list(
            self._path, ctypes.byref(items), ctypes.byref(count), self._why, len(self._why)))
        try:
            return [ParkedImport(text(item.import_.import_), item.assets, item.parked_at, text(item.reason))
                    for item in items[:count.value]]
        finally:
            self._lib.bh_parked_free(items)

    def retry(self, import_id: str) -> None:
        """The hub takes it at its next heartbeat."""
        self._check(self._lib.bh_parked_retry(self._path, octets(import_id), self._why, len(self._why)))

    def drop(self, import_id: str) -> None:
        """For good."""
        self._check(self._lib.bh_parked_drop(self._path, octets(import_id), self._why, len(self._why)))

    def _check(self, error: int) -> None:
        if error != library.OK:
            raise LibraryError(text(self._why.value) or text(self._lib.bh_error_string(error)))
