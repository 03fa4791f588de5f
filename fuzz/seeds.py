# SPDX-License-Identifier: MIT
"""Seeds for the fuzzers: the octets of the vectors, a file each. seeds.py FILE.json DIRECTORY"""
import json
import os
import sys

# What a fuzzer can still turn over many thousand times a second.
SIZE_MAX = 100_000


def expand(octets: dict) -> bytes:
    if 'text' in octets:
        return octets['text'].encode('utf-8', 'surrogatepass')
    if 'hex' in octets:
        return bytes.fromhex(octets['hex'])
    if 'repeat' in octets:
        return expand(octets['repeat']) * octets['repeat']['count']
    return b''.join(expand(part) for part in octets['parts'])


def main(source: str, directory: str) -> None:
    with open(source, encoding='utf-8') as file:
        groups = json.load(file)['testGroups']
    os.makedirs(directory, exist_ok=True)
    for test in (test for group in groups for test in group['tests']):
        seed = expand(test['octets'])
        if len(seed) <= SIZE_MAX:
            with open('%s/%d' % (directory, test['tcId']), 'wb') as file:
                file.write(seed)


if __name__ == '__main__':
    main(*sys.argv[1:])
