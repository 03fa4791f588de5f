# SPDX-License-Identifier: MIT
"""What hub and client share: JSON as it comes, messages (section 3.1 of spec/protocol.md) and their bodies (3.2)."""
import asyncio, json, re, time
from typing import Any, Callable

Kind = Callable[[Any], bool]  # may a member have this value?
INT32, INSTANCE_ID = 4294967295, re.compile(r'[A-Za-z0-9-]{1,64}')

def so_far(*parts: bytes) -> bytes:
    """A pattern for as many of the parts as are there: what follows its match is wrong, or has not come yet."""
    return b''.join(b'(?:' + part for part in parts) + b')?' * len(parts)

HEADER = re.compile(so_far(b'B', b'H', b'1', b' ', b'([A-Z_]{1,32})', b' ', b'([1-9][0-9]{0,9})', b'( )',
                           b'(0|[1-9][0-9]{0,8})', b'(\n)'))
SPACE, NAME, VALUE = b' \t\r\n', b'"', b'"[{tfn-0123456789'
SPACES = re.compile(rb'[ \t\r\n]+')
HEX, TAIL = rb'[0-9a-fA-F]', rb'[\x80-\xbf]'
CHARACTERS = [(rb'\\', rb'["\\/bfnrt]'), (rb'\\', b'u', HEX, HEX, HEX, HEX), (rb'[\xc2-\xdf]', TAIL),
              (rb'\xe0', rb'[\xa0-\xbf]', TAIL), (rb'[\xe1-\xec\xee\xef]', TAIL, TAIL),
              (rb'\xed', rb'[\x80-\x9f]', TAIL), (rb'\xf0', rb'[\x90-\xbf]', TAIL, TAIL),
              (rb'[\xf1-\xf3]', TAIL, TAIL, TAIL), (rb'\xf4', rb'[\x80-\x8f]', TAIL, TAIL)]
TEXT = re.compile(rb'(?:[ !#-\[\]-\x7f]+|' + b'|'.join(map(b''.join, CHARACTERS)) + b')*')
CUT_CHARACTER = re.compile(b'|'.join(so_far(*parts) for parts in CHARACTERS))
EXPONENT = so_far(b'[eE]', b'[+-]?', b'[0-9]+')
SCALAR = re.compile(rb'true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?')
CUT_SCALAR = re.compile(b't' + so_far(b'r', b'u', b'e') + b'|f' + so_far(b'a', b'l', b's', b'e') +
                        b'|n' + so_far(b'u', b'l', b'l') +
                        rb'|-?(?:(?:0|[1-9][0-9]*)(?:\.(?:[0-9]+%b)?|%b)?)?' % (EXPONENT, EXPONENT))

class Json:
    """One value of JSON (RFC 8259) as it comes: an object, or an array of objects."""

    def __init__(self, first: bytes = b'{', depth_max: int = 64):
        self.allowed, self.depth_max = first, depth_max  # what may come next: nothing, once the value is whole
        self.closing, self.in_string = bytearray(), False  # what closes the open arrays and objects
        self.starts, self.ends = [], []  # of the values of the outermost object

    def scan(self, octets: bytes | bytearray, at: int = 0) -> int:
        """Goes on from `at` and returns how far it came; ValueError at the first octet that cannot be right."""
        while at < len(octets) and self.allowed:
            octet, end = octets[at:at + 1], at + 1
            if self.in_string:
                end = TEXT.match(octets, at).end()
                if CUT_CHARACTER.fullmatch(octets, end): return end
                if octets[end] != ord('"'): raise ValueError('a wrong octet in a string')
                end, self.in_string = end + 1, False
                if self.allowed in (NAME, NAME + b'}'):
                    self.allowed = b':'
                else:
                    self.value_ends(end)
            elif octet in SPACE:
                end = SPACES.match(octets, at).end()
            elif octet not in self.allowed:
                raise ValueError(f'{octet!a} in place of one of {self.allowed!a}')
            elif octet == b'"':
                self.in_string = True
            elif octet in b'[{':
                if len(self.closing) == self.depth_max: raise ValueError('too deep')
                self.closing += b']' if octet == b'[' else b'}'
                self.allowed = self.element() + self.closing[-1:]
            elif octet in b']}':
                self.closing.pop()
                self.value_ends(end)
            elif octet == b',':
                self.allowed = self.element()
            elif octet == b':':
                self.allowed = VALUE
                self.starts += [end] if len(self.closing) == 1 else []
            else:
                end = CUT_SCALAR.match(octets, at).end()
                if end == len(octets): return at
                if not SCALAR.fullmatch(octets, at, end): raise ValueError('a wrong number or word')
                self.value_ends(end)
            at = end
        return at

    def element(self) -> bytes:
        return NAME if self.closing.endswith(b'}') else b'{' if self.closing == b']' else VALUE

    def value_ends(self, end: int) -> None:
        self.allowed = b',' + self.closing[-1:] if self.closing else b''
        self.ends += [end] if len(self.closing) == 1 else []

