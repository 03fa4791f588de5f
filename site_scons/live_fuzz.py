# SPDX-License-Identifier: MIT
"""The suite's --fuzz: on the reference and the example, and held against the faults of conformance/fuzz/mutants.txt, of which each
must be found, and found again by the line that is told for it."""
import functools
import re
import subprocess
import time

import killing
import mutants
import steps
import tree
import validators

TABLE = 'conformance/fuzz/mutants.txt'
# Where nobody says for how long.
SECONDS = 20
SEED = 1
# What has been found is made shorter for half a minute, each case by itself.
SECONDS_MORE = 300

AGAIN = re.compile(r'^      again     (.*)$', re.MULTILINE)


def planted(globs=''):
    """[Mutant], or those whose names fit one of the globs."""
    return validators.mutants(mutants.read(TABLE), globs, TABLE)


def arguments(suite, command, seconds, *more):
    return [suite, '--vectors', 'spec/vectors', '--fuzz', str(seconds), '--hub', command, *more]


def _run(argv, seconds_max=SECONDS + SECONDS_MORE, **more):
    return subprocess.run(argv, cwd=tree.TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=seconds_max, **more)


def _again(text):
    """Complaints: lines that do not fail again."""
    lines = AGAIN.findall(text)
    kept = [line for line in lines if _run(line, shell=True).returncode == 1]
    return ['it does not fail again: %s' % line for line in lines if line not in kept], len(lines)


def find(suite, command, mutant):
    """Complaints; a line is printed."""
    start = time.monotonic()
    done = _run(arguments(suite, command, SECONDS, '--seed', str(SEED), '--jobs', '1', *mutant.cases))
    took, text = time.monotonic() - start, done.stdout.decode(errors='replace')
    verdicts = {slug: verdict for verdict, slug in killing.VERDICT.findall(text)}
    missed = [slug for slug in mutant.cases if verdicts.get(slug) not in killing.KILLS]
    steady, lines = _again(text)
    print('%-34s %d of %d cases, %5.1f s, %d lines run again  %s' %
          (mutant.name, len(mutant.cases) - len(missed), len(mutant.cases), took, lines, mutant.what), flush=True)
    complaints = ['%s is not found by %s in %d s: %s' % (mutant.name, slug, SECONDS, verdicts.get(slug, 'PASS')) for slug in missed]
    return complaints + ['%s: %s' % (mutant.name, text) for text in steady]


def mutants_step(suite, hub, programs):
    tries = [(mutant.name, functools.partial(find, suite, hub % program, mutant)) for mutant, program in programs]
    return steps.together(tries, 2)
