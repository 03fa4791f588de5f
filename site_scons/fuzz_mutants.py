# SPDX-License-Identifier: MIT
"""`scons fuzz-mutants`: how long AFL++ takes to find each of the faults in fuzz/mutants.txt."""
import glob
import os
import shutil
import subprocess
import tempfile
import time

import fuzzing
import steps


def _hunt(program, seeds, seconds, words):
    """Seconds until the first crash; None: none in that time."""
    place = tempfile.mkdtemp()
    environment = {**os.environ, **fuzzing.ENVIRONMENT, 'AFL_NO_UI': '1', 'AFL_BENCH_UNTIL_CRASH': '1', 'FUZZ_DIRECTORY': place}
    argv = ['afl-fuzz', '-i', seeds, '-o', place + '/out', '-x', words, '-t', fuzzing.TIMEOUT_MS, '-m', 'none',
            '-V', str(seconds), '--', program]
    start = time.monotonic()
    try:
        subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        return time.monotonic() - start if glob.glob(place + '/out/*/crashes/id:*') else None
    finally:
        shutil.rmtree(place)


def _is_found(program, directory):
    """One input of it shows the fault."""
    return subprocess.run([program] + sorted(glob.glob(directory + '/*')), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def find(mutant, program, target, minutes, words):
    """First from nothing: an input of one octet. Where that takes too long, from what the tree knows."""
    place = tempfile.mkdtemp()
    try:
        with open(place + '/0', 'wb') as file:
            file.write(b'0')
        seconds, how = _hunt(program, place, round(minutes * 60), words), 'from nothing'
        if seconds is None:
            corpus = tempfile.mkdtemp(dir=place)
            fuzzing.gather(target, corpus)
            if _is_found(program, corpus):
                seconds, how = 0, 'by the corpus, which the tests replay'
            else:
                seconds, how = _hunt(program, corpus, round(minutes * 60), words), 'from the corpus'
    finally:
        shutil.rmtree(place)
    if seconds is None:
        return ['%s: not found in %g minutes: %s' % (mutant.name, minutes, mutant.what)]
    print('%-28s %-13s %5.0f s  %-38s %s' % (mutant.name, mutant.cases[0], seconds, how, mutant.what), flush=True)
    return []


def run(found, targets, minutes, words):
    tries = [(mutant.name, lambda m=mutant, p=program: find(m, fuzzing.path(p), targets[m.cases[0]], minutes, words))
             for mutant, program in found]
    return steps.together(tries)
