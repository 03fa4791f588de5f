# SPDX-License-Identifier: MIT
"""--fuzz as a CI meets it: a right hub goes through, a wrong one is found, told as a case, and found again by the line that is told.

BH_SUITE and BH_HUB name the programs. The wrong hubs are the example with a fault in it.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from test_running import CONFORMANT, FAULTS, INCONCLUSIVE, USAGE, run

EXAMPLE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'example')
ARGUMENTS = '--endpoint {endpoint} --port {port} --heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms} --need {need}'
AGAIN = re.compile(r'^      again     (.*)$', re.MULTILINE)
SENT = re.compile(r'^ +[0-9.]+ +(conn [0-9]+|bridge [0-9]+) +-> octets(.*)$', re.MULTILINE)

# What no right client sends ends it; and a type that it does not know is answered like one that it does not take.
JUDGE = '    def judge(self, kind: str, number: int, body: bytes) -> None:\n'
CRASH = (JUDGE, JUDGE + '        if 0x7f in body: import os; os.abort()\n')
WRONG_ANSWER = ("'unexpected' if kind in FROM_CLIENT | FROM_HUB else 'unknown-type'", "'unexpected'")


class FaultyExample:
    """A copy of the example with `old` of wire.py replaced by `new`."""

    def __init__(self, old, new):
        self.directory = tempfile.TemporaryDirectory()
        place = shutil.copytree(EXAMPLE, os.path.join(self.directory.name, 'example'))
        path = os.path.join(place, 'wire.py')
        with open(path, encoding='utf-8') as file:
            text = file.read()
        if old not in text:
            raise AssertionError('the example has this no more: ' + old)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text.replace(old, new, 1))
        self.command = '%s %s/hub.py %s' % (sys.executable, place, ARGUMENTS)

    def __enter__(self):
        return self.command

    def __exit__(self, *error):
        self.directory.cleanup()


def again(text):
    return subprocess.run(AGAIN.search(text)[1], shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=180, check=False)


class Found(unittest.TestCase):
    def expect_found(self, fault, verdict, *texts):
        with FaultyExample(*fault) as hub:
            done = run('--fuzz', '20', '--seed', '1', 'fuzz/endpoint', hub=hub)
            self.assertEqual(FAULTS, done.returncode, done.stdout + done.stderr)
            once_more = again(done.stdout)
        self.assertEqual(FAULTS, once_more.returncode, once_more.stdout)
        for found in done.stdout, once_more.stdout:
            self.assertRegex(found, r'(?m)^  %s +fuzz/endpoint$' % verdict)
            for text in texts:
                self.assertIn(text, found)
        self.assertRegex(done.stdout, r'again .* --seed [0-9]+ --fuzz-steps [0-9]+ --verbose fuzz/endpoint')

    def test_a_crash(self):
        self.expect_found(CRASH, 'CRASH', 'Aborted')

    def test_a_wrong_answer(self):
        self.expect_found(WRONG_ANSWER, 'FAIL', 'BH-FRAME-010', 'unknown-type')


class Run(unittest.TestCase):
    def test_a_right_hub_and_its_report(self):
        with tempfile.TemporaryDirectory() as directory:
            report = os.path.join(directory, 'report.json')
            done = run('--fuzz', '2', '--json', report)
            self.assertEqual(CONFORMANT, done.returncode, done.stdout + done.stderr)
            with open(report, encoding='utf-8') as file:
                told = json.load(file)
        self.assertEqual(['fuzz/connections', 'fuzz/endpoint', 'fuzz/port', 'fuzz/together'], sorted(c['slug'] for c in told['cases']))
        seeds = re.search(r'seeds ([0-9]+) to ([0-9]+)', done.stdout)
        self.assertEqual(int(seeds[1]), told['options']['seed'])
        self.assertTrue(told['finished'])

    def test_the_same_seed_sends_the_same_octets(self):
        def sent():
            text = run('--seed', '9', '--fuzz-steps', '1-12', '--verbose', 'fuzz/port').stdout
            return [line for line in SENT.findall(text) if 'right' not in line[1]]
        first = sent()
        self.assertGreater(len(first), 20)
        self.assertEqual(first, sent())

    def test_other_seeds_each_time(self):
        seeds = {re.search(r'seeds ([0-9]+) to', run('--fuzz', '1', 'fuzz/port').stdout)[1] for _ in range(2)}
        self.assertEqual(2, len(seeds))

    def test_nothing_implemented(self):
        self.assertEqual(INCONCLUSIVE, run('--fuzz', '5', hub='exit 89').returncode)

    def test_the_cases_are_for_fuzzing_alone(self):
        listed = run('--list', hub=None).stdout
        self.assertNotIn('fuzz/', listed)
        self.assertIn('fuzz/port', run('--list', '--fuzz', '1', hub=None).stdout)
        self.assertEqual(USAGE, run('fuzz/port').returncode)

    def test_usage(self):
        for arguments in (['--fuzz', '0'], ['--fuzz', '1.5'], ['--fuzz', '-3'], ['--fuzz', '1', '--repeat', '2'],
                          ['--fuzz', '1', '--fuzz-steps', 'all'], ['--fuzz-steps', 'all'], ['--fuzz-steps', '3-', '--seed', '1'],
                          ['--fuzz', '1', '--client', 'true']):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual(USAGE, done.returncode, done.stdout + done.stderr)
                self.assertIn('--fuzz', done.stderr)
        self.assertEqual(USAGE, run('--fuzz', '1', hub=None).returncode)
