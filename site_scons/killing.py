# SPDX-License-Identifier: MIT
"""Holds the conformance suite against the faults in conformance/mutants/: each case that a mutant names must fail on it,
and each case of the suite must be named."""
import fnmatch
import functools
import os
import re
import subprocess
import time
from collections import namedtuple

import mutants
import steps
import tree
import validators

DIRECTORY = 'conformance/mutants'
SECONDS_MAX = 300

# The cases of a failing suite wait for what does not come: a processor does for two mutants, of which each runs two cases.
MUTANTS_AT_ONCE = 2 * os.cpu_count()
JOBS = '1'

KILLS = ('FAIL', 'CRASH', 'TIMEOUT', 'NON_STRICT')
VERDICT = re.compile(r'^  ([A-Z_]+) +(\S+/\S+)$', re.MULTILINE)

Case = namedtuple('Case', 'slug level ids')


def planted(globs=''):
    """[Mutant] of all tables, or those whose names fit one of the globs."""
    found = [mutant for table in tree.names(DIRECTORY, '*.txt') for mutant in mutants.read('%s/%s' % (DIRECTORY, table))]
    names = [mutant.name for mutant in found]
    for mutant in found:
        if names.count(mutant.name) > 1:
            raise ValueError('%s: another table has a %s too' % (mutant.table, mutant.name))
    return validators.mutants(found, globs, DIRECTORY)


def catalogue(suite):
    """[Case] in the order of the suite."""
    listed = subprocess.run([suite, '--list'], stdout=subprocess.PIPE, check=True, text=True).stdout
    return [Case(slug, level, ids) for slug, level, *ids in (line.split() for line in listed.splitlines())]


def named(mutant, cases):
    """The slugs of the cases that must find it, and complaints."""
    slugs = {case.slug: None for case in cases}
    fitting = {glob: [glob] if glob in slugs else fnmatch.filter(slugs, glob) for glob in mutant.cases}
    complaints = [] if mutant.cases else ['%s: names no case' % mutant.name]
    complaints += ['%s: no case is called %s' % (mutant.name, glob) for glob, found in fitting.items() if not found]
    chosen = {slug for found in fitting.values() for slug in found}
    return [slug for slug in slugs if slug in chosen], complaints


def misplaced(mutant):
    """Complaints: a change that fits its file no more."""
    try:
        for path in mutants.paths(mutant):
            mutants.apply(mutant, path)
    except (OSError, ValueError) as error:
        return [str(error)]
    return []


def unnamed(planted_ones, cases):
    """Complaints: cases that would never be seen to fail."""
    seen = {slug for mutant in planted_ones for slug in named(mutant, cases)[0]}
    return ['%s: no mutant names it' % case.slug for case in cases if case.slug not in seen]


def role(mutant):
    """What the fault is in, by its table."""
    return 'client' if os.path.basename(mutant.table).startswith('client') else 'hub'


def _verdicts(suite, command, mutant, slugs):
    argv = [suite, '--jobs', JOBS, '--vectors', 'spec/vectors', '--' + role(mutant), command, *slugs]
    try:
        done = subprocess.run(argv, cwd=tree.TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return dict.fromkeys(slugs, 'no end in %d s' % SECONDS_MAX)
    output = done.stdout.decode(errors='replace')
    fallback = {} if done.returncode in (0, 1, 2) else dict.fromkeys(slugs, 'status %d: %s' % (done.returncode, output[-400:]))
    return {**fallback, **{slug: verdict for verdict, slug in VERDICT.findall(output)}}


def kill(suite, command, mutant, cases):
    """Complaints; a line is printed."""
    slugs, complaints = named(mutant, cases)
    if complaints:
        return complaints
    start = time.monotonic()
    verdicts = _verdicts(suite, command, mutant, slugs)
    late = [slug for slug in slugs if verdicts.get(slug) == 'INCONCLUSIVE']
    if late:
        verdicts.update(_verdicts(suite, command, mutant, late))
    survived = [slug for slug in slugs if verdicts.get(slug) not in KILLS]
    print('%-32s %4d of %-4d %5.1f s  %s' % (mutant.name, len(slugs) - len(survived), len(slugs),
                                            time.monotonic() - start, mutant.what), flush=True)
    return ['%s: %s does not fail on it: %s' % (mutant.name, slug, verdicts.get(slug, 'PASS')) for slug in survived]


def run(suite, commands, programs, whole):
    """Counts for the (mutant, program) that there are; `whole`: they are all, and no case may be left. `commands` have a
    %s for the program, by role."""
    cases = catalogue(suite)
    print('%-32s %s' % ('mutant', 'killed by'))
    tries = [(mutant.name, functools.partial(kill, suite, commands[role(mutant)] % program, mutant, cases))
             for mutant, program in programs]
    counts = steps.together(tries, MUTANTS_AT_ONCE)
    if whole:
        left = unnamed([mutant for mutant, _ in programs], cases)
        counts = steps.add([counts, steps.complaints('each case fails on some mutant', left)])
        print('%d mutants, %d killed; %d cases, %d kill at least one' %
              (len(programs), counts.passed - (not left), len(cases), len(cases) - len(left)))
    return counts
