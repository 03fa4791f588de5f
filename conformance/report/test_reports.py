# SPDX-License-Identifier: MIT
"""The suite's reports, of real runs: right by their schemas, of one mind, and whole whenever a run is stopped.

BH_SUITE and BH_HUB are the programs, as paths from the top of the tree.
"""
import collections
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import warnings
from xml.etree import ElementTree

with warnings.catch_warnings():
    warnings.simplefilter('ignore', DeprecationWarning)
    from jsonschema import Draft202012Validator

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SUITE = os.path.join(TOP, os.environ['BH_SUITE'])
SCHEMA = os.path.join(TOP, 'conformance/schema')
PLACES = '--endpoint {endpoint} --port {port} --state {state} --spool {spool} --group {group}'
REFERENCE = '%s serve %s --heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms}' % (
    os.path.join(TOP, os.environ['BH_HUB']), PLACES)
# It takes connections and says nothing.
MUTE = ('%s -c "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(99); time.sleep(60)" '
        '{endpoint}' % sys.executable)
CASES = ['names/*', 'active/latest-claim-wins', 'crash/the-third-death-is-counted-over-hubs',
         'hung/a-stopped-hub-that-is-killed-is-followed', 'ingest/a-wrong-octet-closes-at-once', 'bodies/one-json-object']
SECONDS = 120

with open(os.path.join(SCHEMA, 'report.schema.json'), encoding='utf-8') as file:
    REPORT = Draft202012Validator(json.load(file))

TAP_LINE = re.compile(r'^(not ok|ok) (\d+) - (\S+)(?: # (SKIP|TODO) (.*))?$')


def tap(text):
    """[(ok, slug, directive)]: a small reader of TAP 13, which takes nothing else."""
    lines = text.split('\n')
    assert lines[0] == 'TAP version 13', lines[0]
    plan = int(re.fullmatch(r'1\.\.(\d+)', lines[1])[1])
    found, inside = [], False
    for line in lines[2:]:
        if inside:
            inside = line != '  ...'
            assert line.startswith('  '), line
        elif line == '  ---':
            inside = True
        elif line and not line.startswith('#'):
            match = TAP_LINE.match(line)
            assert match, line
            assert int(match[2]) == len(found) + 1, line
            found.append((match[1] == 'ok', match[3], match[4]))
    assert not inside
    return plan, found


def page_data(text):
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>\n</body>\n</html>\n*$', text, re.DOTALL)
    return json.loads(match[1])


def is_alive(pid):
    with open('/proc/%d/stat' % pid, encoding='utf-8') as file:
        return file.read().rpartition(')')[2].split()[0] not in 'ZX'


class Run:
    """A run of the suite with all reports, and what they say."""

    def __init__(self, directory, hub, *arguments, **options):
        self.paths = {kind: os.path.join(directory, 'r.' + kind) for kind in ('tap', 'xml', 'json', 'html')}
        self.argv = [SUITE, '--jobs', '2', '--time-scale', '1', '--vectors', os.path.join(TOP, 'spec/vectors'), '--hub', hub]
        self.argv += ['--%s=%s' % pair for pair in self.paths.items()] + list(arguments)
        self.options = options

    def start(self):
        return subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                **self.options)

    def finish(self):
        process = self.start()
        self.output = process.communicate(timeout=SECONDS)[0]
        self.status = process.returncode
        return self

    def text(self, kind):
        with open(self.paths[kind], encoding='utf-8') as file:
            return file.read()

    def json(self):
        return json.loads(self.text('json'))

    def suite(self):
        return ElementTree.fromstring(self.text('xml')).find('testsuite')


