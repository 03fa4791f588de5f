#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client, written from spec/protocol.md alone: events on standard output, commands on standard input (section 11)."""
import argparse, asyncio, json, os, random, signal, socket, sys, time
from typing import Any

from wire import ANSWERS, INT32, Break, Connection, Kind, Members, instance_id, integer, nullable, read_body, string

NUMBER, ACTIVE = integer(0, INT32), nullable(instance_id)
INSTANCE = {'instance': instance_id, 'pid': NUMBER, 'name': string(1, 256)}
TAKEN: dict[str, dict[str, Kind]] = {
    'HEARTBEAT': {'active': ACTIVE, 'waiting': NUMBER, 'parked': NUMBER, 'problem?': string(1, 1024),
                  'instances?': lambda value: type(value) is list and all(map(is_instance, value))},
    'IMPORT_DATA': {'import': string(1, 64), 'attempt': integer(1, INT32), 'assets': lambda value: type(value) is list},
    'ACK': {**ANSWERS['ACK'], 'instance?': instance_id, 'hub_pid?': NUMBER, 'epoch?': integer(0, 2 ** 53 - 1),
            'heartbeat_ms?': NUMBER, 'timeout_ms?': NUMBER, 'active?': ACTIVE},
    'ERROR': ANSWERS['ERROR'],
}
# What the ACK of a request has to have.
OWED = {'REGISTER': {'instance', 'hub_pid', 'epoch', 'heartbeat_ms', 'timeout_ms', 'active'},
        'CLAIM_ACTIVE': {'active'}, 'RELEASE_ACTIVE': {'active'}, 'UNREGISTER': set()}

def is_instance(value: Any) -> bool:
    named = [member for member in value if member[0] in INSTANCE] if isinstance(value, Members) else []
    return len(named) == 3 == len(dict(named)) and all(INSTANCE[name](member) for name, member in named)

def tell(event: str, **members: Any) -> None:
    print(json.dumps({'event': event, **members}), flush=True)

class Hub(Connection):
    """A connection to a hub, from REGISTER to its end."""
    limit = 67108864

    def __init__(self, client: 'Client'):
        self.client, self.ended, self.asked, self.registered, self.active = client, asyncio.Event(), {}, False, False
        self.pause = random.uniform(0, 0.25)  # before the next one

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.heartbeat, self.timeout = self.client.options.heartbeat_ms / 1e3, self.client.options.timeout_ms / 1e3
        body = {'protocol': 1, 'pid': os.getpid(), 'name': self.client.options.name, 'window': 4}
        self.ask('REGISTER', {**body, 'instance': self.client.instance} if self.client.instance else body)
        self.watch(self.heard)

    def ask(self, kind: str, body: dict[str, Any]) -> None:
        self.asked[self.send(kind, body)] = kind

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.say_active(None)
        for request in {'CLAIM_ACTIVE', 'RELEASE_ACTIVE'} & set(self.asked.values()):
            tell('error', message=f'{request}: the hub was lost')
        if self.registered and not self.client.leaving:
            tell('hub-lost')
        self.registered = False
        self.ended.set()

    def watch(self, due: float) -> None:
        """Gives up a hub that is silent, but not where it was this process that did not run."""
        now = time.monotonic()
        self.heard = now if now - due >= self.heartbeat else self.heard
        if now - self.heard >= self.timeout:
            tell('error', message='the hub does not respond')
            self.open = False
            self.transport.abort()
        elif not self.ended.is_set():
            due = min(self.heard + self.timeout, now + self.heartbeat)
            asyncio.get_running_loop().call_later(due - now, self.watch, due)

    def handle(self, kind: str, number: int, body: bytes) -> None:
        try:
            if kind not in TAKEN:
                ours = kind in ('REGISTER', 'UNREGISTER', 'CLAIM_ACTIVE', 'RELEASE_ACTIVE')
                return self.error(number, 'unexpected' if ours else 'unknown-type')
            members = read_body(body, TAKEN[kind])
            request = self.asked.pop(members.get('for'), None)
            if kind == 'ACK' and request and not OWED[request] <= set(members):
                raise ValueError('an answer lacks something')
        except ValueError as wrong:
            if kind in ANSWERS: raise Break('malformed', number) from wrong
            return self.error(number, 'bad-body', str(wrong))
        if kind == 'HEARTBEAT':
            self.send('ACK', {'for': number})
            self.say_active(members['active'])
        elif kind == 'IMPORT_DATA':
            self.client.take(number, members['import'], members['attempt'], members['assets'])
        elif kind == 'ERROR' and (request or members['for'] is None):
            self.refused(request, members['code'], members['message'])
        elif kind == 'ACK' and request:
            self.answered(request, members)

    def answered(self, request: str, members: dict[str, Any]) -> None:
        if request == 'REGISTER':
            self.registered, self.client.instance = True, members['instance']
            self.heartbeat, self.timeout = members['heartbeat_ms'] / 1e3, members['timeout_ms'] / 1e3
            tell('registered', instance=members['instance'])
            self.watch(self.heard)
        if request == 'UNREGISTER':
            self.client.ended.set()
        else:
            self.say_active(members['active'])

    def refused(self, request: str | None, code: str, message: str) -> None:
        tell('error', message=f'{request or "this connection"}: {code}: {message}')
        if code == 'superseded':
            self.say_active(None)
            self.client.instance, self.registered = '', False
        if code == 'superseded' or request == 'REGISTER':
            self.pause = random.uniform(0.25, 0.5)
            self.close()

    def say_active(self, active: str | None) -> None:
        if self.active != (self.registered and active == self.client.instance):
            self.active = not self.active
            tell('active' if self.active else 'inactive')

