# SPDX-License-Identifier: MIT
"""A process under torture: started, listened to, told what to do, killed."""
from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from typing import Any, Callable

LINE_MAX = 64 << 20
END_SECONDS = 10.0


class Process:
    """`on_event` is called for each line of JSON that it writes, also for those that are read after its death."""

    def __init__(self, number: int, slot: int, argv: list[str], chance: random.Random) -> None:
        self.number = number
        self.slot = slot
        self.argv = argv
        self.chance = chance  # for all that concerns it
        self.pid = 0
        self.killed = False
        self.ending = False
        self.instance: str | None = None
        self.is_active = False
        self.hub_pid: int | None = None  # the hub that it is registered with
        self.hub_killed_at: float | None = None  # ... was killed then, and it has not registered with another since
        self._process: asyncio.subprocess.Process

    async def start(self, log: str, environment: dict[str, str]) -> None:
        with open(log, 'wb') as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self.argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
                env=environment, limit=LINE_MAX, start_new_session=True)
        self.pid = self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.returncode is None and not self.killed

    async def listen(self, on_event: Callable[[Process, dict[str, Any]], None]) -> int:
        """Until it has ended; its exit status."""
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            if line.endswith(b'\n'):  # its death can cut the last one short
                on_event(self, json.loads(line))
        return await self._process.wait()

    def command(self, line: str) -> bool:
        """False: it is dead, or as good as dead."""
        if not self.lives:
            return False
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b'\n')
        return True

    def kill(self) -> float:
        """When it was done."""
        self.killed = True
        os.kill(self.pid, signal.SIGKILL)
        return time.monotonic()

    async def end(self, number: int) -> bool:
        """By that signal. False: it did not, and had to be killed."""
        if not self.lives:
            return True
        self.ending = True
        self._process.send_signal(number)
        try:
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        except asyncio.TimeoutError:
            self._process.kill()
            return False
        return True
