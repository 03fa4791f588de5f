# SPDX-License-Identifier: MIT
"""The Promela models of spec/model/, checked by spin: the assertions of each, and each of its ltl formulas."""
import concurrent.futures
import functools
import os
import re
import subprocess
import time
from collections import namedtuple

import mutants
import steps
import tree

DIRECTORY = 'spec/model'
FAULTS = DIRECTORY + '/faults.txt'
DEPTH = 1000000
MEMORY_MB = 6000
TRAIL_STEPS = 60
REQUIREMENT = re.compile(r'BH-[A-Z]+-\d{3}')

Found = namedtuple('Found', 'states depth seconds error trail')


def models():
    return sorted(name for name in os.listdir(os.path.join(tree.TOP, DIRECTORY)) if name.endswith('.pml'))


def properties(text):
    """[(formula or '' for the assertions, requirement ids)]. A formula's ids stand in the comment before it."""
    found = [('', REQUIREMENT.findall('\n'.join(line for line in text.split('\n') if 'assert(' in line)))]
    for comment, name in re.findall(r'/\*([^/]*?)\*/\nltl (\w+)', text):
        found.append((name, REQUIREMENT.findall(comment)))
    return [(name, sorted(set(ids))) for name, ids in found]


def output(argv, directory):
    done = subprocess.run(argv, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    return done.stdout


def what_failed(text, said, formula):
    """The requirements that the failed assertion stands for, or the formula."""
    failed = re.search(r'assertion violated (.*) \(at depth', said)
    if not failed:
        return '%s (%s)' % (' '.join(dict(properties(text))[formula]), formula) if formula else 'an end that is none'
    names = re.compile(r'[a-z_]{2,}')
    for line in text.split('\n'):
        asserted = re.search(r'assert\((.*)\)', line)
        # spin puts values for constants, macros and the parameters of what is inlined.
        if asserted and set(names.findall(failed[1])) <= set(names.findall(asserted[1].lower())):
            return ' '.join(REQUIREMENT.findall(line)) or asserted[1]
    return failed[1]


def check(text, formula, directory, troubles):
    """Runs the verifier that spin makes of the model."""
    start = time.monotonic()
    os.makedirs(directory, exist_ok=True)
    for name in os.listdir(directory):
        os.remove(os.path.join(directory, name))
    with open(os.path.join(directory, 'model.pml'), 'w', encoding='utf-8') as file:
        file.write(text)
    define = ['-DTROUBLES=%s' % troubles] if troubles else []
    said = output(['spin', *define, '-a', 'model.pml'], directory)
    if not os.path.exists(os.path.join(directory, 'pan.c')):
        return Found(0, 0, 0, said, '')
    kind = ['-DNFAIR=3'] if formula else ['-DSAFETY', '-DNOCLAIM']
    said = output(['gcc', '-O2', '-w', '-DCOLLAPSE', '-DMEMLIM=%d' % MEMORY_MB, *kind, '-o', 'pan', 'pan.c'], directory)
    if said:
        return Found(0, 0, 0, said, '')
    said = output(['./pan', '-n', '-m%d' % DEPTH] + (['-a', '-N', formula] if formula else []), directory)
    states = re.search(r'(\d+) states, stored', said)
    depth = re.search(r'depth reached (\d+)', said)
    complete = 'Search not completed' not in said and re.search(r'errors: 0\b', said)
    trail, error = '', ''
    if os.path.exists(os.path.join(directory, 'model.pml.trail')):
        trail = output(['spin', *define, '-t', '-p', '-g', 'model.pml'], directory)
        error = what_failed(text, said, formula)
    elif not complete:
        error = said
    return Found(int(states[1]) if states else 0, int(depth[1]) if depth else 0, time.monotonic() - start, error, trail)


def run(build, troubles, formulas_alone=False):
    """All models; prints a table. `troubles`: how many instead of the models' own, in the formulas alone or in all."""
    tries = []
    for name in models():
        text = tree.read('%s/%s' % (DIRECTORY, name))
        for formula, ids in properties(text):
            directory = os.path.join(build, name[:-len('.pml')] + '-' + (formula or 'assertions'))
            bound = troubles if formula or not formulas_alone else ''
            tries.append((name, formula, ids, functools.partial(check, text, formula, directory, bound)))
    counts = []
    print('%-14s %-18s %11s %6s %6s  %s' % ('model', 'property', 'states', 'depth', 's', 'stands for'))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        checked = pool.map(lambda one: one[3](), tries)
        for (name, formula, ids, _), found in zip(tries, checked):
            print('%-14s %-18s %11d %6d %6.1f  %s' %
                  (name, formula or 'assertions', found.states, found.depth, found.seconds, ' '.join(ids)), flush=True)
            if found.error:
                print('\n'.join(found.trail.split('\n')[-TRAIL_STEPS:]))
                print('FAILED: %s: %s' % (name, found.error))
            counts.append(steps.Counts(not found.error, bool(found.error), 0))
    return steps.add(counts)


def fault_found(fault, build):
    text = mutants.apply(fault, *mutants.paths(fault))
    for formula, _ in properties(text):
        found = check(text, formula, os.path.join(build, 'fault-' + fault.name), '')
        if found.error and not found.trail:
            return ['%s: cannot be checked: %s' % (fault.name, found.error)]
        if found.error:
            print('%-26s %8d states  %s\n%45s%s' % (fault.name, found.states, found.error, '', fault.what), flush=True)
            return []
    return ['%s: not found: %s' % (fault.name, fault.what)]


def run_faults(build):
    return steps.add(steps.complaints(fault.name, fault_found(fault, build)) for fault in mutants.read(FAULTS))