class Client:
    def __init__(self, options: argparse.Namespace):
        self.options, self.instance, self.leaving, self.hub, self.ended = options, '', False, None, asyncio.Event()
        self.in_hand: dict[str, int] = {}  # imports, and the newest message that each came by; 0: from a lost hub
        self.finished: dict[str, None] = {}

    async def run(self) -> None:
        sought = time.monotonic()
        while True:
            pause = random.uniform(0, 0.25)
            try:
                _, self.hub = await asyncio.get_running_loop().create_unix_connection(
                    lambda: Hub(self), self.options.endpoint)
                await self.hub.ended.wait()
                sought, pause = time.monotonic(), self.hub.pause
            except OSError:
                if time.monotonic() - sought >= self.options.timeout_ms / 1e3:
                    sought = time.monotonic()
                    with socket.socket() as probe:
                        if probe.connect_ex(('127.0.0.1', self.options.port)) == 0:
                            tell('error', message=f'something that is not a hub has port {self.options.port}')
            self.hub, self.in_hand = None, dict.fromkeys(self.in_hand, 0)
            if self.leaving:
                self.ended.set()
            await asyncio.sleep(pause)

    def take(self, number: int, name: str, attempt: int, assets: bytes) -> None:
        if name in self.finished:
            self.hub.send('ACK', {'for': number})
        elif not self.leaving:
            if name not in self.in_hand:
                tell('import', **{'import': name, 'attempt': attempt, 'assets': assets.decode()})
            self.in_hand[name] = number

    def command(self, line: str) -> None:
        match line.split():
            case ['claim' | 'release' as verb, *ids] if self.is_registered() and len(ids) <= (verb == 'claim'):
                self.hub.ask(verb.upper() + '_ACTIVE', {'instance': ids[0]} if ids else {})
            case ['ack' | 'refuse' as verb, name] if name in self.in_hand:
                number = self.in_hand.pop(name)
                if verb == 'ack':
                    self.finished[name] = None
                    for oldest in [*self.finished][:-1024]:
                        del self.finished[oldest]
                if number and verb == 'ack':
                    self.hub.send('ACK', {'for': number})
                elif number:
                    self.hub.error(number, 'refused')
            case ['quit']:
                self.leave()
            case _:
                tell('error', message=f'cannot be done: {line}')

    def is_registered(self) -> bool:
        return self.hub is not None and self.hub.registered

    def leave(self) -> None:
        if not self.is_registered():
            self.ended.set()
        elif not self.leaving:
            self.leaving = True
            self.hub.ask('UNREGISTER', {})
            asyncio.get_running_loop().call_later(1, self.ended.set)

    async def listen(self, commands: asyncio.StreamReader) -> None:
        while line := await commands.readline():
            self.command(line.decode().strip())
        self.leave()

    async def main(self) -> None:
        loop, commands = asyncio.get_running_loop(), asyncio.StreamReader()
        loop.add_signal_handler(signal.SIGTERM, self.leave)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        tasks = [asyncio.create_task(self.run()), asyncio.create_task(self.listen(commands))]
        await asyncio.wait([*tasks[:1], asyncio.create_task(self.ended.wait())], return_when=asyncio.FIRST_COMPLETED)

def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (('endpoint', ''), ('port', 24981), ('name', 'example'), ('heartbeat-ms', 1000),
                          ('timeout-ms', 5000)):
        parser.add_argument('--' + name, type=type(default), default=default)
    asyncio.run(Client(parser.parse_args()).main())

if __name__ == '__main__':
    main()
