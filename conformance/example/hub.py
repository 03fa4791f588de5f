#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hub, written from spec/protocol.md alone. README.md says what it leaves out."""
import argparse, asyncio, fcntl, json, os, re, signal, socket, struct, sys, time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wire import ANSWERS, INT32, SPACE, Break, Connection, Json, Kind, instance_id, integer, read_body, string

RESET, ORDERLY = struct.pack('ii', 1, 0), struct.pack('ii', 0, 0)  # SO_LINGER: how a close looks to the peer
SIZE_MAX, DEPTH_MAX, UNSENT_MAX = 33554432, 62, 134217728
ROLES = {'instance': 256, 'observer': 64}  # and how many can register
TAKEN: dict[str, dict[str, Kind]] = {
    'REGISTER': {'protocol': integer(0, INT32), 'pid': integer(0, INT32), 'name': string(1, 256),
                 'instance?': instance_id, 'window?': integer(1, 64), 'role?': lambda value: value in list(ROLES)},
    'UNREGISTER': {}, 'CLAIM_ACTIVE': {'instance?': instance_id}, 'RELEASE_ACTIVE': {}, 'HEARTBEAT': {}, **ANSWERS,
}
FILE = re.compile(r'([0-9]{20})\.([0-9a-f]{16}-[1-9][0-9]{0,19})\.(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,9})'
                  r'\.([A-Za-z0-9-]{1,64}|_)\.json')

def log(text: object) -> None:
    print(ascii(str(text)), file=sys.stderr, flush=True)

