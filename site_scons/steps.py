# SPDX-License-Identifier: MIT
"""Targets that run something and count: all steps run, also after one has failed, and the counts are summed up.

As a program, adds up the counts that such targets left: steps.py RESULT.json ...
"""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import namedtuple

SECONDS_MAX = 900

# run(env) gives Counts; needs are the nodes that must be built before.
Step = namedtuple('Step', 'name needs run')
Counts = namedtuple('Counts', 'passed failed skipped')
NOTHING = Counts(0, 0, 0)


def add(counts):
    return Counts(*map(sum, zip(NOTHING, *counts)))


def line(counts):
    text = '%d passed, %d failed' % counts[:2]
    return text + (', %d skipped' % counts.skipped if counts.skipped else '')


def tap_counts(path):
    """A report cut short by a crash has fewer lines than its plan: the rest has failed."""
    if not os.path.exists(path):
        return NOTHING
    with open(path, encoding='utf-8', errors='replace') as file:
        text = file.read()
    skipped = len(re.findall(r'^ok\b.*# SKIP', text, re.MULTILINE))
    expected = len(re.findall(r'^not ok\b.*# TODO', text, re.MULTILINE))
    passed = len(re.findall(r'^ok\b', text, re.MULTILINE)) - skipped
    failed = len(re.findall(r'^not ok\b', text, re.MULTILINE)) - expected
    skipped += expected
    plan = re.search(r'^1\.\.(\d+)', text, re.MULTILINE)
    missing = int(plan[1]) - passed - failed - skipped if plan else 0
    return Counts(passed, failed + max(missing, 0), skipped)


def program(argv, tap=None, environment=None, reports=None, passing=(0,), seconds_max=SECONDS_MAX):
    """Runs a program from the top of the tree. Without a TAP report it counts as one. A file `reports`.* is a failure, and
    so is an exit status that is not among `passing`."""
    for path in [tap] * bool(tap) + glob.glob('%s.*' % reports):
        if os.path.exists(path):
            os.remove(path)
    print('$ ' + ' '.join("'%s'" % a if re.search(r"[\s{}*']", a) else a for a in argv), flush=True)
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    try:
        status = process.wait(seconds_max)
    except subprocess.TimeoutExpired:
        print('still running after %d s: ended' % seconds_max)
        process.terminate()
        status = process.wait()
    counts = tap_counts(tap) if tap else Counts(status == 0, 0, 0)
    left = sorted(glob.glob('%s.*' % reports))
    for path in left:
        with open(path, encoding='utf-8', errors='replace') as file:
            print(file.read())
    if (status not in passing or left) and not counts.failed:
        print('exit status %d, %d reports of a sanitizer' % (status, len(left)))
        counts = counts._replace(failed=max(len(left), 1))
    if counts.passed + counts.failed == 0:
        print('nothing was run')
        counts = counts._replace(failed=1)
    return counts


def complaints(name, found):
    """The outcome of one check."""
    for text in found:
        print(text)
    if found:
        print('FAILED: ' + name)
    return Counts(0, 1, 0) if found else Counts(1, 0, 0)


def together(functions, workers=os.cpu_count()):
    """Checks that may run side by side, each a (name, function)."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return add(complaints(name, found) for name, found in
                   zip([n for n, _ in functions], pool.map(lambda f: f[1](), functions)))


def run_one(step):
    print('\n== %s' % step.name, flush=True)
    start = time.monotonic()
    counts = step.run()
    return dict(counts._asdict(), step=step.name, seconds=round(time.monotonic() - start, 1))


class Beside:
    """Steps in a process of their own, whose output is kept until the end."""

    def __init__(self, steps):
        self.steps = steps
        self.output = tempfile.TemporaryFile()
        self.results = tempfile.TemporaryFile('w+')
        self.pid = os.fork()
        if self.pid == 0:
            self._run()

    def _run(self):
        try:
            os.dup2(self.output.fileno(), 1)
            os.dup2(self.output.fileno(), 2)
            for step in self.steps:
                json.dump(run_one(step), self.results)
                self.results.write('\n')
                self.results.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(0)  # the results say how it was

    def wait(self):
        """Results of all of them: one that was not come to has failed."""
        os.waitpid(self.pid, 0)
        self.output.seek(0)
        shutil.copyfileobj(self.output, sys.stdout.buffer)
        sys.stdout.flush()
        self.results.seek(0)
        results = [json.loads(text) for text in self.results]
        missing = [dict(Counts(0, 1, 0)._asdict(), step=step.name, seconds=0) for step in self.steps[len(results):]]
        return results + missing


def target(env, name, steps, beside=()):
    """`scons NAME` runs the steps and leaves their counts in build/VARIANT/results/NAME.json. Those `beside` run at the same
    time, one after another: they mostly wait for something else than a processor."""
    def run(target, source, env):
        others = Beside(beside) if beside else None
        try:
            results = [run_one(step) for step in steps]
        finally:
            beside_results = others.wait() if others else []
        results += beside_results
        with open(target[0].get_path(), 'w', encoding='utf-8') as file:
            json.dump(results, file, indent=1)
        return 1 if show(results).failed else 0

    path = '#build/%s/results/%s.json' % (env['variant'], name)
    node = env.Command(path, [s.needs for s in [*steps, *beside]], env.Action(run, None))
    # One at a time: what two print would mix.
    env.SideEffect('#build/.output', node)
    env.AlwaysBuild(env.Alias(name, node), node)


def show(results):
    print()
    width = max(len(r['step']) for r in results)
    for r in results:
        print('%-*s  %s  (%s s)' % (width, r['step'], line(Counts(r['passed'], r['failed'], r['skipped'])), r['seconds']))
    total = add(Counts(r['passed'], r['failed'], r['skipped']) for r in results)
    print(line(total), flush=True)
    return total


def main(paths):
    results = []
    for path in paths:
        label = path.replace('build/', '').replace('results/', '').replace('.json', '')
        if os.path.exists(path):
            with open(path, encoding='utf-8') as file:
                results += [dict(r, step='%s: %s' % (label, r['step'])) for r in json.load(file)]
        else:
            results.append({'step': '%s: did not come to its end' % label, 'passed': 0, 'failed': 1, 'skipped': 0,
                            'seconds': 0})
    return 1 if show(results).failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
