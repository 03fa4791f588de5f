#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hub, written from spec/protocol.md alone. README.md says what it leaves out."""
import argparse
import asyncio
import fcntl
import json
import os
import re
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, AsyncIterator

from wire import ANSWERS, ARRAY, INSTANCE_ID, INT32, OBJECT, SPACE, Break, Connection, Kind, Source, instance_id, \
    integer, read_body, string

RESET, ORDERLY = struct.pack('ii', 1, 0), struct.pack('ii', 0, 0)  # SO_LINGER: how a close looks to the peer
SIZE_MAX = 33554432  # of a value from Bridge
ROLES = {'instance': 256, 'observer': 64}  # and how many can register
REQUESTS: dict[str, dict[str, Kind]] = {
    'REGISTER': {'protocol': integer(0, INT32), 'pid': integer(0, INT32), 'name': string(1, 256),
                 'instance?': instance_id, 'window?': integer(1, 64),
                 'role?': lambda role: isinstance(role, str) and role in ROLES},
    'UNREGISTER': {}, 'CLAIM_ACTIVE': {'instance?': instance_id}, 'RELEASE_ACTIVE': {}, 'HEARTBEAT': {},
}
FILE = re.compile(r'([0-9]{20})\.([0-9a-f]{16}-[1-9][0-9]{0,19})\.(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,9})'
                  r'\.([A-Za-z0-9-]{1,64}|_)\.json')


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def read_file(path: Path) -> bytes:
    """OSError where it is no regular file of our own."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), 'rb') as file:
        if os.fstat(file.fileno()).st_uid != os.getuid() or not os.path.isfile(file.fileno()):
            raise OSError('no file of ours')
        return file.read(SIZE_MAX + 2)


async def imports(source: Source) -> AsyncIterator[bytes]:
    """The arrays that Bridge sends; EOFError where the end cuts one short, ValueError at a wrong octet."""
    source.depth_max, source.size_max, first = 62, SIZE_MAX, True
    while True:
        source.take()
        try:
            octet = await source.peek()
        except EOFError:
            return
        if octet in SPACE:
            await source.next(SPACE)
        elif octet == ord('B'):
            await source.word(b'Bye Megascans')
            return
        elif octet == 0xEF and first:
            await source.word(b'\xef\xbb\xbf')
        else:
            await source.value(1 if octet == ARRAY else 2, b'[{')
            array = source.take() if octet == ARRAY else b'[' + source.take() + b']'
            if array[1:-1].strip(SPACE):
                yield array
        first = False


@dataclass(eq=False)
class Import:
    path: Path
    sequence: int
    name: str
    attempt: int
    deaths: int
    holder: str  # '_': nobody
    on: 'Client | None' = None  # the connection on which it waits for an answer
    ended: str = ''  # 'done' or 'parked', for as long as the spool does not show it


class Spool:
    """The imports, as files and in memory, in their order (section 6.1)."""

    def __init__(self, root: Path):
        self.root, self.count, self.bits = root, 0, os.urandom(8).hex()
        self.queue: list[Import] = []
        self.make()
        self.lock = open(root / 'lock', 'a')
        fcntl.lockf(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in (root / 'tmp').iterdir():
            if path.is_symlink() or not path.is_dir():
                path.unlink()
        self.take_over('queue')
        self.last = max([int(path.name[:20]) for path in root.glob('*/*') if FILE.fullmatch(path.name)], default=0)

    def make(self) -> None:
        """OSError where something is in the way, or cannot be written."""
        for path in self.root, *(self.root / name for name in ('queue', 'parked', 'retry', 'tmp')):
            path.mkdir(mode=0o700, exist_ok=True)
        (self.root / 'tmp' / 'try').write_bytes(b'')
        (self.root / 'tmp' / 'try').unlink()

    def take_over(self, directory: str) -> None:
        """What fits section 6.1 joins the queue; all else is left alone."""
        for path in (self.root / directory).iterdir():
            fields = FILE.fullmatch(path.name)
            try:
                source = Source(None, read_file(path), depth_max=62)
                source.value(1, b'[').send(None)
            except (OSError, ValueError, EOFError):
                fields = None
            except StopIteration:
                fields = fields if source.at == len(source.buffer) else None
            if fields is None:
                log(f'{ascii(str(path))} is left alone: it is no import')
                continue
            entry = Import(path, int(fields[1]), fields[2], int(fields[3]), int(fields[4]), fields[5])
            if directory != 'queue':
                self.record(entry, deaths=0, holder='_')
            self.queue.append(entry)
        self.queue.sort(key=lambda entry: entry.sequence)

    def add(self, array: bytes) -> None:
        self.count += 1
        part = self.root / 'tmp' / str(self.count)
        part.write_bytes(array)
        entry = Import(part, self.last + 1, f'{self.bits}-{self.count}', 0, 0, '_')
        self.record(entry)
        self.last += 1
        self.queue.append(entry)

    def record(self, entry: Import, directory: str = 'queue', **changes: Any) -> None:
        """Renames its file for what changes about an import; OSError, and nothing has changed."""
        new = {**vars(entry), **changes}
        path = self.root / directory / '{sequence:020}.{name}.{attempt}.{deaths}.{holder}.json'.format(**new)
        entry.path.rename(path)
        vars(entry).update(changes, path=path)

    def clear(self) -> None:
        for entry in [entry for entry in self.queue if entry.ended]:
            if entry.ended == 'done':
                entry.path.unlink(missing_ok=True)
            else:
                self.record(entry, 'parked', holder='_')
            self.queue.remove(entry)

    def counts(self) -> dict[str, int]:
        parked = sum(FILE.fullmatch(path.name) is not None for path in (self.root / 'parked').glob('*'))
        return {'waiting': sum(entry.holder == '_' for entry in self.queue), 'parked': parked}


class Refused(Exception):
    """A request gets an ERROR: its code, and a message."""


class Client(Connection):
    instance = name = role = ''
    pid, window, unsent, deferred = 0, 1, False, False
    told: Any = None  # who was active, and what the problem was
    told_instances = -1

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        super().__init__(reader, writer, 65536)
        self.opened = self.source.heard
        self.in_hand: dict[int, Import] = {}  # by the id of their message

    def takes_imports(self) -> bool:
        return self.role == 'instance' and len(self.in_hand) < self.window and not self.unsent

    def error(self, answered: int | None, code: str, text: str = 'see spec/protocol.md') -> None:
        self.send('ERROR', {'for': answered, 'code': code, 'message': text})

    def public(self) -> dict[str, Any]:
        return {'instance': self.instance, 'pid': self.pid, 'name': self.name}


class Hub:
    def __init__(self, options: argparse.Namespace, spool: Spool):
        self.options, self.spool = options, spool
        self.period, self.timeout = options.heartbeat_ms / 1000, options.timeout_ms / 1000
        self.clients: set[Client] = set()
        self.registered: dict[str, Client] = {}
        self.changes = 0  # of who is registered
        self.active: str | None = None
        self.released = False
        self.problem: str | None = None
        self.senders: dict[Source, asyncio.StreamWriter] = {}
        self.born = self.looked = time.monotonic()
        self.written: Any = None  # what the state file says
        self.epoch, self.former = self.read_state()
        self.former_until = self.born + self.timeout
        # Whose imports are given back, when, and how many deaths that is.
        self.gone = {entry.holder: (self.former_until, 1) for entry in spool.queue if entry.holder != '_'}

    # ---- State file (section 8)

    def read_state(self) -> tuple[int, str | None]:
        try:
            state = json.loads(read_file(self.options.state))
            epoch, active = state['epoch'], state['active_instance']
            if state['version'] != 1 or not integer(0, 2 ** 53 - 2)(epoch):
                raise ValueError('absurd')
            return epoch + 1, active and str(active['instance'])
        except FileNotFoundError:
            return 1, None
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            log(f'the former state file is of no use: {ascii(str(error))}')
            return 1, None

    def write_state(self, hub_pid: int | None = os.getpid()) -> None:
        instances = [client for client in self.registered.values() if client.role == 'instance']
        awake = time.time() - time.monotonic()
        active = self.registered.get(self.active)
        state = {'version': 1, 'hub_pid': hub_pid, 'epoch': self.epoch, 'port': self.options.port,
                 'active_instance': active and active.public(),
                 'registered_instances': [{**client.public(), 'last_seen': int(awake + client.source.heard)}
                                          for client in instances],
                 **self.spool.counts(), 'last_update': int(time.time())}
        if self.problem:
            state['problem'] = self.problem
        part = self.options.state.with_name(self.options.state.name + '.new')
        try:
            part.unlink(missing_ok=True)
            with open(part, 'x') as file:
                json.dump(state, file)
            part.rename(self.options.state)
        except OSError as error:
            log(f'the state file cannot be written: {ascii(str(error))}')
        self.written = (self.active, self.changes)

    # ---- Time (section 9)

    def now(self) -> float:
        """The time; and everybody gets a fresh time-out where this process was not running meanwhile."""
        now = time.monotonic()
        if now - self.looked > 1.5 * self.period:
            for client in self.clients:
                client.source.heard = client.opened = now
            for source in self.senders:
                source.heard = now
            self.gone = {instance: (now + self.timeout, deaths) for instance, (_, deaths) in self.gone.items()}
            self.former_until = now + self.timeout
        self.looked = now
        return now

    def tick(self) -> None:
        now = self.now()
        for client in [*self.clients]:
            if now - (client.source.heard if client.instance else client.opened) > self.timeout:
                log(f'{client.name!a} is silent')
                self.lose(client)
        for source, writer in self.senders.items():
            if now - source.heard > 6 * self.timeout:
                writer.transport.abort()
        alone = [client for client in self.registered.values() if client.role == 'instance']
        if now - self.born >= self.timeout and len(alone) == 1 and alone[0].deferred and not (self.active or self.released):
            self.active, self.former, alone[0].deferred = alone[0].instance, None, False
        try:
            self.spool.make()
            self.spool.take_over('retry')
            self.problem = None
        except OSError as error:
            self.problem = str(error)[:200]
        self.settle()
        self.write_state()
        for client in self.registered.values():
            self.beat(client)

    # ---- Clients (sections 3 and 4)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(reader, writer)
        try:
            if sum(not other.instance for other in self.clients) == 64:
                raise Break('overloaded', None)
            self.clients.add(client)
            while client in self.clients:
                self.receive(client, *await client.receive())
                self.settle()
        except Break as broken:
            client.error(broken.args[1], broken.args[0])
        except (EOFError, OSError):
            pass
        self.lose(client)
        self.settle()

    def receive(self, client: Client, kind: str, number: int, body: bytes) -> None:
        self.now()
        try:
            if kind in ANSWERS:
                try:
                    entry = client.in_hand.pop(read_body(body, ANSWERS[kind])['for'], None)
                except ValueError as wrong:
                    raise Break('malformed', number) from wrong
                if entry:
                    entry.on, entry.ended = None, 'done' if kind == 'ACK' else 'parked'
                return
            if kind not in REQUESTS:
                raise Refused('unexpected' if kind == 'IMPORT_DATA' else 'unknown-type')
            members = read_body(body, REQUESTS[kind])
            if bool(client.instance) == (kind == 'REGISTER'):
                raise Refused('already-registered' if client.instance else 'not-registered')
            answer = getattr(self, kind.lower())(client, **members)
        except Refused as refused:
            client.error(number, refused.args[0])
        except ValueError as wrong:
            client.error(number, 'bad-body', str(wrong))
        else:
            if self.written != (self.active, self.changes):
                self.write_state()
            client.send('ACK', {'for': number, **answer})
            if kind == 'UNREGISTER':
                self.lose(client, left=True)

    def register(self, client: Client, protocol: int, pid: int, name: str, instance: str = '', window: int = 1,
                 role: str = 'instance') -> dict[str, Any]:
        if protocol != 1:
            raise Refused('unsupported-protocol')
        older = self.registered.get(instance)
        if older and older.role != role:
            raise Refused('refused')
        if not older and sum(other.role == role for other in self.registered.values()) == ROLES[role]:
            raise Refused('overloaded')
        if older:
            older.error(None, 'superseded')
            self.lose(older)
        alone = all(other.role != 'instance' for other in self.registered.values())
        client.instance, client.pid, client.name = instance or os.urandom(8).hex(), pid, name
        client.window, client.role = window, role
        self.registered[client.instance] = client
        self.changes += 1
        self.gone.pop(instance, None)
        now = self.now()
        if role == 'instance' and self.active is None:
            if instance and self.former == instance and now < self.former_until:
                self.active = instance
            elif instance and now < self.born + self.timeout:
                client.deferred = True
            elif alone and not self.released:
                self.active = client.instance
        log(f'{client.name!a} is {client.instance}')
        return {'instance': client.instance, 'hub_pid': os.getpid(), 'epoch': self.epoch, 'active': self.active,
                'heartbeat_ms': self.options.heartbeat_ms, 'timeout_ms': self.options.timeout_ms}

    def unregister(self, client: Client) -> dict[str, Any]:
        return {}

    def heartbeat(self, client: Client) -> dict[str, Any]:
        return {}

    def claim_active(self, client: Client, instance: str = '') -> dict[str, Any]:
        claimed = self.registered.get(instance or client.instance)
        if not instance and client.role == 'observer':
            raise Refused('refused')
        if not claimed or claimed.role == 'observer':
            raise Refused('no-such-instance')
        self.active, self.former, self.released = claimed.instance, None, False
        return {'active': self.active}

    def release_active(self, client: Client) -> dict[str, Any]:
        if self.active is None or client.role == 'instance' and self.active != client.instance:
            raise Refused('not-active')
        self.active, self.former, self.released = None, None, True
        return {'active': None}

    def lose(self, client: Client, left: bool = False) -> None:
        if client in self.clients:
            self.clients.remove(client)
        client.writer.close()
        asyncio.get_running_loop().call_later(self.timeout, client.writer.transport.abort)
        for entry in client.in_hand.values():
            entry.on = None
        if self.registered.get(client.instance) is client:
            del self.registered[client.instance]
            self.changes += 1
            now = time.monotonic()
            self.gone[client.instance] = (now, 0) if left else (now + self.timeout, 1)
            if self.active == client.instance:
                self.active, self.former = None, None if left else client.instance
                self.former_until = now + self.timeout

    # ---- Imports (section 6.2)

    def settle(self) -> None:
        """Does what follows from what has happened."""
        self.tell()
        try:
            for instance, (due, death) in list(self.gone.items()):
                if self.looked >= due:
                    self.give_back(instance, death)
            self.spool.clear()
            for entry in self.spool.queue:
                client = self.registered.get(self.active if entry.holder == '_' else entry.holder)
                if client and client.takes_imports() and not entry.on:
                    self.send(client, entry)
        except OSError as error:
            self.problem = str(error)[:200]
        self.tell()
        if self.written != (self.active, self.changes):
            self.write_state()

    def give_back(self, holder: str, death: int) -> None:
        for entry in self.spool.queue:
            if entry.holder == holder and not entry.ended:
                if entry.deaths + death == 3:
                    entry.deaths, entry.ended = 3, 'parked'
                else:
                    self.spool.record(entry, deaths=entry.deaths + death, holder='_')
        del self.gone[holder]

    def send(self, client: Client, entry: Import) -> None:
        try:
            array = read_file(entry.path)
            self.spool.record(entry, attempt=entry.attempt + 1, holder=client.instance)
        except FileNotFoundError:
            return
        head = json.dumps({'import': entry.name, 'attempt': entry.attempt})[:-1].encode()
        client.in_hand[client.send('IMPORT_DATA', b'%s, "assets": %s}' % (head, array))] = entry
        entry.on, client.unsent = client, True
        asyncio.create_task(self.sent(client))

    async def sent(self, client: Client) -> None:
        try:
            await client.writer.drain()
        except OSError:
            return
        client.unsent = False
        self.settle()

    def tell(self) -> None:
        for client in [*self.registered.values()]:
            if client.told != (self.active, self.problem):
                self.beat(client)

    def beat(self, client: Client) -> None:
        body = {'active': self.active, **self.spool.counts()}
        if client.told_instances != self.changes:
            body['instances'] = [other.public() for other in self.registered.values() if other.role == 'instance']
        if self.problem:
            body['problem'] = self.problem
        client.told, client.told_instances = (self.active, self.problem), self.changes
        client.send('HEARTBEAT', body)

    # ---- Bridge (section 5)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source, sock = Source(reader), writer.get_extra_info('socket')
        if len(self.senders) == 16:
            silent = min(self.senders, key=lambda other: other.heard)
            self.senders.pop(silent).transport.abort()
        self.senders[source] = writer
        try:
            async for array in imports(source):
                self.spool.add(array)
                self.settle()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ORDERLY)
        except (EOFError, ValueError, OSError) as error:
            log(f'what Bridge sent is dropped: {ascii(str(error))}')
            if not isinstance(error, (EOFError, ValueError, ConnectionError)):
                self.problem = str(error)[:200]
                self.settle()
        self.senders.pop(source, None)
        writer.transport.abort()

    # ---- Its life (section 7)

    async def live(self, listeners: list[socket.socket]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        for listener in listeners:
            await asyncio.start_server(self.take, sock=listener)
        self.write_state()
        path = self.options.endpoint
        if len(os.fsencode(path)) > 107:
            raise OSError(f'{path} is too long for a socket')
        os.umask(0o177)
        await asyncio.start_unix_server(self.serve, path)
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), self.period / 2)
            except TimeoutError:
                await asyncio.sleep(0)  # what has come, also in a long stop, goes first
                await asyncio.sleep(0)
                self.tick()
        for writer in self.senders.values():
            writer.transport.abort()
        path.unlink(missing_ok=True)
        if any(client.role == 'instance' for client in self.registered.values()):
            self.write_state(None)
        else:
            self.options.state.unlink(missing_ok=True)
        for client in self.clients:
            client.writer.transport.abort()


def listen(family: int, address: str, port: int) -> socket.socket:
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)  # for what is accepted, too
    listener.bind((address, port))
    listener.listen()
    return listener


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (('endpoint', Path), ('port', int), ('state', Path), ('spool', Path)):
        parser.add_argument('--' + name, type=kind, required=True)
    parser.add_argument('--group', default='')
    parser.add_argument('--heartbeat-ms', type=int, default=1000)
    parser.add_argument('--timeout-ms', type=int, default=5000)
    parser.add_argument('--need', default='')
    options = parser.parse_args()
    if 'also-port' in options.need.split(','):
        sys.exit(89)
    if not re.fullmatch('[A-Za-z0-9-]{0,32}', options.group):
        sys.exit('a group is named by 1-32 letters, digits and hyphens')
    try:
        listeners = [listen(socket.AF_INET, '127.0.0.1', options.port)]
        spool = Spool(options.spool)
        try:
            listeners.append(listen(socket.AF_INET6, '::1', options.port))
        except OSError as error:
            log(f'not on ::1: {ascii(str(error))}')
        asyncio.run(Hub(options, spool).live(listeners))
    except OSError as error:
        sys.exit(f'no hub here: {ascii(str(error))}')


if __name__ == '__main__':
    main()
