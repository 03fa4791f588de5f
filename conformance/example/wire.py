# SPDX-License-Identifier: MIT
"""What hub and client share: JSON as it comes, messages (section 3.1 of spec/protocol.md) and their bodies (3.2)."""
import argparse, asyncio, contextlib, json, re, sys, time
from typing import Any

# What a member is: an integer of a range, a string whose UTF-8 fits a pattern, [objects], a type, or one of several.
NUMBER, POSITIVE, NULL = range(2 ** 32), range(1, 2 ** 32), type(None)
ID, NAME = re.compile(rb'[A-Za-z0-9-]{1,64}'), re.compile(rb'[^\0]{1,256}')
ERROR = {'for': (POSITIVE, NULL), 'code': re.compile(rb'[^\0]{1,64}'), 'message': re.compile(rb'[^\0]*')}
# The members of each message; ? marks those that can be missing.
FROM_CLIENT: dict[str, dict[str, Any]] = {
    'REGISTER': {'protocol': NUMBER, 'pid': NUMBER, 'name': NAME, 'instance?': ID, 'window?': range(1, 65),
                 'role?': re.compile(b'instance|observer')},
    'UNREGISTER': {}, 'CLAIM_ACTIVE': {'instance?': ID}, 'RELEASE_ACTIVE': {}, 'HEARTBEAT': {},
    'ACK': {'for': POSITIVE}, 'ERROR': ERROR}
FROM_HUB: dict[str, dict[str, Any]] = {
    'HEARTBEAT': {'active': (ID, NULL), 'waiting': NUMBER, 'parked': NUMBER, 'problem?': re.compile(rb'[^\0]{1,1024}'),
                  'instances?': [{'instance': ID, 'pid': NUMBER, 'name': NAME}]},
    'IMPORT_DATA': {'import': re.compile(rb'[^\0]{1,64}'), 'attempt': POSITIVE, 'assets': list},
    'ACK': {'for': POSITIVE, 'instance?': ID, 'hub_pid?': NUMBER, 'epoch?': range(2 ** 53), 'heartbeat_ms?': NUMBER,
            'timeout_ms?': NUMBER, 'active?': (ID, NULL)}, 'ERROR': ERROR}

# Its parts, as many as are there: what follows their match is wrong, or has not come yet.
PARTS = (b'B', b'H', b'1', b' ', b'([A-Z_]{1,32})', b' ', b'([1-9][0-9]{0,9})', b'( )', b'(0|[1-9][0-9]{0,8})', b'(\n)')
HEADER = re.compile(b''.join(b'(?:' + part for part in PARTS) + b')?' * len(PARTS))
TOKEN = re.compile(rb'["\[\]{}]|\\.?', re.DOTALL)

class Scanner:
    """Finds the end of an object or array as it comes, and the arrays in an object. parse() judges the rest."""

    def __init__(self, depth_max: int = 64):
        self.depth_max, self.at, self.start, self.depth, self.in_string, self.arrays = depth_max, 0, 0, 0, False, []

    def find_end(self, octets: bytes | bytearray) -> int:
        """Goes on where it was; 0: more has to come."""
        for token in TOKEN.finditer(octets, self.at):
            if token[0] == b'\\':
                self.at = token.start()
                return 0
            if token[0] == b'"':
                self.in_string = not self.in_string
            elif token[0] in b'[{' and not self.in_string:
                self.depth += 1
                self.start = token.start() if self.depth == 2 else self.start
                if self.depth > self.depth_max:
                    raise ValueError('too deep')
            elif token[0] in b']}' and not self.in_string:
                self.depth -= 1
                if self.depth == 0:
                    return token.end()
                if self.depth == 1 and token[0] == b']':
                    self.arrays.append(octets[self.start:token.end()].decode())
        self.at = len(octets)
        return 0

class Members(list):
    """An object with all of its members, also those that stand twice."""

def parse(octets: bytes) -> Any:
    """ValueError where it is no JSON (int() takes no NaN); an integer with a sign, or too long, is -1."""
    return json.loads(octets.decode(), object_pairs_hook=Members, parse_constant=int,
                      parse_int=lambda digits: int(digits) if digits.isdigit() and len(digits) < 17 else -1)

