#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client, written from spec/protocol.md alone: events on standard output, commands on standard input (section 11)."""
import asyncio, json, os, random, signal, socket, sys, time
from typing import Any

from wire import FROM_HUB, Connection, read_options

OWED = {'REGISTER': {'instance', 'hub_pid', 'epoch', 'heartbeat_ms', 'timeout_ms', 'active'},  # by ACK
        'CLAIM_ACTIVE': {'active'}, 'RELEASE_ACTIVE': {'active'}, 'UNREGISTER': set()}

def tell(event: str, **members: Any) -> None:
    print(json.dumps({'event': event, **members}), flush=True)

class Client(Connection):
    """Has one connection after the other; what outlives them is set in __init__()."""
    taken, limit = FROM_HUB, 67108864

    def __init__(self, options: Any):
        self.options, self.instance, self.registered, self.active, self.leaving = options, '', False, False, False
        self.in_hand: dict[str, int] = {}  # imports, and the newest message that each came by; 0: from a lost hub
        self.finished, self.ended = set(), asyncio.Event()

    async def connect(self) -> None:
        loop, sought = asyncio.get_running_loop(), time.monotonic()
        while not self.leaving:
            self.lost, self.pause = asyncio.Event(), random.uniform(0, 0.25)
            try:
                await loop.create_unix_connection(lambda: self, self.options.endpoint)
                await self.lost.wait()
                sought = time.monotonic()
            except OSError:
                if time.monotonic() - sought >= self.options.timeout_ms / 1e3:
                    sought = time.monotonic()
                    with socket.socket() as probe:
                        if probe.connect_ex(('127.0.0.1', self.options.port)) == 0:
                            tell('error', message=f'something that is not a hub has port {self.options.port}')
            await asyncio.sleep(self.pause)

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.timeout, self.asked = self.options.timeout_ms / 1e3, {}
        body = {'protocol': 1, 'pid': os.getpid(), 'name': self.options.name, 'window': 4}
        self.ask('REGISTER', **body, **({'instance': self.instance} if self.instance else {}))

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.say_active(None)
        for request in {'CLAIM_ACTIVE', 'RELEASE_ACTIVE'} & set(self.asked.values()):
            tell('error', message=f'{request}: the hub was lost')
        if self.registered and not self.leaving:
            tell('hub-lost')
        self.registered, self.in_hand = False, dict.fromkeys(self.in_hand, 0)
        self.lost.set()

    def ask(self, kind: str, **body: Any) -> None:
        self.asked[self.send(kind, body)] = kind

    async def watch(self) -> None:
        """Gives up a hub that is silent."""
        while True:
            await asyncio.sleep(0.02)
            if self.open and time.monotonic() - self.heard >= self.timeout:
                tell('error', message='the hub does not respond')
                self.close()
                self.transport.abort()

    def take(self, kind: str, number: int, members: dict[str, Any]) -> None:
        request = self.asked.pop(members.get('for'), None)
        if kind == 'HEARTBEAT':
            self.send('ACK', {'for': number})
            self.say_active(members['active'])
        elif kind == 'IMPORT_DATA':
            self.take_import(number, members['import'], members)
        elif kind == 'ERROR' and (request or members['for'] is None):
            self.refused(request, members['code'], members['message'])
        elif kind == 'ACK' and request:
            if not OWED[request] <= set(members):
                raise ValueError('an answer lacks something')
            self.answered(request, members)

    def take_import(self, number: int, name: str, members: dict[str, Any]) -> None:
        if name in self.finished:
            self.send('ACK', {'for': number})
        elif not self.leaving:
            if name not in self.in_hand:
                tell('import', **members)
            self.in_hand[name] = number

    def answered(self, request: str, members: dict[str, Any]) -> None:
        if request == 'REGISTER':
            self.registered, self.instance, self.timeout = True, members['instance'], members['timeout_ms'] / 1e3
            tell('registered', instance=self.instance)
        if request == 'UNREGISTER':
            self.ended.set()
        else:
            self.say_active(members['active'])

    def refused(self, request: str | None, code: str, message: str) -> None:
        tell('error', message=f'{request or "this connection"}: {code}: {message}')
        if code == 'superseded':
            self.instance, self.registered = '', False
        if code == 'superseded' or request == 'REGISTER':
            self.pause = random.uniform(0.25, 0.5)
            self.close()

    def say_active(self, active: str | None) -> None:
        if self.active != (self.registered and active == self.instance):
            self.active = not self.active
            tell('active' if self.active else 'inactive')

    def command(self, line: str) -> None:
        match line.split():
            case ['claim'] | ['release'] if self.registered:
                self.ask(line.upper() + '_ACTIVE')
            case ['claim', instance] if self.registered:
                self.ask('CLAIM_ACTIVE', instance=instance)
            case ['ack', name] if name in self.in_hand:
                self.finished.add(name)
                if number := self.in_hand.pop(name):
                    self.send('ACK', {'for': number})
            case ['refuse', name] if name in self.in_hand:
                if number := self.in_hand.pop(name):
                    self.error(number, 'refused')
            case ['quit']:
                self.leave()
            case _:
                tell('error', message=f'cannot be done: {line}')

    def leave(self) -> None:
        if not self.registered:
            self.ended.set()
        elif not self.leaving:
            self.leaving = True
            self.ask('UNREGISTER')
            asyncio.get_running_loop().call_later(1, self.ended.set)

    async def listen(self) -> None:
        commands = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        while line := await commands.readline():
            self.command(line.decode().strip())
        self.leave()

    async def main(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.leave)
        tasks = [asyncio.create_task(task) for task in (self.connect(), self.watch(), self.listen())]
        await self.ended.wait()

if __name__ == '__main__':
    asyncio.run(Client(read_options(__doc__, 'stops', name='example')).main())
