# SPDX-License-Identifier: MIT
"""What happened, as far as it can be seen from outside. Times are of the monotonic clock, in seconds."""
from __future__ import annotations

import collections
import datetime
import os
import time
from dataclasses import dataclass, field

COMPLETE = 'complete'
RESET = 'reset'
ON_PURPOSE = 'broken off by the sender'


@dataclass
class Export:
    """A value that was sent to the hub's port."""
    id: str
    size: int
    crc: int
    begun: float
    ended: float = 0.0
    outcome: str = ''  # COMPLETE, or why its sender does not know it to be safe


@dataclass
class Handing:
    """A client was given an import."""
    export: str
    import_id: str
    attempt: int
    process: int
    at: float
    acknowledged: bool = False
    refused: bool = False


@dataclass
class Life:
    """A process, from its start to its end."""
    number: int
    pid: int
    slot: int
    died: float | None = None  # not where it was told to end
    killed: bool = False
    was_hub: bool = False


@dataclass
class Ledger:
    exports: dict[str, Export] = field(default_factory=dict)
    handings: list[Handing] = field(default_factory=list)
    lives: dict[int, Life] = field(default_factory=dict)
    refused: int = 0  # connections: no hub was there
    faults: list[str] = field(default_factory=list)  # what is wrong by itself, whatever comes later
    gaps: list[tuple[float, float]] = field(default_factory=list)  # between two hubs
    registered_after: list[float] = field(default_factory=list)  # since the death of a client's hub

    def __post_init__(self) -> None:
        self._acknowledged: set[str] = set()
        self._complete = 0

    def begin_export(self, export: Export) -> None:
        self.exports[export.id] = export

    def end_export(self, export: Export, outcome: str, at: float) -> None:
        export.outcome = outcome
        export.ended = at
        if outcome == COMPLETE:
            self._complete += 1

    def acknowledge(self, handing: Handing) -> None:
        handing.acknowledged = True
        self._acknowledged.add(handing.export)

    def latest(self, pid: int) -> Life | None:
        """Process ids are used again; what is told of one is told of its latest process."""
        return next((life for life in reversed(self.lives.values()) if life.pid == pid), None)

    def note_hub(self, pid: int) -> None:
        life = self.latest(pid)
        if life:
            life.was_hub = True

    def under_way(self) -> int:
        """How many complete exports nobody has acknowledged, about."""
        return self._complete - len(self._acknowledged)

    def outcomes(self) -> collections.Counter[str]:
        return collections.Counter(export.outcome or 'still under way' for export in self.exports.values())

    def kills(self) -> tuple[int, int]:
        """Of processes that were the hub, and of others."""
        killed = [life for life in self.lives.values() if life.killed]
        hubs = sum(life.was_hub for life in killed)
        return hubs, len(killed) - hubs


def stamp_of(at: float) -> str:
    """A time of the monotonic clock, as the program's log has it."""
    when = datetime.datetime.fromtimestamp(time.time() - time.monotonic() + at, datetime.timezone.utc)
    return when.strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3] + 'Z'


class Journal:
    """The same for people: a line an event, with the stamp of the program's own log, so that they can be merged."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, 'torture.log')
        self._file = open(self.path, 'w', encoding='utf-8', buffering=1)

    def say(self, text: str) -> None:
        self._file.write('%s torture %s\n' % (stamp_of(time.monotonic()), text))

    def close(self) -> None:
        self._file.close()