class Break(Exception):
    """A break of the framing: the code of the ERROR, and what it is for."""

class Connection(asyncio.Protocol):
    """One end of a connection to the endpoint. handle() gets each message."""
    limit = 65536

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport, self.buffer, self.received, self.sent, self.unsent = transport, bytearray(), 0, 0, False
        self.opened, self.heard, self.open = time.monotonic(), time.monotonic(), True
        transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        self.buffer += data
        try:
            while self.open and (message := self.next_message()):
                self.handle(*message)
        except Break as broken:
            self.error(broken.args[1], broken.args[0])
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        with self.transport.get_extra_info('socket').dup() as rest:
            try:  # What came before the end counts, also where it was a write that found the end.
                while data := rest.recv(65536):
                    self.data_received(data)
            except OSError:
                pass

    def close(self) -> None:
        self.open = False
        self.transport.close()

    def next_message(self) -> tuple[str, int, bytes] | None:
        head = HEADER.match(self.buffer)
        kind, number, space, length, line = head.groups()
        answered = int(number) if space and int(number) <= INT32 else None
        if length and int(length) > self.limit and answered: raise Break('too-large', answered)
        if number and int(number) > INT32 or (answered != self.received + 1 if line else head.end() < len(self.buffer)):
            raise Break('malformed', answered)
        end = head.end() + int(length or 0)
        if not line or len(self.buffer) < end: return None
        body = bytes(self.buffer[head.end():end])
        del self.buffer[:end]
        self.received += 1
        return kind.decode(), self.received, body

    def send(self, kind: str, body: dict[str, Any] | bytes) -> int:
        octets = json.dumps(body).encode() if isinstance(body, dict) else body
        self.sent += 1
        self.transport.write(b'BH1 %b %d %d\n%b' % (kind.encode(), self.sent, len(octets), octets))
        if self.sent == INT32: self.close()
        return self.sent

    def error(self, answered: int | None, code: str, message: str = 'see spec/protocol.md') -> None:
        self.send('ERROR', {'for': answered, 'code': code, 'message': message})

def read_body(body: bytes, kinds: dict[str, Kind]) -> dict[str, Any]:
    """The members that `kinds` names (? marks those that can be missing), an array as it is written.

    ValueError where a rule of section 3.2 is broken."""
    body, scanner, found = body or b'{}', Json(), {}
    if body[scanner.scan(body):].strip(SPACE) or scanner.allowed: raise ValueError('no JSON object')
    named = {name.strip('?'): kind for name, kind in kinds.items()}
    members = json.loads(body, object_pairs_hook=Members,
                         parse_int=lambda text: int(text) if text.isdigit() and len(text) < 17 else -1)
    for (name, value), start, end in zip(members, scanner.starts, scanner.ends):
        if name in named:
            if name in found or not named[name](value): raise ValueError(f'{name} stands twice, or is wrong')
            found[name] = body[start:end].strip(SPACE) if type(value) is list else value
    if missing := [name for name in kinds if not name.endswith('?') and name not in found]:
        raise ValueError(f'{missing[0]} is missing')
    return found

class Members(list):
    """An object with all of its members, also those that stand twice."""

def integer(least: int, most: int) -> Kind:
    return lambda value: type(value) is int and least <= value <= most

def string(least: int, most: int) -> Kind:
    return lambda value: isinstance(value, str) and '\0' not in value and least <= len(value.encode()) <= most

def instance_id(value: Any) -> bool:
    return isinstance(value, str) and INSTANCE_ID.fullmatch(value) is not None

def nullable(kind: Kind) -> Kind:
    return lambda value: value is None or kind(value)

ANSWERS: dict[str, dict[str, Kind]] = {
    'ACK': {'for': integer(1, INT32)},
    'ERROR': {'for': nullable(integer(1, INT32)), 'code': string(1, 64), 'message': string(0, 1 << 32)},
}
