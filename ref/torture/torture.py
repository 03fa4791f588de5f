#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills hubs and clients at random, by SIGKILL, under a stream of exports, and looks for every export afterwards.

Exit status: 0 all is well; 1 an export was lost, came twice or out of order, or something else was wrong (the directory
with all logs is kept then); 2 usage.
"""
from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from typing import Callable

import report
import story
from judge import Verdict, judge
from ledger import Journal, Ledger
from members import PROCESSES, Members
from payload import Payloads, export_of
from place import NORMAL, QUICK, Place
from sender import Sender, Senders
from watch import Watch

SENDERS = 4
KILL_SECONDS = (0.05, 0.2)
NOBODY_SECONDS = (0.0, 0.3)  # how long nobody may be active until somebody claims
CLAIM_SECONDS = (0.5, 2.0)   # between claims of those who need not
LOOK_SECONDS = 0.01
READY_SECONDS = 20.0
STORIES_MAX = 3
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class NotReady(Exception):
    pass


class Torture:
    def __init__(self, options: argparse.Namespace, place: Place) -> None:
        self._options = options
        self._place = place
        self.ledger = Ledger()
        self.journal = Journal(place.directory)
        self.held_up = 0.0
        self._exports = 0
        self._watch = Watch(self.ledger, self.journal)
        self._members = Members(place, self.ledger, self.journal, self._chance, options.supervised,
                                options.refuse / 100)
        shared = Senders(place.port, Payloads(options.payloads), self.ledger, self.journal, self._next_export,
                         lambda: self._watch.waiting or 0)
        self._senders = [Sender(shared, self._chance('sender %d' % i)) for i in range(SENDERS)]

    def _chance(self, what: str) -> random.Random:
        """Each draws for itself, so that what one does changes nothing for the others."""
        return random.Random('%d %s' % (self._options.seed, what))

    def _next_export(self) -> int:
        self._exports += 1
        return self._exports

    # ---- what goes on all the time

    async def _kill(self, until: float) -> None:
        chance = self._chance('kills')
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(*KILL_SECONDS) * self._place.pace)
            self._members.kill_one(chance.randrange(PROCESSES))

    async def _claim(self) -> None:
        """For somebody to be active most of the time, and not always the same."""
        chance = self._chance('claims')
        nobody_since: float | None = None
        patience, next_claim = chance.uniform(*NOBODY_SECONDS), time.monotonic() + chance.uniform(*CLAIM_SECONDS)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            if self._watch.waiting is None or self._watch.active is not None:
                nobody_since = None
            elif nobody_since is None:
                nobody_since = now
            due = (nobody_since is not None and now - nobody_since >= patience) or now >= next_claim
            if due and self._members.instances():
                one, other = (chance.choice(self._members.instances()) for _ in range(2))
                one.command('claim' if one is other else 'claim %s' % other.instance)
                nobody_since = None
                patience, next_claim = chance.uniform(*NOBODY_SECONDS), now + chance.uniform(*CLAIM_SECONDS)

    async def _measure_itself(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)
            self.held_up = max(self.held_up, time.monotonic() - before - LOOK_SECONDS)

    # ---- the phases

    async def _begin(self) -> None:
        await self._watch.start(self._place)
        await self._members.start(0)
        await self._wait_for('a hub', lambda: self._watch.waiting is not None)
        for slot in range(1, PROCESSES):
            await self._members.start(slot)
        await self._wait_for('a client', lambda: len(self._members.instances()) > 0)

    async def _wait_for(self, what: str, is_there: Callable[[], bool]) -> None:
        until = time.monotonic() + READY_SECONDS * self._place.pace
        while not is_there():
            if self.ledger.faults or time.monotonic() > until:
                raise NotReady('the beginning: there is not %s' % what)
            await asyncio.sleep(LOOK_SECONDS)

    async def _rest(self) -> None:
        """Until nothing waits and all agree, as long as it goes on: a reservation can hold it up for a time-out."""
        patience = 4 * self._place.timing.timeout_ms / 1000 + 10
        left, until = self.ledger.under_way(), time.monotonic() + patience
        while not self._is_at_rest():
            if self.ledger.under_way() != left:
                left, until = self.ledger.under_way(), time.monotonic() + patience
            if time.monotonic() > until:
                self.ledger.faults.append('no rest: the hub says that %s is active, and %s say so of themselves' % (
                    self._watch.active, self._members.active()))
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _is_at_rest(self) -> bool:
        return (self._members.all_live() and not self._place.spooled('queue') and self._watch.waiting == 0
                and self._watch.active is not None and self._members.active() == [self._watch.active])

    async def run(self) -> None:
        background = [asyncio.ensure_future(self._measure_itself())]
        try:
            await self._begin()
            background.append(asyncio.ensure_future(self._claim()))
            sending = [asyncio.ensure_future(sender.run()) for sender in self._senders]
            await self._kill(time.monotonic() + self._options.seconds)
            self._watch.ended = True
            self.journal.say('nobody is killed any more')
            for sender in self._senders:
                sender.stopping = True
            await asyncio.gather(*sending)
            await self._rest()
        finally:
            for task in background:
                task.cancel()
            for ended in await asyncio.gather(*background, return_exceptions=True):
                if not isinstance(ended, asyncio.CancelledError):
                    self.ledger.faults.append('this driver failed: %r' % ended)
            await self._members.end()
            await self._watch.end()

    def verdict(self) -> Verdict:
        return judge(self.ledger, self._spooled('queue'), self._spooled('parked'))

    def _spooled(self, directory: str) -> dict[str, str | None]:
        found = {}
        for name in self._place.spooled(directory):
            with open(os.path.join(self._place.spool, directory, name), encoding='utf-8', errors='replace') as file:
                found[name] = export_of(file.read(100))
        return found


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', default=os.path.join(TREE, 'build/release/bridgehub'), help='bridgehub')
    parser.add_argument('--wine', help='the program is one for Windows, and started by this')
    parser.add_argument('--payloads', default=os.path.join(TREE, 'spec/payloads'), help='what exports are made of')
    parser.add_argument('--seconds', type=float, default=60, help='how long to go on killing (60)')
    parser.add_argument('--seed', type=int, help='fixes the random choices, though not who is faster')
    parser.add_argument('--quick', action='store_true', help='heartbeat %d ms and time-out %d ms, not %d and %d' % (
        QUICK.heartbeat_ms, QUICK.timeout_ms, NORMAL.heartbeat_ms, NORMAL.timeout_ms))
    parser.add_argument('--supervised', action='store_true',
                        help='the hub is a process of its own, started again after its death; no client may serve')
    parser.add_argument('--refuse', type=float, default=0, metavar='PERCENT',
                        help='how many imports are refused, and parked (0)')
    parser.add_argument('--keep', action='store_true', help='keep the directory with all logs, whatever comes')
    options = parser.parse_args(arguments)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    return options


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    timing = QUICK if options.quick else NORMAL
    place = Place(options.program, timing, options.wine)
    print('torture: seed %d, %g s, %d processes, heartbeat %d ms, time-out %d ms%s' % (
        options.seed, options.seconds, PROCESSES, timing.heartbeat_ms, timing.timeout_ms,
        ', the hub a process of its own' if options.supervised else ''), flush=True)
    asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
    torture = Torture(options, place)
    try:
        asyncio.run(torture.run())
    except NotReady as error:
        torture.ledger.faults.append(str(error))
    except KeyboardInterrupt:
        print('interrupted; all logs are in %s' % place.directory)
        return 1
    torture.journal.close()
    verdict = torture.verdict()
    told = report.lines(torture.ledger, verdict, torture.held_up)
    for export in verdict.lost[:STORIES_MAX]:
        told += story.tell(place, torture.ledger, export)
    longest = max(torture.ledger.gaps, key=lambda gap: gap[1] - gap[0], default=(0.0, 0.0))
    if longest[1] - longest[0] > report.GOAL_GAP_MS / 1000:
        told += story.tell_gap(place, longest)
    print('\n'.join(told))
    if verdict.is_good and not options.keep:
        place.remove()
    else:
        print('all logs are in %s' % place.directory)
    print('%d lost' % len(verdict.lost))
    return 0 if verdict.is_good else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
