#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the schemas and the vectors against each other.

Each schema is right by its own meta-schema, each file of vectors by vectors.schema.json. A valid body, or state file,
must be right by its schema, and a wrong one must not, unless it is wrong in a way that no schema can see: such tests
have the flag NotInSchema, and a needless flag is a fault too. Exit status: 0, or 1 where there is a fault.
"""
import glob
import json
import os
import re
import sys
import warnings

with warnings.catch_warnings():
    # Debian's release has nothing newer than RefResolver, which newer releases advise against.
    warnings.simplefilter('ignore', DeprecationWarning)
    from jsonschema import Draft202012Validator, RefResolver
    from jsonschema.exceptions import best_match

HERE = os.path.dirname(os.path.abspath(__file__))
SPEC = os.path.dirname(HERE)
BODIES = {
    ('REGISTER', 'hub'): 'register',
    ('UNREGISTER', 'hub'): 'unregister',
    ('CLAIM_ACTIVE', 'hub'): 'claim_active',
    ('RELEASE_ACTIVE', 'hub'): 'release_active',
    ('HEARTBEAT', 'hub'): 'heartbeat_client',
    ('HEARTBEAT', 'client'): 'heartbeat_hub',
    ('IMPORT_DATA', 'client'): 'import_data',
    ('ERROR', 'hub'): 'error',
    ('ERROR', 'client'): 'error',
}
ANSWERS = {'REGISTER': 'ack_register', 'CLAIM_ACTIVE': 'ack_claim_active', 'RELEASE_ACTIVE': 'ack_release_active'}

faults = []


def fault(where, what):
    faults.append('%s: %s' % (where, what))


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def load_schemas():
    schemas = {}
    for path in sorted(glob.glob(os.path.join(HERE, '*.schema.json'))):
        name = os.path.basename(path)
        schema = json.loads(read(path))
        Draft202012Validator.check_schema(schema)
        if schema.get('$id') != name:
            fault(name, 'its $id is not its name')
        schemas[name] = schema
    return schemas


def validators(schemas):
    made = {}
    for name, schema in schemas.items():
        resolver = RefResolver(name, schema, store=schemas)
        made[name[:-len('.schema.json')]] = Draft202012Validator(schema, resolver=resolver)
    return made


def expand(octets):
    parts = [part.get('repeat', part) for part in octets.get('parts', [octets])]
    return b''.join((part['text'].encode() if 'text' in part else bytes.fromhex(part['hex'])) * part.get('count', 1)
                    for part in parts)


class Checker:
    def __init__(self, by_name):
        self.by_name = by_name
        self.checked = {name: 0 for name in by_name}

    def check(self, where, name, octets, right, flags):
        """One text against one schema. What is no JSON text is for the recogniser to find."""
        try:
            value = json.loads(octets) if octets else {}
        except (ValueError, RecursionError):
            if right:
                fault(where, 'it is not JSON')
            return
        if 'NotJson' in flags:
            return
        expected = right or 'NotInSchema' in flags
        found = self.by_name[name].is_valid(value)
        self.checked[name] += 1
        if found and not expected:
            fault(where, '%s takes it' % name)
        if expected and not found:
            fault(where, '%s refuses it' % name + ('' if right else ', against its flag NotInSchema'))

    def body(self, test, receiver, kind, octets, right):
        name = BODIES.get((kind, receiver))
        if kind == 'ACK':
            requests = dict(enumerate(test.get('requests', []), 1))
            try:
                answered = json.loads(octets).get('for')
            except (ValueError, AttributeError):
                answered = None
            name = ANSWERS.get(requests.get(answered), 'ack')
        if name is not None:
            self.check('tcId %d' % test['tcId'], name, octets, right, test['flags'])

    def direction(self, test, receiver):
        octets = expand(test['octets'])
        wrong = sum(message['verdict'] != 'valid' for message in test['messages'])
        for message in test['messages']:
            begin = octets.index(b'\n') + 1
            end = begin + message['length']
            if message['verdict'] == 'valid' or (message['verdict'] == 'bad-body' and wrong == 1):
                self.body(test, receiver, message['type'], octets[begin:end], message['verdict'] == 'valid')
            octets = octets[end:]
        if test['end'] == 'break' and 'BH-MSG-007' in test['requirements']:
            header, body = octets.split(b'\n', 1)
            self.body(test, receiver, header.split(b' ')[1].decode(), body, False)

    def state(self, test):
        right = test['result'] == 'valid'
        self.check('tcId %d' % test['tcId'], 'state', expand(test['octets']), right, test['flags'])


def check_file(path, checker, requirements, ids):
    name = os.path.basename(path)
    file = json.loads(read(path))
    problem = best_match(checker.by_name['vectors'].iter_errors(file))
    if problem is not None:
        fault(name, '%s: %s' % ('/'.join(map(str, problem.absolute_path)), problem.message[-200:]))
        return
    tests = [(group, test) for group in file['testGroups'] for test in group['tests']]
    if file['numberOfTests'] != len(tests):
        fault(name, 'it has %d tests, not %d' % (len(tests), file['numberOfTests']))
    used = {flag for _, test in tests for flag in test['flags']}
    for flag in used ^ set(file['notes']):
        fault(name, 'the flag %s is %s' % (flag, 'without a note' if flag in used else 'used by no test'))
    for group, test in tests:
        if test['tcId'] in ids:
            fault(name, 'tcId %d stands in %s too' % (test['tcId'], ids[test['tcId']]))
        ids[test['tcId']] = name
        for unknown in set(test['requirements']) - requirements:
            fault('tcId %d' % test['tcId'], '%s is no requirement' % unknown)
        if group['type'] == 'direction':
            checker.direction(test, group['receiver'])
        elif group['type'] == 'state':
            checker.state(test)


def main():
    checker = Checker(validators(load_schemas()))
    requirements = set(re.findall(r'\*\*(BH-[A-Z]+-[0-9]{3})\*\*', read(os.path.join(SPEC, 'protocol.md'))))
    files = sorted(glob.glob(os.path.join(SPEC, 'vectors', '*.json')))
    ids = {}
    for path in files:
        check_file(path, checker, requirements, ids)
    for name, count in checker.checked.items():
        if count == 0 and name not in ('common', 'vectors'):
            fault(name, 'no vector tries this schema')
    for line in faults:
        print(line)
    print('%d schemas, %d files of vectors, %d vectors, %d texts held against a schema: %d faults' %
          (len(checker.by_name), len(files), len(ids), sum(checker.checked.values()), len(faults)))
    return 1 if faults or not files else 0


if __name__ == '__main__':
    sys.exit(main())
