# SPDX-License-Identifier: MIT
"""What is exported: arrays and objects as Bridge sends them, each with an id of its own in its first asset."""
from __future__ import annotations

import json
import os
import random
import re
import zlib
from dataclasses import dataclass

ID = re.compile(r'\[\{"id":"(export-\d+)"')
LARGEST = 2_900_000  # a batch of a hundred plants
SMALLEST = 200
# How many in a thousand, and their sizes in octets.
MIX = ((250, SMALLEST, 2_000), (600, 2_000, 30_000), (144, 30_000, 170_000), (6, LARGEST - 100_000, LARGEST))


@dataclass(frozen=True)
class Value:
    export: str
    octets: bytes  # as they are sent
    size: int      # of the array that the client is to be given
    crc: int


def checksum(array: bytes) -> int:
    return zlib.crc32(array)


def export_of(assets: str) -> str | None:
    """The id in an array that a client was given."""
    found = ID.match(assets)
    return found[1] if found else None


class Payloads:
    def __init__(self, directory: str) -> None:
        self._members = [members for name in sorted(os.listdir(directory)) if name.endswith('.json')
                         for members in self._read(os.path.join(directory, name))]

    @staticmethod
    def _read(path: str) -> list[bytes]:
        """The assets of a file, each as the octets of its members, without its id."""
        with open(path, encoding='utf-8') as file:
            assets = json.load(file)
        return [json.dumps({name: value for name, value in asset.items() if name != 'id'},
                           ensure_ascii=False).encode()[1:-1] for asset in assets]

    def value(self, number: int, chance: random.Random) -> Value:
        export = 'export-%07d' % number
        size = self._size(chance)
        first = b'{"id":"%s","name":"' % export.encode()
        if size < 2_000:
            assets = [first + b'x' * (size - len(first) - 4) + b'"}']
        else:
            assets = [first + b'first"}']
            left = size - len(assets[0])
            while left > 0:
                assets.append(b'{"id":"%d",%s}' % (len(assets), chance.choice(self._members)))
                left -= len(assets[-1])
        array = b'[' + b','.join(assets) + b']'
        # An object stands for an array of one.
        octets = array[1:-1] if len(assets) == 1 and chance.random() < 0.5 else array
        return Value(export, octets, len(array), checksum(array))

    @staticmethod
    def _size(chance: random.Random) -> int:
        draw = chance.randrange(1000)
        for share, least, most in MIX:
            if draw < share:
                return chance.randint(least, most)
            draw -= share
        return SMALLEST
