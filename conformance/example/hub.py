#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hub, written from spec/protocol.md alone, that keeps imports in memory. README.md says what it leaves out."""
import asyncio, contextlib, itertools, json, logging, os, signal, sys, time
from dataclasses import dataclass
from typing import Any

from wire import Connection, Members, Scanner, Wrong, parse, read_options

SIZE_MAX, DEPTH_MAX, SPACE, BOM, BYE = 33554432, 62, b' \t\r\n', b'\xef\xbb\xbf', b'Bye Megascans'

@dataclass(eq=False)
class Import:
    name: str
    array: bytes
    attempt: int = 0
    holder: str = ''  # nobody

class Client(Connection):
    def __init__(self, hub: 'Hub'):
        self.hub, self.instance, self.told, self.listed = hub, '', '', None
        self.in_hand: dict[int, Import] = {}  # by the id of their IMPORT_DATA

    def take(self, kind: str, number: int, members: dict[str, Any]) -> None:
        if kind in ('ACK', 'ERROR'):
            if entry := self.in_hand.pop(members['for'], None):
                self.hub.queue.remove(entry)
                self.hub.parked += kind == 'ERROR'
        elif bool(self.instance) == (kind == 'REGISTER'):
            raise Wrong('already-registered' if self.instance else 'not-registered')
        else:
            request = getattr(self.hub, kind.lower(), None)
            self.send('ACK', {'for': number, **(request(self, **members) if request else {})})
            if kind == 'UNREGISTER':
                self.hub.lose(self)
        self.hub.settle()

    def resume_writing(self) -> None:
        self.hub.settle()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.hub.lose(self)
        self.hub.settle()

class Hub:
    def __init__(self, options: Any):
        self.options, self.active, self.released, self.registered = options, None, False, {}
        self.queue, self.parked, self.bits, self.counts = [], 0, os.urandom(8).hex(), itertools.count(1)

    async def take_values(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What Bridge sends on one connection (section 5)."""
        buffer, scanner, first, why = bytearray(), None, True, 'its end'
        try:
            while not buffer.startswith(BYE) and (data := await reader.read(SIZE_MAX)):
                buffer += data
                if first and len(buffer) < 3 and BOM.startswith(buffer):
                    continue
                buffer, first = buffer.removeprefix(BOM) if first else buffer, False
                buffer = buffer if scanner else buffer.lstrip(SPACE)
                while not BYE.startswith(buffer[:len(BYE)]):  # neither empty nor the beginning of that
                    if buffer[0] not in b'[{':
                        raise ValueError('neither an array nor an object')
                    scanner = scanner or Scanner(DEPTH_MAX - buffer.startswith(b'{'))
                    size = scanner.find_end(buffer)
                    if (size or len(buffer)) > SIZE_MAX:
                        raise ValueError('too large')
                    if size == 0:
                        break
                    self.add(bytes(buffer[:size]))
                    buffer, scanner = buffer[size:].lstrip(SPACE), None
                    self.settle()
        except (ValueError, OSError) as error:
            why = error
        logging.warning('a connection of Bridge ends, and %d octets are dropped: %s', len(buffer), why)
        writer.transport.abort()

    def add(self, value: bytes) -> None:
        assets, array = parse(value), value
        if isinstance(assets, Members):
            assets, array = [assets], b'[' + value + b']'
        if not all(isinstance(asset, Members) for asset in assets):
            raise ValueError('an asset that is no object')
        if assets:
            self.queue.append(Import(f'{self.bits}-{next(self.counts)}', array))

    def instances(self) -> list[Client]:
        return [client for client in self.registered.values() if client.role == 'instance']

    def register(self, client: Client, protocol: int, pid: int, name: str, instance: str = '', window: int = 1,
                 role: str = 'instance') -> dict[str, Any]:
        older = self.registered.get(instance)
        if protocol != 1:
            raise Wrong('unsupported-protocol')
        if older and older.role != role:
            raise Wrong('refused')
        if older:
            older.error(None, 'superseded')
            older.close()
        elif role == 'instance' and not self.instances() and not self.released:
            self.active = instance = instance or os.urandom(8).hex()
        client.instance, client.window, client.role = instance or os.urandom(8).hex(), window, role
        client.public = {'instance': client.instance, 'pid': pid, 'name': name}
        self.registered[client.instance] = client
        return {'instance': client.instance, 'hub_pid': os.getpid(), 'epoch': 1, 'active': self.active,
                'heartbeat_ms': self.options.heartbeat_ms, 'timeout_ms': self.options.timeout_ms}

    def claim_active(self, client: Client, instance: str = '') -> dict[str, Any]:
        claimed = self.registered.get(instance or client.instance)
        if claimed not in self.instances():
            raise Wrong('no-such-instance' if instance else 'refused')
        self.active, self.released = claimed.instance, False
        return {'active': self.active}

    def release_active(self, client: Client) -> dict[str, Any]:
        if not self.active or client.role == 'instance' and self.active != client.instance:
            raise Wrong('not-active')
        self.active, self.released = None, True
        return {'active': None}

    def lose(self, client: Client) -> None:
        client.close()
        if self.registered.get(client.instance) is client:
            del self.registered[client.instance]
            self.active = None if self.active == client.instance else self.active
            for entry in client.in_hand.values():
                entry.holder = ''

    def settle(self) -> None:
        """Tells who is active now, and sends what can be sent."""
        self.tell()
        for entry in self.queue:
            client = self.registered.get(entry.holder or self.active)
            if client and entry not in client.in_hand.values() and len(client.in_hand) < client.window \
                    and not client.transport.get_write_buffer_size():
                entry.attempt, entry.holder = entry.attempt + 1, client.instance
                head = json.dumps({'import': entry.name, 'attempt': entry.attempt})[:-1].encode()
                client.in_hand[client.send('IMPORT_DATA', head + b', "assets": ' + entry.array + b'}')] = entry

    def tell(self, everybody: bool = False) -> None:
        listed, waiting = [one.public for one in self.instances()], sum(not entry.holder for entry in self.queue)
        for client in [*self.registered.values()]:
            if everybody or client.told != self.active:
                body = {'active': self.active, 'waiting': waiting, 'parked': self.parked}
                client.send('HEARTBEAT', body if client.listed == listed else {**body, 'instances': listed})
                client.told, client.listed = self.active, listed

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(self.options.heartbeat_ms / 2e3)
            for client in [*self.registered.values()]:
                if time.monotonic() - client.heard > self.options.timeout_ms / 1e3:
                    client.transport.abort()
            self.tell(everybody=True)

    async def main(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
        await asyncio.start_server(self.take_values, '127.0.0.1', self.options.port, limit=SIZE_MAX)
        with contextlib.suppress(OSError):  # a host without IPv6
            await asyncio.start_server(self.take_values, '::1', self.options.port, limit=SIZE_MAX)
        os.umask(0o177)
        await asyncio.get_running_loop().create_unix_server(lambda: Client(self), self.options.endpoint)
        with contextlib.suppress(asyncio.CancelledError):
            await self.tick()
        os.unlink(self.options.endpoint)

if __name__ == '__main__':
    options = read_options(__doc__, 'spool state groups takeover also-port resume limits resets stops at-once')
    try:
        asyncio.run(Hub(options).main())
    except OSError as error:
        sys.exit(f'no hub at {options.endpoint}: {error}')
