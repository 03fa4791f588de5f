# SPDX-License-Identifier: MIT
"""What the observer's process tells: whether there is a hub, who is active, what waits."""
from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from ledger import Journal, Ledger
from place import Place

OBSERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'observer.py')


class Watch:
    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self._process: asyncio.subprocess.Process
        self._reading: asyncio.Task[None]
        self._down_at: float | None = None
        self._epoch = 0
        self._problem: str | None = None
        self.ended = False  # deaths from here on are not counted
        self.hub_pid: int | None = None
        self.active: str | None = None
        self.waiting: int | None = None  # None: no hub has told

    async def start(self, place: Place) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, OBSERVER, place.endpoint, *place.connection(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            self._take(json.loads(line))

    async def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._reading
        await self._process.wait()

    def _take(self, news: dict[str, Any]) -> None:
        if 'up' in news:
            self._up(news['at'], news['up'], news['epoch'])
        elif 'down' in news:
            self._down(news['at'])
        else:
            self.active, self.waiting = news['active'], news['waiting']
            self._note_problem(news['problem'])

    def _note_problem(self, problem: str | None) -> None:
        if problem and problem != self._problem:
            self._ledger.faults.append('hub %s has a problem: %s' % (self.hub_pid, problem))
        self._problem = problem

    def _up(self, at: float, pid: int, epoch: int) -> None:
        self._ledger.note_hub(pid)
        self._journal.say('the observer is registered with hub %d, epoch %d' % (pid, epoch))
        if epoch <= self._epoch and pid != self.hub_pid:
            self._ledger.faults.append('hub %d has epoch %d, and one before it had %d' % (pid, epoch, self._epoch))
        if self._down_at is not None:
            self._ledger.gaps.append((self._down_at, at))
        self.hub_pid, self._epoch, self._down_at = pid, epoch, None

    def _down(self, at: float) -> None:
        # The death of the process takes a moment; it counts from the kill.
        hub = self._ledger.latest(self.hub_pid or 0)
        died = hub.died if hub and hub.died else at
        self._down_at = None if self.ended else min(at, died)
        self.active = self.waiting = None
