# SPDX-License-Identifier: MIT
"""`scons fuzz-bench`: how fast the targets are, beside one that does nothing."""
import os
import re
import shutil
import subprocess
import tempfile

import fuzzing
import steps
import tree

SECONDS = 20
# What each must have of the executions a second of the target that does nothing, in percent.
LEAST = {'fuzz_message': 70, 'fuzz_hub': 40}
# Under libFuzzer, fuzz_message alone on a processor.
LIBFUZZER_LEAST = 200_000

# Both fuzzers write a file for each input that they keep, thousands in these seconds: the disk's speed is another matter.
MEMORY = '/dev/shm' if os.path.isdir('/dev/shm') else None


def _start(program, seeds, directory):
    environment = {**os.environ, **fuzzing.ENVIRONMENT, 'AFL_NO_UI': '1', 'FUZZ_DIRECTORY': directory}
    argv = ['afl-fuzz', '-i', seeds, '-o', directory + '/out', '-t', fuzzing.TIMEOUT_MS, '-m', 'none', '-V', str(SECONDS), '--', program]
    return subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)


def _side_by_side(nothing, target):
    """(executions a second of nothing, of the target, stability): both at the same time, on the target's corpus."""
    place = tempfile.mkdtemp(dir=MEMORY)
    try:
        seeds = place + '/seeds'
        fuzzing.gather(target, seeds)
        processes = []
        for name, program in [('nothing', nothing), ('target', fuzzing.path(target.program))]:
            os.mkdir(os.path.join(place, name))
            processes.append(_start(program, seeds, os.path.join(place, name)))
        for process in processes:
            process.wait()
        found = [next(iter(fuzzing.statistics(os.path.join(place, name)).values())) for name in ['nothing', 'target']]
        return float(found[0]['execs_per_sec']), float(found[1]['execs_per_sec']), found[1]['stability']
    finally:
        shutil.rmtree(place)


def afl(built):
    nothing = fuzzing.path(built['afl']['fuzz']['nothing'].program)
    complaints = []
    print('%-14s %12s %12s %10s %10s' % ('AFL++', 'nothing', 'the target', 'of it', 'stability'))
    for name in sorted(name for name in built['afl']['fuzz'] if name.startswith('fuzz_')):
        ceiling, speed, stability = _side_by_side(nothing, built['afl']['fuzz'][name])
        print('%-14s %10.0f/s %10.0f/s %8.0f %% %10s' % (name, ceiling, speed, 100 * speed / ceiling, stability), flush=True)
        if 100 * speed < LEAST.get(name, 0) * ceiling:
            complaints.append('%s: %d %% of a target that does nothing are wanted' % (name, LEAST[name]))
        if stability != '100.00%':
            complaints.append('%s: it does not do the same each time: %s' % (name, stability))
    return complaints


def libfuzzer(built):
    target = built['libfuzzer']['fuzz']['fuzz_message']
    place = tempfile.mkdtemp(dir=MEMORY)
    try:
        # The corpus has what the vectors come to, in the fewest inputs.
        shutil.copytree(os.path.join(tree.TOP, 'fuzz/corpus', target.name), place, dirs_exist_ok=True)
        done = subprocess.run([fuzzing.path(target.program), '-max_total_time=%d' % SECONDS, '-print_final_stats=1', place],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    finally:
        shutil.rmtree(place)
    speed = int(re.search(r'average_exec_per_sec: +(\d+)', done.stdout.decode('utf-8', 'replace'))[1])
    print('libFuzzer, fuzz_message: %d/s' % speed)
    return ['%d/s are wanted under libFuzzer' % LIBFUZZER_LEAST] if speed < LIBFUZZER_LEAST else []


def run(built):
    return steps.add([steps.complaints('AFL++', afl(built)), steps.complaints('libFuzzer', libfuzzer(built))])