def read_body(body: bytes, kinds: dict[str, Any]) -> dict[str, Any]:
    """The members that the table names, arrays as they are written; ValueError where section 3.2 is broken."""
    scanner = Scanner()
    scanner.find_end(body)
    members = parse(body or b'{}')
    found = pick(members, kinds)
    written = dict(zip([name for name, value in members if type(value) is list], scanner.arrays))
    return {name: written.get(name, value) for name, value in found.items()}

def pick(members: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not isinstance(members, Members):
        raise ValueError('no object')
    for name, value in members:
        if kind := kinds.get(name, kinds.get(name + '?')):
            if name in found or not fits(value, kind):
                raise ValueError(f'{name} stands twice, or is wrong')
            found[name] = value
    if missing := [name for name in kinds if not name.endswith('?') and name not in found]:
        raise ValueError(f'{missing[0]} is missing')
    return found

def fits(value: Any, kind: Any) -> bool:
    if isinstance(kind, tuple):
        return any(fits(value, one) for one in kind)
    if isinstance(kind, list):
        return type(value) is list and all(pick(element, kind[0]) for element in value)
    if isinstance(kind, range):
        return type(value) is int and value in kind
    if isinstance(kind, re.Pattern):
        return type(value) is str and kind.fullmatch(value.encode()) is not None
    return type(value) is kind

class Wrong(Exception):
    """The code of the ERROR that answers a message, or a break of the framing."""

class Connection(asyncio.Protocol):
    """One end of a connection to the endpoint. take() gets each message that is right."""
    taken, limit, open = FROM_CLIENT, 65536, False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport, self.buffer, self.heard = transport, bytearray(), time.monotonic()
        self.received, self.sent, self.open = 0, 0, True
        transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        self.buffer += data
        try:
            while self.open and (message := self.next_message()):
                self.judge(*message)
        except Wrong as wrong:
            self.error(self.broken, *wrong.args)
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        with self.transport.get_extra_info('socket').dup() as rest, contextlib.suppress(OSError):
            while data := rest.recv(65536):  # What came before the end counts, also where a write has found that.
                self.data_received(data)
        self.open = False

    def close(self) -> None:
        self.open = False
        self.transport.close()

    def next_message(self) -> tuple[str, int, bytes] | None:
        head = HEADER.match(self.buffer)
        kind, number, space, length, line = head.groups()
        self.broken = int(number) if space and int(number) in NUMBER else None
        if length and int(length) > self.limit and self.broken:
            raise Wrong('too-large')
        wrong = self.broken != self.received + 1 if line else head.end() < len(self.buffer)
        if wrong or number and int(number) not in NUMBER:
            raise Wrong('malformed')
        end = head.end() + int(length or 0)
        if not line or len(self.buffer) < end:
            return None
        body = bytes(self.buffer[head.end():end])
        del self.buffer[:end]
        self.received += 1
        return kind.decode(), self.received, body

    def judge(self, kind: str, number: int, body: bytes) -> None:
        try:
            if kind not in self.taken:
                raise Wrong('unexpected' if kind in FROM_CLIENT | FROM_HUB else 'unknown-type')
            self.take(kind, number, read_body(body, self.taken[kind]))
        except Wrong as wrong:
            self.error(number, *wrong.args)
        except ValueError as wrong:
            if kind in ('ACK', 'ERROR'):
                raise Wrong('malformed') from wrong
            self.error(number, 'bad-body', str(wrong))

    def send(self, kind: str, body: dict[str, Any] | bytes) -> int:
        octets = json.dumps(body).encode() if isinstance(body, dict) else body
        self.sent += 1
        self.transport.write(b'BH1 %b %d %d\n%b' % (kind.encode(), self.sent, len(octets), octets))
        if self.sent == NUMBER[-1]:
            self.close()
        return self.sent

    def error(self, answered: int | None, code: str, message: str = 'see spec/protocol.md') -> None:
        self.send('ERROR', {'for': answered, 'code': code, 'message': message})

def read_options(description: str, left_out: str, **more: Any) -> argparse.Namespace:
    """Ends with UNIMPLEMENTED where what is left out is needed."""
    parser = argparse.ArgumentParser(description=description)
    for name, default in dict(endpoint='', port=24981, heartbeat_ms=1000, timeout_ms=5000, need='', **more).items():
        parser.add_argument('--' + name.replace('_', '-'), type=type(default), default=default)
    options = parser.parse_args()
    if set(left_out.split()) & set(options.need.split(',')):
        sys.exit(89)
    return options
