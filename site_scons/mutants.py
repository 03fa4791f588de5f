# SPDX-License-Identifier: MIT
"""Faults planted into copies of the sources, to see that they are found.

A table has, for each: `= NAME`; a line that says what is wrong; where the table is the conformance suite's, `cases:` and
the cases that must find it, by globs; and the change: the file, the lines that stand there just once (each behind a -) and
those that replace them (each behind a +). Where one change cannot be the fault, more follow: lines behind - and +, or
another file first.
"""
import os
import re
from collections import namedtuple

import tree

Mutant = namedtuple('Mutant', 'table name what cases changes')
Change = namedtuple('Change', 'path old new')

CASES = 'cases:'


def read(table):
    """[Mutant] of a table, a path from the top."""
    text = '\n'.join(line for line in tree.read(table).split('\n') if not line.startswith('#'))
    found = [_parse(table, block) for block in re.split(r'^= ', text, flags=re.MULTILINE)[1:]]
    names = [mutant.name for mutant in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError('%s: there are several of %s' % (table, ', '.join(twice)))
    return found


def _parse(table, block):
    name, what, *lines = [line for line in block.split('\n') if line]
    cases = lines.pop(0)[len(CASES):].split() if lines and lines[0].startswith(CASES) else []
    changes, path, before = [], '', ''
    for line in lines:
        if line[0] not in '-+':
            path = line
        if line[0] not in '-+' or line[0] == '-' and before == '+':
            changes.append(Change(path, [], []))
        if line[0] in '-+' and changes:
            (changes[-1].old if line[0] == '-' else changes[-1].new).append(line[1:])
        before = line[0]
    if not changes or lines[0] != changes[0].path or not all(change.old for change in changes):
        raise ValueError('%s: %s: a file, the lines to replace behind -, and those instead behind +' % (table, name))
    return Mutant(table, name, what, cases, [Change(c.path, '\n'.join(c.old), '\n'.join(c.new)) for c in changes])


def paths(mutant):
    """The files that it changes."""
    return sorted({change.path for change in mutant.changes})


def apply(mutant, path):
    """That source with the fault in it."""
    text = tree.read(path)
    for change in mutant.changes:
        if change.path != path:
            continue
        if text.count(change.old) != 1:
            raise ValueError('mutant %s: %s has %d times: %s' % (mutant.name, path, text.count(change.old), change.old))
        text = text.replace(change.old, change.new)
    return text


def source(env, mutant, path, place):
    """The node of that source, in the directory `place`."""
    def write(target, source, env):
        with open(target[0].get_path(), 'w', encoding='utf-8') as file:
            file.write(apply(mutant, path))

    return env.Command(os.path.join(place, os.path.basename(path)), ['#' + path, env.Value(mutant._asdict())],
                       env.Action(write, lambda target, source, env: 'mutate  %s' % target[0]))
