# SPDX-License-Identifier: MIT
"""Faults planted into copies of the sources, to see that they are found.

A table has, for each: `= NAME`, a line that says what is wrong, the file, the lines that stand there (each behind a -)
and those that replace them (each behind a +).
"""
import re
from collections import namedtuple

import tree

Mutant = namedtuple('Mutant', 'name what path old new')


def read(table):
    """[Mutant] of a table, a path from the top."""
    text = '\n'.join(line for line in tree.read(table).split('\n') if not line.startswith('#'))
    return [_parse(table, block) for block in re.split(r'^= ', text, flags=re.MULTILINE)[1:]]


def _parse(table, block):
    name, what, path, *changes = block.strip('\n').split('\n')
    old = '\n'.join(line[1:] for line in changes if line.startswith('-'))
    new = '\n'.join(line[1:] for line in changes if line.startswith('+'))
    if not old or any(line[:1] not in '-+' for line in changes):
        raise ValueError('%s: %s: lines to replace begin with -, those instead with +' % (table, name))
    return Mutant(name, what, path, old, new)


def apply(mutant):
    """The source with the fault in it."""
    text = tree.read(mutant.path)
    if text.count(mutant.old) != 1:
        raise ValueError('mutant %s: %s has %d times: %s' %
                         (mutant.name, mutant.path, text.count(mutant.old), mutant.old))
    return text.replace(mutant.old, mutant.new)


def source(env, mutant, path):
    """The node of that source, at `path`."""
    def write(target, source, env):
        with open(target[0].get_path(), 'w', encoding='utf-8') as file:
            file.write(apply(mutant))

    return env.Command(path, ['#' + mutant.path, env.Value(mutant._asdict())], env.Action(write, 'mutate  $TARGET'))
