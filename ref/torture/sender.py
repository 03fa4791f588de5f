# SPDX-License-Identifier: MIT
"""A sender of exports, which knows whether each is safe: it half-closes, and waits for the end of file."""
from __future__ import annotations

import asyncio
import random
import socket
import time
from dataclasses import dataclass
from typing import Callable

from ledger import COMPLETE, ON_PURPOSE, RESET, Export, Journal, Ledger
from payload import Payloads, Value

EARLY = 'ended before the sender had half-closed'
UNANSWERED = 'neither ended nor reset'
ANSWER_SECONDS = 60.0

PAUSE_SECONDS = 0.08  # at most, between two connections
AGAIN_SECONDS = 0.02  # ... where no hub was there
WAITING_MAX = 40
SEVERAL_SHARE, BROKEN_OFF_SHARE, SLOW_SHARE = 0.1, 0.02, 0.3
SEVERAL_MAX, CHUNKS_MAX = 5, 8
NOISE = (b'', b'\n', b' \r\n\t')  # white space between values


@dataclass(frozen=True)
class Senders:
    """What they share."""
    port: int
    payloads: Payloads
    ledger: Ledger
    journal: Journal
    next_number: Callable[[], int]
    waiting: Callable[[], int]  # imports that nobody has, as the hub told last


class Sender:
    def __init__(self, shared: Senders, chance: random.Random) -> None:
        self._shared = shared
        self._chance = chance
        self.stopping = False

    async def run(self) -> None:
        count = 1
        while not self.stopping:
            if self._shared.waiting() > WAITING_MAX:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if count == 0:
                count = self._chance.randint(2, SEVERAL_MAX) if self._chance.random() < SEVERAL_SHARE else 1
            # What was reset is sent again under new ids: as many values.
            if await self._export(count) != RESET:
                count = 0
            await asyncio.sleep(self._chance.uniform(0, PAUSE_SECONDS))

    async def _connect(self) -> socket.socket | None:
        while not self.stopping:
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(connection, ('127.0.0.1', self._shared.port))
                return connection
            except OSError:
                connection.close()
                self._shared.ledger.refused += 1
                await asyncio.sleep(self._chance.uniform(0, AGAIN_SECONDS))
        return None

    async def _export(self, count: int) -> str:
        connection = await self._connect()
        if connection is None:
            return RESET
        values = [self._shared.payloads.value(self._shared.next_number(), self._chance) for _ in range(count)]
        exports = [Export(v.export, v.size, v.crc, time.monotonic()) for v in values]
        for export in exports:
            self._shared.ledger.begin_export(export)
        with connection:
            try:
                outcome = await asyncio.wait_for(self._send(connection, values), ANSWER_SECONDS)
            except asyncio.TimeoutError:
                outcome = UNANSWERED
            except OSError:
                outcome = RESET
        for export in exports:
            self._shared.ledger.end_export(export, outcome, time.monotonic())
            self._shared.journal.say('%s, %d octets: %s' % (export.id, export.size, outcome))
        return outcome

    async def _send(self, connection: socket.socket, values: list[Value]) -> str:
        loop = asyncio.get_running_loop()
        octets = b''.join(value.octets + self._chance.choice(NOISE) for value in values)
        if self._chance.random() < BROKEN_OFF_SHARE:
            # Inside the first value, so that none of them is whole.
            await self._send_in_chunks(connection, octets[:self._chance.randrange(1, len(values[0].octets))])
            return ON_PURPOSE
        await self._send_in_chunks(connection, octets)
        try:
            early = len(connection.recv(1)) == 0
        except BlockingIOError:
            early = False
        if early:
            return EARLY
        connection.shutdown(socket.SHUT_WR)
        answer = await loop.sock_recv(connection, 1)
        return COMPLETE if answer == b'' else 'answered by an octet'

    async def _send_in_chunks(self, connection: socket.socket, octets: bytes) -> None:
        """With pauses now and then, so that a death can find it at every stage."""
        loop = asyncio.get_running_loop()
        slow = self._chance.random() < SLOW_SHARE
        size = -(-len(octets) // self._chance.randint(2, CHUNKS_MAX)) if slow else len(octets)
        for at in range(0, len(octets), size):
            await loop.sock_sendall(connection, octets[at:at + size])
            if slow:
                await asyncio.sleep(self._chance.uniform(0, 0.01))
