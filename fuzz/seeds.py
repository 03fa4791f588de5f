# SPDX-License-Identifier: MIT
"""Seeds for the fuzzers, a file each: the octets of the vectors as the target takes them, or each event after others.

seeds.py VECTORS.json|events TARGET DIRECTORY
"""
import json
import os
import sys
from collections.abc import Callable, Iterator

# What a fuzzer can still turn over many thousand times a second.
SIZE_MAX = 20_000
PIECE = 255


def expand(octets: dict) -> bytes:
    if 'text' in octets:
        return octets['text'].encode('utf-8', 'surrogatepass')
    if 'hex' in octets:
        return bytes.fromhex(octets['hex'])
    if 'repeat' in octets:
        return expand(octets['repeat']) * octets['repeat']['count']
    return b''.join(expand(part) for part in octets['parts'])


def events(event: int, octets: bytes, behind: bytes = b'') -> bytes:
    """Octets as events of their own: the event, how many, and they."""
    pieces = [octets[at:at + PIECE] for at in range(0, len(octets), PIECE)] or [b'']
    return b''.join(bytes([event, len(piece)]) + piece + behind for piece in pieces)


def of_hub(octets: bytes) -> bytes:
    return events(9, octets)


def of_client(octets: bytes) -> bytes:
    """The connection is opened, and what comes of it is sent."""
    return b'\0\0' + events(12, octets) + b'\x1d'


def of_spool(octets: bytes) -> bytes:
    """A file of that name in queue/ and in retry/, or one of that content; then they are looked for."""
    name = octets[:240]
    files = bytes([4, len(name)]) + name + b'\0' + bytes([6, len(name)]) + name + b'\0'
    content = bytes([0, 2, 10, len(octets[:PIECE])]) + octets[:PIECE]
    return files + content + b'\x09\0\x0a\0\x0b'


AS: dict[str, Callable[[bytes], bytes]] = {'fuzz_hub': of_hub, 'fuzz_client': of_client, 'fuzz_spool': of_spool}
RECEIVERS = {'fuzz_hub': 'hub', 'fuzz_client': 'client'}


def of_json(target: str, text: bytes) -> list[bytes]:
    """A JSON text where the target's grammar has others: as it stands, and, where it is short, inside of others, too."""
    if target == 'fuzz_message':
        return [b'BH1 HEARTBEAT 1 %d\n%s' % (len(text), text)]
    short = len(text) <= SHORT_MAX
    inner = {text, text[1:-1]} if text[:1] == b'[' and text[-1:] == b']' else {text}
    return [text] + [how % value for how in WRAPPINGS[target] for value in sorted(inner) if short]


SHORT_MAX = 40
WRAPPINGS = {'fuzz_bridge': [b'{"a":%s}', b'[{"a":%s}]', b'[{"a":[%s]}]', b'[{"a":{"b":%s}}]', b'[] %s [{}]'],
             'fuzz_state': [b'[%s]', b'[[%s]]', b'{"":%s}', b'{"a":{"b":%s}}', b'{"a":[%s]}']}


# What happens first, and then each event there is, and each limit of time, and once more what began it: the ways to states that no octets
# lead to.
BEGINNINGS = {
    # Nothing; connected; registered; superseded; closed; an import in hand, and when it came back; more in hand than fit; it knows how things
    # are.
    'fuzz_client': (b'\0', [b'', b'\0', b'\1', b'\1\6\x08', b'\1\3', b'\1\x0b\1', b'\1\x0b\1\3\1', b'\1\x1c\x3c\x5c\x7c',
                         b'\1\7\0'],
                    b'\0\1'),
    # Nothing; an instance; two of them and an import in hand; one that is lost with it; parked; a second life; held up by just as much as
    # gives fresh time; released, claimed and left, and another comes; of two that came late the active one is lost, and the other is heard
    # a moment later, two moments later, and a moment after both were held up; two come a moment, and two moments, after a second life began;
    # one holds as much as fits, and more is reserved for it; what is recorded cannot be read; released and left, and another comes.
    'fuzz_hub': (b'', [b'', b'\0\0', b'\0\0\x20\1\x10', b'\0\0\x10\x0e\0', b'\0\0\x10\x08\0', b'\0\0\x10\x17', b'\0\0\x14\x14',
                      b'\0\0\3\2\0\4\0\x20', b'\x13\0\0\x20\1\x0e\0\xf3\x25', b'\x13\0\0\x20\1\x0e\0\xf3\x25\xf3\x25',
                      b'\x13\0\0\x20\1\x0e\0\x14\x28\xf3\x25', b'\x13\0\0\x17\xf3\x20\1\x40\2',
                      b'\x13\0\0\x17\xf3\xf3\x20\1\x40\2', b'\x13\0\x42\x10\x10\x1b\2\x20',
                      b'\x13\0\0\x15\x08\x10', b'\x13\0\0\3\4\0\x20'],
                 b'\0\0\x10\x13'),
}
EVENTS = 32
HOWS = {'fuzz_client': (b'\0', b'\x08', b'\x18', b'\x40', b'\x80'), 'fuzz_hub': (b'\0', b'\x08', b'\x18')}
# Time passes to a limit, or to a moment before or behind it.
LIMITS = {'fuzz_client': range(22 + 128, 256, EVENTS), 'fuzz_hub': range(19, 256, EVENTS)}


def of_events(target: str) -> Iterator[bytes]:
    start, beginnings, end = BEGINNINGS[target]
    for beginning in beginnings:
        for event in (*range(EVENTS), *LIMITS[target]):
            for how in HOWS[target]:
                yield start + beginning + bytes([event]) + how + end


def vectors(source: str, target: str) -> Iterator[bytes]:
    with open(source, encoding='utf-8') as file:
        found = json.load(file)
    for group in found['testGroups']:
        if RECEIVERS.get(target) in (None, group.get('receiver')):
            for test in group['tests']:
                octets = expand(test['octets'])
                yield from of_json(target, octets) if group['type'] == 'json' else [AS.get(target, bytes)(octets)]


def main(source: str, target: str, directory: str) -> None:
    """`source` is a file of vectors, or `events`."""
    os.makedirs(directory, exist_ok=True)
    name = os.path.basename(source).split('.')[0]
    found = of_events(target) if source == 'events' else vectors(source, target)
    for number, seed in enumerate(dict.fromkeys(found)):
        if len(seed) <= SIZE_MAX:
            with open('%s/%s-%d' % (directory, name, number), 'wb') as file:
                file.write(seed)


if __name__ == '__main__':
    main(*sys.argv[1:])