class Reports(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def run_on(self, hub, *arguments, **options):
        return Run(self.directory, hub, *arguments, **options).finish()

    def check_junit(self, run, finished=True):
        done = subprocess.run(['xmllint', '--noout', '--schema', os.path.join(SCHEMA, 'junit.xsd'), run.paths['xml']],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        root, suite = ElementTree.fromstring(run.text('xml')), run.suite()
        # What Jenkins' junit-10.xsd asks for beyond that.
        for element in (root, suite):
            for name in ('name', 'tests', 'failures', 'errors'):
                self.assertIn(name, element.attrib)
            self.assertRegex(element.get('time'), r'^[0-9]{0,3}\.[0-9]*$')
        counts = {kind: len(suite.findall('testcase/' + kind)) for kind in ('failure', 'error', 'skipped')}
        told = {'tests': len(suite.findall('testcase')), 'failures': counts['failure'], 'errors': counts['error']}
        # A case is written before its count: SIGKILL can come between the two.
        late = int(not finished and int(root.get('tests')) == told['tests'] - 1)
        told['tests'] -= late
        self.assertEqual({name: int(root.get(name)) for name in told}, told)
        self.assertEqual({name: int(suite.get(name)) for name in told}, told)
        self.assertEqual(int(suite.get('skipped')), counts['skipped'])
        return suite

    def check(self, run, finished=True):
        """All four are right, and say the same, but for the last case of a run that was killed. Returns the JSON report."""
        report = run.json()
        faults = ['%s: %s' % (list(fault.absolute_path), fault.message[:300]) for fault in REPORT.iter_errors(report)]
        self.assertEqual(faults, [])
        self.assertEqual(report['finished'], finished)
        slugs = [case['slug'] for case in report['cases']]
        self.assertEqual(collections.Counter(case['verdict'] for case in report['cases']),
                         collections.Counter({name: count for name, count in report['totals'].items() if count}))
        plan, lines = tap(run.text('tap'))
        self.assertEqual(plan, report['planned'])
        page = page_data(run.text('html'))
        cases = [case for case in self.check_junit(run, finished).findall('testcase') if '/' in case.get('name') and ' ' not in case.get('name')]
        told = [slugs, [slug for _, slug, _ in lines], [case['slug'] for case in page['cases']], [case.get('name') for case in cases]]
        counts = sorted(map(len, told))
        self.assertLessEqual(counts[-1] - counts[0], 0 if finished else 1)
        self.assertEqual(len({tuple(names[:counts[0]]) for names in told}), 1, told)
        if finished:
            self.assertEqual(page, report)
            self.assertEqual([case.get('classname') for case in cases], [case['section'] for case in report['cases']])
        return report

    def test_reference(self):
        run = self.run_on(REFERENCE, *CASES)
        report = self.check(run)
        self.assertEqual((run.status, report['exit_status']), (0, 0), run.output)
        self.assertEqual(len(report['cases']), report['planned'])
        self.assertEqual(set(case['verdict'] for case in report['cases']), {'PASS'})
        killed = next(case for case in report['cases'] if case['section'] == 'hung')
        self.assertIn('is sent SIGSTOP', [line.get('text') for line in killed['transcript']])
        self.assertIn('is sent SIGKILL', [line.get('text') for line in killed['transcript']])
        self.assertNotIn('<', re.sub(r'[^<]', '', run.text('json')))

    def test_crash(self):
        run = self.run_on("sh -c 'echo \"]]> & <b> \\033[31m \\377\" >&2; exit 1'", 'active/latest-claim-wins', 'frame/*hand')
        report = self.check(run)
        self.assertEqual((run.status, report['exit_status'], report['faults']), (1, 1, 2))
        self.assertEqual(set(case['verdict'] for case in report['cases']), {'CRASH'})
        failure = run.suite().find('testcase/failure')
        self.assertEqual(failure.get('type'), 'CRASH')
        self.assertIn('exit status 1', failure.get('message'))
        self.assertIn(']]> & <b> \\x1b[31m \\xff', failure.text)
        self.assertIn('MUST', failure.text)
        self.assertIn('--verbose', failure.text)

    def test_mute(self):
        run = self.run_on(MUTE, 'active/latest-claim-wins', 'registration/instances-are-told-at-once')
        report = self.check(run)
        self.assertEqual(run.status, 1, run.output)
        self.assertTrue(all(case['came'] for case in report['cases']))
        self.assertGreater(report['breaches'] + report['faults'], 0)
        self.assertTrue(run.suite().findall('testcase/failure'))

    def test_unimplemented(self):
        run = self.run_on("sh -c 'exit 89'", 'names/*')
        report = self.check(run)
        self.assertEqual(report['totals']['UNIMPLEMENTED'], report['planned'])
        self.assertEqual((run.status, report['exit_status']), (2, 2))
        self.assertEqual({directive for _, _, directive in tap(run.text('tap'))[1]}, {'SKIP'})
        self.assertEqual(len(run.suite().findall('testcase/skipped')), report['planned'])

    def test_known_failures(self):
        known = os.path.join(self.directory, 'known')
        with open(known, 'w', encoding='utf-8') as file:
            file.write('active/latest-*  # exit status 1\nno/such-case  # x\n')
        run = self.run_on("sh -c 'exit 1'", '--known-failures', known, 'active/latest-claim-wins')
        report = self.check(run)
        self.assertEqual((report['known'], report['faults'], len(report['stale'])), (1, 0, 1))
        self.assertEqual(run.status, 1)
        self.assertEqual([(ok, directive) for ok, _, directive in tap(run.text('tap'))[1]], [(False, 'TODO')])
        self.assertIn('known failure', run.suite().find('testcase/skipped').text)
        self.assertEqual(run.suite().find("testcase[@classname='known-failures']/failure").get('type'), 'STALE')

    def test_repeat(self):
        run = self.run_on(REFERENCE, '--repeat', '2', 'names/*alone')
        report = run.json()
        self.assertEqual([fault.message for fault in REPORT.iter_errors(report)], [])
        self.assertEqual(sorted((case['slug'], case['turn']) for case in report['cases']),
                         [('names/the-socket-is-the-users-alone', 1), ('names/the-socket-is-the-users-alone', 2),
                          ('names/the-spool-is-the-users-alone', 1), ('names/the-spool-is-the-users-alone', 2)])
        self.assertEqual(report['planned'], 4)
        names = [case.get('name') for case in self.check_junit(run).findall('testcase')]
        self.assertEqual(len(names), len(set(names)))

    def kill_in_the_middle(self, signal_number):
        run = Run(self.directory, REFERENCE, 'active/*')
        process = run.start()
        try:
            deadline = time.monotonic() + SECONDS
            # Whole at every moment, from the first on.
            while not os.path.exists(run.paths['tap']) or len(re.findall(r'^ok', run.text('tap'), re.MULTILINE)) < 8:
                self.assertLess(time.monotonic(), deadline)
                self.assertIsNone(process.poll())
        finally:
            process.send_signal(signal_number)
            process.communicate(timeout=SECONDS)
        report = self.check(run, finished=False)
        self.assertNotIn('exit_status', report)
        self.assertGreaterEqual(len(report['cases']), 7)
        self.assertLess(len(report['cases']), report['planned'])
        error = run.suite().find("testcase[@classname='run']/error")
        self.assertRegex(error.get('message'), r'[0-9]+ of %d cases are told' % report['planned'])

    def test_killed(self):
        self.kill_in_the_middle(signal.SIGKILL)

    def test_interrupted(self):
        self.kill_in_the_middle(signal.SIGINT)

    def test_always_whole(self):
        """Stopped anywhere between two of its writes, the suite leaves whole reports."""
        run = Run(self.directory, REFERENCE, 'names/*', 'active/*claim*')
        process = run.start()
        self.addCleanup(process.stdout.close)
        seen = set()
        while True:
            os.kill(process.pid, signal.SIGSTOP)  # Popen's own would reap it
            status = os.waitpid(process.pid, os.WUNTRACED)[1]
            if not os.WIFSTOPPED(status):
                process.returncode = os.waitstatus_to_exitcode(status)
                break
            size = os.path.getsize(run.paths['html']) if os.path.exists(run.paths['html']) else 0
            if size:
                ElementTree.fromstring(run.text('xml'))
                tap(run.text('tap'))
                seen.add(len(page_data(run.text('html'))['cases']))
                self.assertLessEqual(abs(len(run.json()['cases']) - max(seen)), 1)
            os.kill(process.pid, signal.SIGCONT)
            while size and os.path.getsize(run.paths['html']) == size and is_alive(process.pid):
                pass
        self.check(run)
        self.assertGreater(len(seen), 3)

    def test_standard_output(self):
        for kind, read in (('tap', lambda text: tap(text)[1]), ('json', lambda text: json.loads(text)['cases']),
                           ('xml', lambda text: ElementTree.fromstring(text).findall('testsuite/testcase'))):
            done = subprocess.run([SUITE, '--vectors', 'spec/vectors', '--hub', REFERENCE, '--%s=-' % kind, 'names/*alone'], cwd=TOP,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(len(read(done.stdout.decode())), 2, kind)
            self.assertIn(b'2 passed', done.stderr)
        done = subprocess.run([SUITE, '--hub', REFERENCE, '--tap=-', '--json=-'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 254)

    def test_no_such_directory(self):
        done = subprocess.run([SUITE, '--vectors', 'spec/vectors', '--hub', REFERENCE, '--xml=/no/such/directory/x', 'names/*'], cwd=TOP,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 255)
        self.assertIn('cannot write the report /no/such/directory/x: No such file', done.stdout)
        self.assertNotIn('passed', done.stdout)

    def test_full_disk(self):
        """What is there stays whole; it is told, and the run fails by it."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))

        run = self.run_on(REFERENCE, 'bodies/*', preexec_fn=limit)
        self.assertEqual(run.status, 255)
        self.assertEqual(run.output.count('cannot write the report %s: File too large' % run.paths['json']), 1)
        self.assertEqual(run.output.count('cannot write the report %s' % run.paths['tap']), 0)
        report = run.json()
        self.assertFalse(report['finished'])
        self.assertLess(len(report['cases']), report['planned'])
        self.check_junit(run)


if __name__ == '__main__':
    unittest.main()
