# SPDX-License-Identifier: MIT
"""Seeds for the fuzzers: the octets of the vectors, a file each, as the target takes them.

seeds.py VECTORS.json TARGET DIRECTORY
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


def vectors(source: str, target: str) -> Iterator[tuple[int, bytes]]:
    with open(source, encoding='utf-8') as file:
        groups = json.load(file)['testGroups']
    for group in groups:
        if RECEIVERS.get(target) in (None, group.get('receiver')):
            for test in group['tests']:
                yield test['tcId'], expand(test['octets'])


def main(source: str, target: str, directory: str) -> None:
    os.makedirs(directory, exist_ok=True)
    for number, octets in vectors(source, target):
        seed = AS.get(target, bytes)(octets)
        if len(seed) <= SIZE_MAX:
            with open('%s/%d' % (directory, number), 'wb') as file:
                file.write(seed)


if __name__ == '__main__':
    main(*sys.argv[1:])
