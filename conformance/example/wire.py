# SPDX-License-Identifier: MIT
"""What hub and client share: JSON as it comes, messages (section 3.1 of spec/protocol.md) and their bodies (3.2)."""
import asyncio
import codecs
import json
import re
import time
from typing import Any, Callable

Kind = Callable[[Any], bool]  # may a member have this value?

INSTANCE_ID, INT32 = re.compile(r'[A-Za-z0-9-]{1,64}'), 4294967295
SPACE, DIGITS, PLAIN = b' \t\r\n', b'0123456789', re.compile(rb'(?:[ !#-\[\]-\x7f]+|[\xc2-\xdf][\x80-\xbf])*')
ARRAY, OBJECT, STRING, ESCAPE = b'[{"\\'
WORDS = {ord('t'): b'rue', ord('f'): b'alse', ord('n'): b'ull'}


class Source:
    """The octets of a connection, waited for where they have not come yet, and JSON values among them (RFC 8259).

    ValueError tells of a wrong octet, as soon as it is there, and EOFError of the end of the connection."""

    def __init__(self, stream: asyncio.StreamReader | None, octets: bytes = b'', depth_max: int = 64):
        self.stream, self.buffer, self.at = stream, bytearray(octets), 0
        self.depth_max, self.size_max = depth_max, float('inf')
        self.members: list[tuple[bytes, bytes]] = []  # of the outermost object: names and values as they stand there
        self.heard = time.monotonic()

    async def more(self) -> None:
        chunk = await self.stream.read(65536) if self.stream else b''
        if not chunk:
            raise EOFError('cut short')
        self.heard = time.monotonic()
        self.buffer += chunk

    async def peek(self) -> int:
        if self.at >= self.size_max:
            raise ValueError('too large')
        while self.at == len(self.buffer):
            await self.more()
        return self.buffer[self.at]

    async def next(self, allowed: bytes) -> int:
        octet = await self.peek()
        if octet not in allowed:
            raise ValueError(f'{chr(octet)!a} is wrong')
        self.at += 1
        return octet

    async def word(self, octets: bytes) -> None:
        for octet in octets:
            await self.next(bytes([octet]))

    async def run(self, octets: bytes) -> int:
        """Passes over all of `octets` and returns what follows."""
        while (octet := await self.peek()) in octets:
            self.at += 1
        return octet

    def take(self) -> bytes:
        """All that was read since the last time."""
        taken = bytes(self.buffer[:self.at])
        del self.buffer[:self.at]
        self.at = 0
        return taken

    async def value(self, depth: int, allowed: bytes = b'[{"tfn-0123456789') -> None:
        octet = await self.next(allowed)
        if octet in (ARRAY, OBJECT) and depth > self.depth_max:
            raise ValueError('too deep')
        if octet in (ARRAY, OBJECT):
            await self.container(octet, depth)
        elif octet == STRING:
            await self.string()
        elif octet in WORDS:
            await self.word(WORDS[octet])
        else:
            await self.number(octet)

    async def container(self, opening: int, depth: int) -> None:
        closing = b'}' if opening == OBJECT else b']'
        if await self.run(SPACE) in closing:
            await self.next(closing)
            return
        separator = ord(',')
        while separator == ord(','):
            await self.run(SPACE)
            name = self.at
            if opening == OBJECT:
                await self.next(b'"')
                await self.string()
                await self.run(SPACE)
                await self.next(b':')
                await self.run(SPACE)
            start = self.at
            # The outermost array is one of assets, which are objects.
            await (self.value(2, b'{') if (opening, depth) == (ARRAY, 1) else self.value(depth + 1))
            if (opening, depth) == (OBJECT, 1):
                self.members.append((bytes(self.buffer[name:start]), bytes(self.buffer[start:self.at])))
            await self.run(SPACE)
            separator = await self.next(b',' + closing)

    async def string(self) -> None:
        while True:
            self.at = PLAIN.match(self.buffer, self.at).end()
            octet = await self.next(bytes(range(32, 256)))
            if octet == STRING:
                return
            if octet != ESCAPE:
                decoder = codecs.getincrementaldecoder('utf-8')()
                while not decoder.decode(bytes([octet])):
                    octet = await self.next(bytes(range(128, 256)))
            elif await self.next(b'"\\/bfnrtu') == ord('u'):
                for _ in range(4):
                    await self.next(b'0123456789abcdefABCDEF')

    async def number(self, octet: int) -> None:
        if octet == ord('-'):
            octet = await self.next(DIGITS)
        if octet != ord('0'):
            await self.run(DIGITS)
        for marks, signs in (b'.', b''), (b'eE', b'+-'):
            if await self.peek() in marks:
                await self.next(marks)
                if await self.next(DIGITS + signs) in signs:
                    await self.next(DIGITS)
                await self.run(DIGITS)


