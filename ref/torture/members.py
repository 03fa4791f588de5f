# SPDX-License-Identifier: MIT
"""The processes: one in each slot, started again after its death, acknowledging what it is given."""
from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from typing import Any, Callable, Coroutine

import judge
import payload
from ledger import Handing, Journal, Ledger, Life
from place import Place
from process import Process

PROCESSES = 5  # one hub and four clients
WINDOWS = (1, 1, 2, 4)  # imports that a client takes at once
ACK_SECONDS = 0.05      # at most, from an import to its ACK
HEAVY_SECONDS = 1.0     # ... of one that is heavy: many die of it, and it may be parked
HEAVY_SHARE = 0.03
RESTART_SECONDS = 0.25  # at most, from a death to the next start
LOOK_SECONDS = 0.01
RESUME_SHARE = 0.5      # of the starts, those that go on as the instance that died


class Members:
    def __init__(self, place: Place, ledger: Ledger, journal: Journal, chance_of: Callable[[str], random.Random],
                 supervised: bool, refuse_share: float) -> None:
        self._place = place
        self._ledger = ledger
        self._journal = journal
        self._chance_of = chance_of
        self._supervised = supervised
        self._refuse_share = refuse_share
        self._slots: list[Process | None] = [None] * PROCESSES
        self._instances: list[str | None] = [None] * PROCESSES
        self._started = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False

    # ---- starting

    def _argv(self, slot: int, chance: random.Random) -> list[str]:
        # Without a supervisor the first process is a hub for as long as it lives; after that every one is a client.
        if slot == 0 and (self._supervised or self._started == 0):
            return self._place.serve()
        resume = self._instances[slot] if chance.random() < RESUME_SHARE else None
        return self._place.client('slot %d' % slot, resume, chance.choice(WINDOWS), not self._supervised)

    async def start(self, slot: int) -> None:
        number = self._started + 1
        chance = self._chance_of('process %d' % number)
        argv = self._argv(slot, chance)
        self._started = number
        process = Process(number, slot, argv, chance)
        await process.start(self._log(process), self._place.environment())
        # Under Wine it has an id of Windows too, which it tells.
        pid = 0 if self._place.is_windows else process.pid
        self._ledger.lives[process.number] = Life(process.number, pid, slot, was_hub='serve' in argv)
        self._slots[slot] = process
        self._journal.say('process %d is started in slot %d, pid %d: %s' % (
            process.number, slot, process.pid, ' '.join(argv[1:])))
        self._keep(self._attend(process))

    def _log(self, process: Process) -> str:
        return os.path.join(self._place.logs, '%d-%05d.log' % (process.slot, process.number))

    def _good_ends(self, process: Process) -> set[int]:
        """The statuses of one that was told to end. It may not have listened to signals yet; and Wine kills what has not exited
        half a second later."""
        early = set() if process.instance else {-self._place.end_signal}
        return {0, *early, -signal.SIGKILL} if self._place.is_windows else {0, *early}

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self._ledger.faults.append('this driver failed: %r' % task.exception())

    async def _attend(self, process: Process) -> None:
        status = await process.listen(self._take)
        if self._place.is_windows and status == 1 and not process.instance and not os.path.getsize(self._log(process)):
            self._journal.say('process %d did not start: Wine ends one in some thousand at once' % process.number)
        elif not process.killed and not process.ending:
            self._ledger.faults.append('process %d ended by itself, with status %d (its log is %d-%05d.log)' % (
                process.number, status, process.slot, process.number))
            self._ledger.lives[process.number].died = time.monotonic()
        elif not process.killed and status not in self._good_ends(process):
            self._ledger.faults.append('process %d, told to end, did so with status %d' % (process.number, status))
        await asyncio.sleep(0 if self._ending else process.chance.uniform(0, RESTART_SECONDS * self._place.pace))
        if not self._ending:
            await self.start(process.slot)

    # ---- what they say

    def _take(self, process: Process, event: dict[str, Any]) -> None:
        kind = event['event']
        if kind == 'registered':
            self._registered(process, event)
        elif kind == 'import':
            self._handed_up(process, event)
        elif kind in ('active', 'inactive'):
            process.is_active = kind == 'active'
        elif kind == 'error':
            self._journal.say('process %d: error: %s' % (process.number, event['message']))

    def _registered(self, process: Process, event: dict[str, Any]) -> None:
        now = time.monotonic()
        self._ledger.lives[process.number].pid = event['pid']
        self._ledger.note_hub(event['hub_pid'])
        process.instance = self._instances[process.slot] = event['instance']
        if process.hub_killed_at is not None and event['hub_pid'] != process.hub_pid:
            self._ledger.registered_after.append(now - process.hub_killed_at)
            process.hub_killed_at = None
        process.hub_pid = event['hub_pid']
        self._journal.say('process %d is instance %s of hub %d, epoch %d' % (
            process.number, process.instance, process.hub_pid, event['epoch']))

    def _handed_up(self, process: Process, event: dict[str, Any]) -> None:
        export = payload.export_of(event['assets'])
        octets = event['assets'].encode()
        wrong = judge.check_content(self._ledger.exports, export, len(octets), payload.checksum(octets))
        if wrong:
            self._ledger.faults.append('import %s, process %d: %s' % (event['import'], process.number, wrong))
        handing = Handing(export or '', event['import'], event['attempt'], process.number, time.monotonic())
        self._ledger.handings.append(handing)
        self._journal.say('process %d is given import %s, attempt %d: %s' % (
            process.number, handing.import_id, handing.attempt, export))
        is_heavy = self._chance_of(handing.export).random() < HEAVY_SHARE
        delay = process.chance.uniform(0, HEAVY_SECONDS if is_heavy else ACK_SECONDS)
        asyncio.get_running_loop().call_later(delay, self._answer, process, handing)

    def _answer(self, process: Process, handing: Handing) -> None:
        refuses = process.chance.random() < self._refuse_share
        if process.command('%s %s' % ('refuse' if refuses else 'ack', handing.import_id)):
            if refuses:
                handing.refused = True
            else:
                self._ledger.acknowledge(handing)
            self._journal.say('process %d %s import %s' % (
                process.number, 'refuses' if refuses else 'acknowledges', handing.import_id))

    # ---- what is done to them

    def living(self) -> list[Process]:
        return [process for process in self._slots if process and process.lives]

    def instances(self) -> list[Process]:
        """Those that could be active."""
        return [process for process in self.living() if process.instance]

    def kill_one(self, slot: int) -> None:
        """In that slot, or the next that lives."""
        living = self.living()
        if not living:
            return
        victim = min(living, key=lambda process: (process.slot - slot) % PROCESSES)
        at = victim.kill()
        life = self._ledger.lives[victim.number]
        life.died, life.killed = at, True
        for process in living:
            if process.hub_pid == life.pid and process.hub_killed_at is None and process is not victim:
                process.hub_killed_at = at
        self._journal.say('process %d is killed%s' % (
            victim.number, ', the hub' if life.was_hub else ''))

    def all_live(self) -> bool:
        return len(self.living()) == PROCESSES

    def active(self) -> list[str | None]:
        """The instances that take themselves to be active."""
        return [process.instance for process in self.living() if process.is_active]

    async def end(self) -> None:
        """By a signal, all at once. The hub may end before its clients, one of which is the hub then."""
        self._ending = True
        while self._tasks:  # one may be just being started
            living = self.living()
            for process, ended in zip(living, await asyncio.gather(*(process.end(self._place.end_signal) for process in living))):
                if not ended:
                    self._ledger.faults.append('process %d did not end when it was told to' % process.number)
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=LOOK_SECONDS)
