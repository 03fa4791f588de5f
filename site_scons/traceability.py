# SPDX-License-Identifier: MIT
"""Holds the specification against what shows that it is kept: each requirement with its cases, vectors, unit tests and
planted faults. A MUST that lacks a case or a fault is wrong, but for those in EXCEPTIONS, and so is what names nothing."""
import collections
import json
import os
import re

import killing
import mutants
import requirements
import steps
import tree

SPECIFICATION = 'spec/protocol.md'
EXCEPTIONS = 'conformance/untested.txt'
# Faults for others than the cases: what is changed in the sources must not leave them behind unnoticed.
OTHER_FAULTS = ['ref/simulation/mutants.txt', 'fuzz/mutants.txt', 'conformance/fuzz/mutants.txt', 'spec/model/faults.txt']

Shown = collections.namedtuple('Shown', 'cases vectors tests mutants')


def level(sentence):
    return next((word for word in ['MUST', 'SHOULD', 'MAY'] if re.search(r'\b%s\b' % word, sentence)), '')


def exceptions():
    """{id: reason}: a line has an id and the reason, which may go on in lines that begin with a space."""
    text = '\n'.join(line for line in tree.read(EXCEPTIONS).split('\n') if not line.startswith('#'))
    lines = re.sub(r'\n +', ' ', text).split('\n')
    return dict(line.split(' ', 1) for line in lines if line)


def vectors():
    """{id: {file: how many}}"""
    found = collections.defaultdict(collections.Counter)
    for name in tree.names('spec/vectors', '*.json'):
        for group in json.loads(tree.read('spec/vectors/' + name)).get('testGroups', []):
            for test in group['tests']:
                for identity in test.get('requirements', []):
                    found[identity][name] += 1
    return found


def unit_tests():
    """{id: [file]}"""
    found = collections.defaultdict(list)
    for place in ['ref', 'ragel', 'spec/vectors']:
        for name in tree.names(place, 'test_*.c'):
            for identity in sorted(set(requirements.MENTION.findall(tree.read('%s/%s' % (place, name))))):
                found[identity].append('%s/%s' % (place, name))
    return found


def gather(known, cases, planted):
    """{id: Shown}. A fault stands for the requirements of the cases that must find it."""
    in_vectors, in_tests = vectors(), unit_tests()
    shown = {identity: Shown([], in_vectors[identity], in_tests[identity], []) for identity in known}
    for case in cases:
        for identity in set(case.ids) & set(shown):
            shown[identity].cases.append(case.slug)
    ids = {case.slug: case.ids for case in cases}
    for mutant in planted:
        found = {identity for slug in killing.named(mutant, cases)[0] for identity in ids[slug]}
        for identity in found & set(shown):
            shown[identity].mutants.append(mutant.name)
    return shown


def complain(known, cases, planted, shown, excepted):
    """What is wrong: one text each."""
    wrong = ['%s names no requirement' % case.slug for case in cases if not case.ids]
    wrong += ['%s names %s, which is not in the specification' % (case.slug, identity)
              for case in cases for identity in case.ids if identity not in known]
    for mutant in planted:
        wrong += killing.named(mutant, cases)[1] + killing.misplaced(mutant)
    wrong += killing.unnamed(planted, cases)
    wrong += [text for table in OTHER_FAULTS for mutant in mutants.read(table) for text in killing.misplaced(mutant)]
    for identity, sentence in known.items():
        if level(sentence) == 'MUST' and identity not in excepted:
            wrong += ['%s has no case: %s' % (identity, sentence)] * (not shown[identity].cases)
            wrong += ['%s has no mutant: %s' % (identity, sentence)] * (not shown[identity].mutants)
    for identity in excepted:
        if identity not in known:
            wrong.append('%s: %s is not in the specification' % (EXCEPTIONS, identity))
        elif shown[identity].cases and shown[identity].mutants:
            wrong.append('%s: %s has a case and a mutant, and needs no exception' % (EXCEPTIONS, identity))
    return wrong


def _names(title, names):
    return ['- %s: %s' % (title, ', '.join('`%s`' % name for name in names))] if names else []


def _entry(identity, sentence, found, exception):
    counted = ['%s (%d)' % (name, count) for name, count in sorted(found.vectors.items())]
    lines = (_names('cases', found.cases) + _names('vectors', counted) + _names('unit tests', found.tests) +
             _names('faults that the cases find', found.mutants))
    if exception:
        lines.append('- not tested from outside: ' + exception)
    return ['**%s** %s' % (identity, sentence), '', *(lines or ['- *nothing*']), '']


def page(shown, excepted):
    """Markdown."""
    lines = ['# What shows that each requirement is kept', '',
             'Made from %s, the cases, the vectors, the unit tests and the planted faults.' % SPECIFICATION, '']
    for title, entries in requirements.sections(tree.read(SPECIFICATION)):
        lines += ['## ' + title, '']
        for identity, sentence in entries:
            lines += _entry(identity, sentence, shown[identity], excepted.get(identity))
    return '\n'.join(lines)


def run(suite, path):
    """Counts; writes the page to `path`."""
    known = dict(requirements.parse(tree.read(SPECIFICATION)))
    cases, planted, excepted = killing.catalogue(suite), killing.planted(), exceptions()
    shown = gather(known, cases, planted)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(page(shown, excepted))
    levels = collections.Counter(map(level, known.values()))
    print('%d requirements, of which %d MUST (%d not tested from outside), %d SHOULD, %d MAY; %d cases, %d mutants: %s' %
          (len(known), levels['MUST'], len(excepted), levels['SHOULD'], levels['MAY'], len(cases), len(planted), path))
    for identity, sentence in known.items():
        if level(sentence) != 'MUST' and not shown[identity].cases:
            print('%s, a %s, has no case' % (identity, level(sentence)))
    return steps.complaints('traceability', complain(known, cases, planted, shown, excepted))
