# SPDX-License-Identifier: GPL-3.0-or-later
"""The imports that this instance has in hand, until they are imported or discarded. Needs no Blender."""
from __future__ import annotations

from dataclasses import dataclass, field

from . import payload
from .payload import Asset


@dataclass
class Pending:
    """One import as the panel shows it."""
    import_id: str
    attempt: int
    assets: list[Asset] = field(default_factory=list)
    missing: dict[int, list[str]] = field(default_factory=dict)
    error: str = ''
    done: set[int] = field(default_factory=set)

    @property
    def title(self) -> str:
        if not self.assets:
            return 'Unreadable export'
        first = self.assets[0].name
        return first if len(self.assets) == 1 else '%s and %d more' % (first, len(self.assets) - 1)

    @property
    def missing_count(self) -> int:
        return sum(len(files) for files in self.missing.values())


class Queue:
    """In the order in which they came. What was refused can come again, by retry: what of it was imported then is
    remembered, so that nothing is imported twice."""

    def __init__(self) -> None:
        self._items: dict[str, Pending] = {}
        self._done: dict[str, set[int]] = {}

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> list[Pending]:
        return list(self._items.values())

    def get(self, import_id: str) -> Pending | None:
        return self._items.get(import_id)

    def add(self, import_id: str, attempt: int, text: str, lod: str = '') -> Pending:
        """`lod`: the one that will be imported, '' where that is what Bridge exported."""
        item = Pending(import_id, attempt, done=self._done.get(import_id, set()))
        try:
            item.assets = payload.parse(text)
        except ValueError as error:
            item.error = str(error)
        for index, asset in enumerate(item.assets):
            files = payload.missing(asset, lod)
            if files:
                item.missing[index] = files
        self._items[import_id] = item
        return item

    def finished(self, import_id: str) -> None:
        """It is acknowledged: it does not come again."""
        self._items.pop(import_id, None)
        self._done.pop(import_id, None)

    def refused(self, import_id: str) -> None:
        item = self._items.pop(import_id, None)
        if item is not None and item.done:
            self._done[import_id] = item.done

    def clear(self) -> None:
        self._items.clear()