def read_file(path: Path) -> bytes:
    """OSError where it is no regular file of our own."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), 'rb') as file:
        if os.fstat(file.fileno()).st_uid != os.getuid() or not os.path.isfile(file.fileno()):
            raise OSError(f'{path} is no file of ours')
        return file.read(SIZE_MAX + 2)

@dataclass(eq=False)
class Import:
    path: Path
    sequence: int
    name: str
    attempt: int
    deaths: int
    holder: str  # '_': nobody
    ended: str = ''  # 'done' or 'parked', for as long as the spool does not show it

class Spool:
    """The imports in their order, and their files (section 6.1)."""

    def __init__(self, root: Path):
        self.root, self.count, self.bits, self.queue = root, 0, os.urandom(8).hex(), []
        self.check()
        self.lock = open(root / 'lock', 'a')
        fcntl.lockf(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in (root / 'tmp').iterdir():
            if path.is_symlink() or not path.is_dir():
                path.unlink()
        self.take_over('queue')
        self.last = max((int(path.name[:20]) for path in root.glob('*/*') if FILE.fullmatch(path.name)), default=0)

    def check(self) -> None:
        """OSError where it cannot be written."""
        for name in '.', 'queue', 'parked', 'retry', 'tmp':
            (self.root / name).mkdir(mode=0o700, exist_ok=True)
        (self.root / 'tmp' / 'try').write_bytes(b'')
        (self.root / 'tmp' / 'try').unlink()

    def take_over(self, directory: str) -> None:
        for path in (self.root / directory).iterdir():
            try:
                fields, octets, scanner = FILE.fullmatch(path.name), read_file(path), Json(b'[', DEPTH_MAX)
                if not fields or scanner.scan(octets) < len(octets) or scanner.allowed:
                    raise ValueError(f'{path} is no import')
            except (OSError, ValueError) as error:
                log(f'left alone: {error}')
                continue
            self.queue.append(Import(path, int(fields[1]), fields[2], int(fields[3]), int(fields[4]), fields[5]))
            if directory == 'retry':
                self.record(self.queue[-1], deaths=0, holder='_')
        self.queue.sort(key=lambda entry: entry.sequence)

    def add(self, array: bytes) -> None:
        self.count += 1
        entry = Import(self.root / 'tmp' / str(self.count), self.last + 1, f'{self.bits}-{self.count}', 0, 0, '_')
        entry.path.write_bytes(array)
        self.record(entry)
        self.last += 1
        self.queue.append(entry)

    def record(self, entry: Import, directory: str = 'queue', **changes: Any) -> None:
        """Changes an import and the name of its file, or neither."""
        name = '{sequence:020}.{name}.{attempt}.{deaths}.{holder}.json'.format(**{**vars(entry), **changes})
        entry.path.rename(self.root / directory / name)
        vars(entry).update(changes, path=self.root / directory / name)

    def clear(self) -> None:
        for entry in [entry for entry in self.queue if entry.ended]:
            if entry.ended == 'done':
                queue = os.open(self.root / 'queue', os.O_DIRECTORY)  # a queue that is missing has not lost a file
                try:
                    os.unlink(entry.path.name, dir_fd=queue)
                except FileNotFoundError:
                    pass
                finally:
                    os.close(queue)
            else:
                self.record(entry, 'parked', holder='_')
            self.queue.remove(entry)

    def counts(self) -> dict[str, int]:
        return {'waiting': sum(entry.holder == '_' for entry in self.queue),
                'parked': sum(FILE.fullmatch(path.name) is not None for path in (self.root / 'parked').glob('*'))}

class Sender(asyncio.Protocol):
    """Bridge, on one connection (section 5)."""

    def __init__(self, hub: 'Hub'):
        self.hub, self.buffer, self.at, self.value, self.first = hub, bytearray(), 0, None, True

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport, self.heard = transport, time.monotonic()
        if len(self.hub.senders) == 16:
            min(self.hub.senders, key=lambda sender: sender.heard).end('another needs its place', RESET)
        self.hub.senders.add(self)

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        self.buffer += data
        try:
            while self.buffer and self in self.hub.senders and self.step():
                self.first = False
        except (ValueError, OSError) as error:
            self.end(error, RESET)
            self.hub.problem = str(error) if isinstance(error, OSError) else self.hub.problem
        self.hub.settle()

    def step(self) -> bool:
        """Takes what the buffer begins with; False: more of it has to come."""
        if self.value is None:
            for word in (b'Bye Megascans', b'\xef\xbb\xbf')[:1 + self.first]:
                if self.buffer.startswith(word):
                    del self.buffer[:len(word)]
                    return self.end('Bye Megascans', ORDERLY) if word.isascii() else True
                if word.startswith(self.buffer): return False
            if self.buffer[0] in SPACE:
                self.buffer = self.buffer.lstrip(SPACE)
                return True
            self.value, self.at = Json(b'[{', DEPTH_MAX - self.buffer.startswith(b'{')), 0
        self.at = self.value.scan(self.buffer, self.at)
        if self.at > SIZE_MAX or self.value.allowed and len(self.buffer) >= SIZE_MAX: raise ValueError('too large')
        if self.value.allowed: return False
        array = bytes(self.buffer[:self.at])
        if array.startswith(b'{') or array[1:-1].strip(SPACE):
            self.hub.spool.add(b'[' + array + b']' if array.startswith(b'{') else array)
        del self.buffer[:self.at]
        self.value = None
        return True

    def eof_received(self) -> None:
        self.end('the end', RESET if self.buffer else ORDERLY)

    def connection_lost(self, error: Exception | None) -> None:
        self.hub.senders.discard(self)

    def end(self, why: object, how: bytes) -> None:
        log(f'a connection of Bridge ends, {"and what is not whole is dropped" if how == RESET else "complete"}: {why}')
        self.hub.senders.discard(self)
        self.transport.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)
        self.transport.abort()

class Refused(Exception):
    """The code of the ERROR that answers a request, and a message."""

class Client(Connection):
    def __init__(self, hub: 'Hub'):
        self.hub, self.instance, self.name, self.role = hub, '', '', ''
        self.in_hand: dict[int, Import] = {}  # by the id of their IMPORT_DATA
        self.told, self.told_changes, self.may_be_active = None, -1, False

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info('socket').getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack('3i', peer)[1] != os.getuid():
            transport.abort()
        elif sum(not client.instance for client in self.hub.clients) == 64:
            self.error(None, 'overloaded')
            self.close()
        else:
            self.hub.clients.add(self)

    def handle(self, kind: str, number: int, body: bytes) -> None:
        try:
            if kind not in TAKEN:
                code = 'unexpected' if kind == 'IMPORT_DATA' else 'unknown-type'
                raise Refused(code, f'a hub takes {", ".join(TAKEN)}: see section 3.2 of spec/protocol.md')
            members = read_body(body, TAKEN[kind])
            if kind in ANSWERS:
                if entry := self.in_hand.pop(members['for'], None):
                    entry.ended = 'done' if kind == 'ACK' else 'parked'
            else:
                if bool(self.instance) == (kind == 'REGISTER'):
                    raise Refused('already-registered' if self.instance else 'not-registered')
                answer = getattr(self.hub, kind.lower())(self, **members)
                self.hub.write_state(changed=True)
                self.send('ACK', {'for': number, **answer})
                if kind == 'UNREGISTER':
                    self.hub.lose(self, left=True)
            self.hub.settle()
        except Refused as refused:
            self.error(number, *refused.args)
        except ValueError as wrong:
            if kind in ANSWERS: raise Break('malformed', number) from wrong
            self.error(number, 'bad-body', str(wrong))

    def send(self, kind: str, body: dict[str, Any] | bytes) -> int:
        if self.transport.get_write_buffer_size() > UNSENT_MAX:
            self.open = False
            self.transport.abort()
        return super().send(kind, body)

    def pause_writing(self) -> None:
        self.unsent = True

    def resume_writing(self) -> None:
        self.unsent = False
        self.hub.settle()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.hub.lose(self)
        self.hub.settle()

    def public(self) -> dict[str, Any]:
        return {'instance': self.instance, 'pid': self.pid, 'name': self.name}

class Hub:
    def __init__(self, options: argparse.Namespace, spool: Spool):
        self.options, self.spool = options, spool
        self.period, self.timeout = options.heartbeat_ms / 1e3, options.timeout_ms / 1e3
        self.clients, self.senders, self.registered = set(), set(), {}
        self.changes, self.active, self.released, self.problem, self.written = 0, None, False, None, None
        self.born = self.looked = time.monotonic()
        self.epoch, self.former = self.read_state()
        # Whose imports are given back, when, and as how many deaths.
        self.gone = {entry.holder: (self.born + self.timeout, 1) for entry in spool.queue if entry.holder != '_'}
        self.gone.setdefault(self.former, (self.born + self.timeout, 1))

    # ---- State file (section 8)

    def read_state(self) -> tuple[int, str | None]:
        try:
            state = json.loads(read_file(self.options.state))
            epoch, active = state['epoch'], state['active_instance']
            if state['version'] != 1 or not integer(0, 2 ** 53 - 2)(epoch): raise ValueError('absurd')
            return epoch + 1, active and str(active['instance'])
        except FileNotFoundError:
            return 1, None
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            log(f'the former state file is of no use: {error}')
            return 1, None

    def write_state(self, hub_pid: int | None = os.getpid(), changed: bool = False) -> None:
        """With `changed`: only where who is registered or active has."""
        if changed and self.written == (self.active, self.changes): return
        self.written, booted = (self.active, self.changes), time.time() - time.monotonic()
        state = {'version': 1, 'hub_pid': hub_pid, 'epoch': self.epoch, 'port': self.options.port,
                 'active_instance': self.registered[self.active].public() if self.active else None,
                 'registered_instances': [{**one.public(), 'last_seen': int(booted + one.heard)}
                                          for one in self.instances()],
                 **self.spool.counts(), 'last_update': int(time.time()),
                 **({'problem': self.problem[:250]} if self.problem else {})}
        part = self.options.state.with_name(self.options.state.name + '.new')
        try:
            part.unlink(missing_ok=True)
            part.write_text(json.dumps(state))
            part.rename(self.options.state)
        except OSError as error:
            log(f'the state file cannot be written: {error}')

    # ---- Requests (sections 3.4 and 4)

    def instances(self) -> list[Client]:
        return [client for client in self.registered.values() if client.role == 'instance']

    def register(self, client: Client, protocol: int, pid: int, name: str, instance: str = '', window: int = 1,
                 role: str = 'instance') -> dict[str, Any]:
        older = self.registered.get(instance)
        if protocol != 1: raise Refused('unsupported-protocol')
        if older and older.role != role: raise Refused('refused')
        if not older and sum(other.role == role for other in self.registered.values()) == ROLES[role]:
            raise Refused('overloaded')
        if older:
            older.error(None, 'superseded')
            self.lose(older)
        alone, back = not self.instances(), self.former == instance and instance in self.gone
        client.instance, client.pid, client.name, client.window, client.role = \
            instance or os.urandom(8).hex(), pid, name, window, role
        self.registered[client.instance] = client
        self.changes += 1
        if role == 'instance':
            self.gone.pop(instance, None)
        if role == 'instance' and not self.active:
            client.may_be_active = bool(instance) and not back and self.now() < self.born + self.timeout
            if back or alone and not self.released and not client.may_be_active:
                self.active, self.former = client.instance, None
        log(f'{client.instance} is {name}')
        return {'instance': client.instance, 'hub_pid': os.getpid(), 'epoch': self.epoch, 'active': self.active,
                'heartbeat_ms': self.options.heartbeat_ms, 'timeout_ms': self.options.timeout_ms}

    def heartbeat(self, client: Client) -> dict[str, Any]:
        return {}

    unregister = heartbeat

    def claim_active(self, client: Client, instance: str = '') -> dict[str, Any]:
        claimed = self.registered.get(instance) if instance else client
        if claimed is client and client.role == 'observer' and not instance: raise Refused('refused')
        if claimed not in self.instances(): raise Refused('no-such-instance')
        self.active, self.former, self.released = claimed.instance, None, False
        return {'active': self.active}

    def release_active(self, client: Client) -> dict[str, Any]:
        if not self.active or client.role == 'instance' and self.active != client.instance:
            raise Refused('not-active')
        self.active, self.former, self.released = None, None, True
        return {'active': None}

    def lose(self, client: Client, left: bool = False) -> None:
        self.clients.discard(client)
        client.in_hand = {}
        client.close()
        asyncio.get_running_loop().call_later(self.timeout, client.transport.abort)
        if self.registered.get(client.instance) is client:
            del self.registered[client.instance]
            self.changes += 1
            if client.role == 'instance':
                self.gone[client.instance] = (self.looked, 0) if left else (self.now() + self.timeout, 1)
            if self.active == client.instance:
                self.active, self.former = None, None if left else client.instance

    # ---- What follows from it (sections 6.2 and 9)

    def settle(self) -> None:
        self.tell()
        try:
            for holder, (due, death) in list(self.gone.items()):
                for entry in self.spool.queue if self.looked >= due else []:
                    if entry.holder == holder and entry.deaths + death > 2:
                        entry.deaths, entry.ended = 3, entry.ended or 'parked'
                    elif entry.holder == holder and not entry.ended:
                        self.spool.record(entry, deaths=entry.deaths + death, holder='_')
                if self.looked >= due:
                    del self.gone[holder]
            self.spool.clear()
            for entry in self.spool.queue:
                self.deliver(entry)
        except OSError as error:
            self.problem = str(error)
        self.tell()
        self.write_state(changed=True)

    def deliver(self, entry: Import) -> None:
        client = self.registered.get(self.active if entry.holder == '_' else entry.holder)
        if client not in self.instances() or entry.ended or client.unsent or entry in client.in_hand.values() \
                or len(client.in_hand) >= client.window:
            return
        try:
            array = read_file(entry.path)
            self.spool.record(entry, attempt=entry.attempt + 1, holder=client.instance)
        except FileNotFoundError:
            return
        head = json.dumps({'import': entry.name, 'attempt': entry.attempt})[:-1].encode()
        client.in_hand[client.send('IMPORT_DATA', head + b', "assets": ' + array + b'}')] = entry

    def tell(self, all_of_them: bool = False) -> None:
        for client in [*self.registered.values()]:
            if all_of_them or client.told != (self.active, self.problem):
                body = {'active': self.active, **self.spool.counts()}
                if self.problem:
                    body['problem'] = self.problem[:250]
                if client.told_changes != self.changes:
                    body['instances'] = [other.public() for other in self.instances()]
                client.told, client.told_changes = (self.active, self.problem), self.changes
                client.send('HEARTBEAT', body)

    def now(self) -> float:
        """The time; everybody gets a fresh time-out where this process was not running meanwhile."""
        now = time.monotonic()
        if now - self.looked > 1.5 * self.period:
            for peer in self.clients | self.senders:
                peer.heard = peer.opened = now
            self.gone = {instance: (now + self.timeout, deaths) for instance, (_, deaths) in self.gone.items()}
        self.looked = now
        return now

    def tick(self) -> None:
        now = self.now()
        for client in [*self.clients]:
            if now - (client.heard if client.instance else client.opened) > self.timeout:
                self.lose(client)
        for sender in [*self.senders]:
            if now - sender.heard > 6 * self.timeout:
                sender.end('silence', RESET)
        if now >= self.born + self.timeout and len(self.instances()) == 1 and not self.active and not self.released:
            self.active = self.instances()[0].instance if self.instances()[0].may_be_active else None
        try:
            self.spool.check()
            self.spool.take_over('retry')
            self.problem = None
        except OSError as error:
            self.problem = str(error)
        self.settle()
        self.write_state()
        self.tell(all_of_them=True)

    # ---- Its life (section 7)

    async def live(self, listeners: list[socket.socket]) -> None:
        loop, ended, path = asyncio.get_running_loop(), asyncio.Event(), self.options.endpoint
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        self.write_state()
        for listener in listeners:
            await loop.create_server(lambda: Sender(self), sock=listener)
        if len(os.fsencode(path)) > 107: raise OSError(f'{path} is too long for a socket')
        os.umask(0o177)
        await loop.create_unix_server(lambda: Client(self), path)
        os.umask(0o077)
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), self.period / 2)
            except TimeoutError:
                await asyncio.sleep(0)  # What has come, also in a long stop, goes first.
                await asyncio.sleep(0)
                self.tick()
        for sender in [*self.senders]:
            sender.end('this hub ends', RESET)
        path.unlink(missing_ok=True)
        if self.instances():
            self.write_state(hub_pid=None)
        else:
            self.options.state.unlink(missing_ok=True)
        self.registered = {}
        for client in self.clients:
            client.transport.abort()

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
    for name, default in (('group', ''), ('need', ''), ('heartbeat-ms', 1000), ('timeout-ms', 5000)):
        parser.add_argument('--' + name, type=type(default), default=default)
    options = parser.parse_args()
    if 'also-port' in options.need:
        sys.exit(89)
    if not re.fullmatch('[A-Za-z0-9-]{0,32}', options.group):
        sys.exit('a group is named by 1-32 letters, digits and hyphens')
    os.umask(0o077)
    try:
        listeners, spool = [listen(socket.AF_INET, '127.0.0.1', options.port)], Spool(options.spool)
        try:
            listeners.append(listen(socket.AF_INET6, '::1', options.port))
        except OSError as error:
            log(f'not on ::1: {error}')
        asyncio.run(Hub(options, spool).live(listeners))
    except OSError as error:
        sys.exit(f'no hub here: {error}')

if __name__ == '__main__':
    main()