class Break(Exception):
    """A break of the framing, with the code of the ERROR and what it is for. Nothing that follows it counts."""


class Connection:
    """Both directions of a connection to the endpoint: what comes, and what goes out with its number."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int):
        self.source, self.writer, self.limit = Source(reader), writer, limit
        self.received = self.sent = 0
        reader.set_exception = lambda _: reader.feed_eof()  # what came before the end is read all the same
        writer.transport.set_write_buffer_limits(high=0)  # drain() then waits until all has gone out

    async def receive(self) -> tuple[str, int, bytes]:
        """The next message: type, id and body."""
        kind, number = '', None
        try:
            await self.source.word(b'BH1 ')
            while (octet := await self.source.next(b'ABCDEFGHIJKLMNOPQRSTUVWXYZ_ '[:28 if kind else 27])) != ord(' '):
                kind += chr(octet)
                if len(kind) > 32:
                    raise ValueError('too long a type')
            number = await self.decimal(b' ', 1, INT32, ValueError('too large an id'))
            length = await self.decimal(b'\n', 0, self.limit, Break('too-large', number))
            if number != self.received + 1:
                raise ValueError('an id is out of order')
        except ValueError as wrong:
            raise Break('malformed', number) from wrong
        self.received = number
        self.source.take()
        while len(self.source.buffer) < length:
            await self.source.more()
        self.source.at = length
        return kind, number, self.source.take()

    async def decimal(self, end: bytes, least: int, most: int, too_large: Exception) -> int:
        value, allowed = 0, DIGITS[least:]
        while (octet := await self.source.next(allowed)) not in end:
            value = value * 10 + octet - ord('0')
            if value > most:
                raise too_large
            allowed = DIGITS + end if value else end
        return value

    def send(self, kind: str, body: dict[str, Any] | bytes = b'') -> int:
        octets = json.dumps(body).encode() if isinstance(body, dict) else body
        self.sent += 1
        self.writer.write(b'BH1 %s %d %d\n%s' % (kind.encode(), self.sent, len(octets), octets))
        return self.sent


def read_body(body: bytes, kinds: dict[str, Kind]) -> dict[str, Any]:
    """The members that `kinds` names (? marks those that can be missing), an array as it stands there.

    ValueError where a rule of section 3.2 is broken."""
    source, found = Source(None, (body or b'{}').strip(SPACE)), {}
    try:
        source.value(1, b'{').send(None)  # Everything is there: it never waits.
    except EOFError as end:
        raise ValueError('the body is cut short') from end
    except StopIteration:
        if source.at < len(source.buffer):
            raise ValueError('something follows the object')
    named = {name.rstrip('?'): kind for name, kind in kinds.items()}
    for written, text in source.members:
        if (name := json.loads(written.rstrip(b':' + SPACE))) in named:
            value = json.loads(text, parse_int=lambda digits: -1 if digits.startswith('-') else int(digits))
            if name in found or not named[name](value):
                raise ValueError(f'{name} stands twice or is wrong')
            found[name] = text if isinstance(value, list) else value
    if missing := [name for name in kinds if not name.endswith('?') and name not in found]:
        raise ValueError(f'{missing[0]} is missing')
    return found


def integer(least: int, most: int) -> Kind:
    return lambda value: type(value) is int and least <= value <= most


def string(least: int, most: int) -> Kind:
    return lambda value: isinstance(value, str) and '\0' not in value and least <= len(value.encode()) <= most


def instance_id(value: Any) -> bool:
    return isinstance(value, str) and INSTANCE_ID.fullmatch(value) is not None


ANSWERS: dict[str, dict[str, Kind]] = {
    'ACK': {'for': integer(1, INT32)},
    'ERROR': {'for': lambda value: value is None or integer(1, INT32)(value), 'code': string(1, 64),
              'message': string(0, 1 << 32)},
}
