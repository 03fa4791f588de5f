# SPDX-License-Identifier: MIT
"""A dictionary for the fuzzers: dictionary.py > FILE

The words are the terminals of spec/messages.abnf, the names, words and limits of the bodies in spec/schema/*.json, and the large
numbers of spec/protocol.md. Each limit comes with the number behind it.
"""
import glob
import json
import os
import re

SPEC = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'spec')


def of_grammar(text: str) -> set[bytes]:
    rules = re.sub(r';.*', '', text)
    words = {word.encode() for word in re.findall(r'"([^"]+)"', rules)}
    octets = re.findall(r'%x([0-9A-F]{2}(?:\.[0-9A-F]{2})*)(?!-)', rules)
    return words | {bytes.fromhex(run.replace('.', '')) for run in octets}


def and_next(number: int) -> set[bytes]:
    return {b'%d' % number, b'%d' % (number + 1)}


def of_protocol(text: str) -> set[bytes]:
    found: set[bytes] = set()
    for number in re.findall(r'(?<!RFC )\b\d{4,}\b', text):
        found |= and_next(int(number))
    return found


def of_schema(value: object) -> set[bytes]:
    """The names of members as they stand in JSON, and the words and largest numbers that are allowed as values."""
    found: set[bytes] = set()
    if isinstance(value, dict):
        found |= {b'"%s":' % name.encode() for name in value.get('properties', {})}
        for word in value.get('enum', []) + ([value['const']] if 'const' in value else []):
            found.add(json.dumps(word).encode())
        if isinstance(value.get('maximum'), int):
            found |= and_next(value['maximum'])
        for inner in value.values():
            found |= of_schema(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= of_schema(inner)
    return found


def main() -> None:
    with open(SPEC + '/messages.abnf', encoding='utf-8') as file:
        words = of_grammar(file.read())
    with open(SPEC + '/protocol.md', encoding='utf-8') as file:
        words |= of_protocol(file.read())
    for path in sorted(glob.glob(SPEC + '/schema/*.schema.json')):
        if 'vectors' not in path:
            with open(path, encoding='utf-8') as file:
                words |= of_schema(json.load(file))
    for word in sorted(words):
        print('"%s"' % ''.join('\\x%02x' % octet for octet in word))


if __name__ == '__main__':
    main()
