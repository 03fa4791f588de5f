# SPDX-License-Identifier: MIT
"""The suite as a CI meets it: verdicts, exit statuses, known failures, repetition, on hubs that are right, wrong or dead.

BH_SUITE and BH_HUB name the programs.
"""
import os
import pty
import re
import signal
import subprocess
import tempfile
import time
import unittest

SUITE = os.path.abspath(os.environ.get('BH_SUITE', 'build/release/bridgehub-conformance'))
PROGRAM = os.path.abspath(os.environ.get('BH_HUB', 'build/release/bridgehub'))
PATHS = '--endpoint {endpoint} --port {port} --state {state} --spool {spool} --group {group}'
TIMES = '--heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms}'
RIGHT = "'%s' serve %s %s" % (PROGRAM, PATHS, TIMES)
# Fails one case alone: the timings in the ACK of a REGISTER are not those that it was given.
OTHER_TIMES = "'%s' serve %s --heartbeat-ms 111 --timeout-ms 1111" % (PROGRAM, PATHS)
ACK_CASE = 'registration/ack-carries-what-a-client-needs'
UNIMPLEMENTED = 'case {need} in *groups*) exit 89;; esac; exec ' + RIGHT

CONFORMANT, FAULTS, INCONCLUSIVE, USAGE = 0, 1, 2, 254


def run(*arguments, hub=RIGHT, **more):
    command = [SUITE, '--jobs', '2'] + (['--hub', hub] if hub else []) + list(arguments)
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=180, check=False, **more)


# Cases of the section with which most of this is tried.
REGISTRATION = len(run('--list', 'registration/*', hub=None).stdout.splitlines())


def known(text):
    file = tempfile.NamedTemporaryFile('w', suffix='.txt', encoding='utf-8')
    file.write(text)
    file.flush()
    return file


class ExitStatus(unittest.TestCase):
    def expect(self, status, done, *texts):
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        for text in texts:
            self.assertIn(text, done.stdout + done.stderr)

    def test_conformant(self):
        self.expect(CONFORMANT, run('registration/*'), '%d passed, 0 failed' % REGISTRATION)

    def test_faulty(self):
        self.expect(FAULTS, run(ACK_CASE, hub=OTHER_TIMES), 'FAIL', 'BH-REG-001', 'expected', 'came', 'again ')

    def test_the_transcript_ends_with_what_failed(self):
        done = run(ACK_CASE, hub=OTHER_TIMES)
        self.expect(FAULTS, done, 'conn 1    <- BH1 ACK 1')
        self.assertNotRegex(done.stdout, r'conn 1 +is closed')

    def test_crash_is_a_verdict_and_the_run_goes_on(self):
        done = run('registration/*', hub='echo my last words >&2; kill -SEGV $$')
        self.expect(FAULTS, done, '%d crashed' % REGISTRATION, 'signal 11 (Segmentation fault)', 'my last words')

    def test_unimplemented_is_no_failure(self):
        self.expect(CONFORMANT, run('names/*', hub=UNIMPLEMENTED), 'UNIMPLEMENTED')

    def test_what_the_command_line_cannot_tell_is_unimplemented(self):
        done = run('names/a-group-*', hub=RIGHT.replace(' --group {group}', ''))
        self.expect(INCONCLUSIVE, done, '2 unimplemented', 'the command line has no {group}')

    def test_a_very_slow_host_gives_a_client_no_time_that_it_cannot_take(self):
        client = "'%s' client --endpoint {endpoint} --port {port} --name {name} --timeout-ms {timeout_ms}" % PROGRAM
        self.expect(CONFORMANT, run('--time-scale', '20', '--client', client, 'client-registration/the-name-*', hub=None))

    def test_nothing_tested(self):
        self.expect(INCONCLUSIVE, run('registration/*', hub='exit 89'), '%d unimplemented' % REGISTRATION)

    def test_nothing_selected(self):
        self.expect(USAGE, run('no/such-case'), 'no case fits')

    def test_usage(self):
        for arguments in (['--jobs', '0'], ['--jobs', '2x'], ['--xml', 'report', '--html', 'report'], ['--repeat', '-1'], ['--seed', 'x'], ['--seed', '0'],
                          ['--time-scale', '0'], ['--no-such'], ['--known-failures', '/no/such/file']):
            with self.subTest(arguments):
                done = run(*arguments, ACK_CASE)
                self.expect(USAGE, done)
                self.assertIn(arguments[0].strip('-').split('-')[0], done.stderr)

    def test_what_it_cannot_do_without(self):
        self.expect(USAGE, run(hub=None), '--hub')


class KnownFailures(unittest.TestCase):
    def expect(self, status, text, *expected, globs=('registration/ack-*',), hub=OTHER_TIMES):
        with known(text) as file:
            done = run('--known-failures', file.name, *globs, hub=hub)
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        for part in expected:
            self.assertIn(part, done.stdout)

    def test_a_known_failure_does_not_fail_the_run(self):
        self.expect(CONFORMANT, '# ours\n\nregistration/ack-carries-*   # BH-REG-001\n', '1 failed; 1 of these known',
                    '(known)')

    def test_without_a_message_any_failure_is_known(self):
        self.expect(CONFORMANT, ACK_CASE, '1 of these known')

    def test_the_message_can_be_a_glob(self):
        self.expect(CONFORMANT, ACK_CASE + ' # FAIL*heartbeat_ms* is [1-9]*', '1 of these known')

    def test_another_failure_than_the_known_one_fails(self):
        self.expect(FAULTS, ACK_CASE + ' # BH-ROUTE-017', '1 failed\n')

    def test_a_stale_entry_fails(self):
        self.expect(FAULTS, ACK_CASE + '\n', 'line 1: stale: ' + ACK_CASE, hub=RIGHT)

    def test_an_entry_that_fits_no_case_fails(self):
        self.expect(FAULTS, ACK_CASE + '\nregistration/gone # x\n', 'line 2: no case fits registration/gone')

    def test_entries_about_cases_that_are_not_run_say_nothing(self):
        self.expect(CONFORMANT, ACK_CASE + '\nframe/* # x\n', '1 of these known')

    def test_a_breach_seen_in_passing_can_be_known(self):
        hub = "trap 'kill $pid; wait $pid; exit 3' TERM; %s & pid=$!; wait $pid" % RIGHT
        globs = ('active/latest-claim-wins',)
        self.expect(FAULTS, '# none\n', '1 breach seen in passing\n', globs=globs, hub=hub)
        self.expect(CONFORMANT, '* # BH-IUT-003', '1 breach seen in passing; 1 of these known', globs=globs, hub=hub)


class Repetition(unittest.TestCase):
    def test_repeat(self):
        done = run('--repeat', '3', 'names/*')
        self.assertEqual(CONFORMANT, done.returncode, done.stdout)
        self.assertIn('Run 3 of 3', done.stdout)
        self.assertIn('15 cases', done.stdout)

    def test_verdicts_that_vary_are_told(self):
        with tempfile.TemporaryDirectory() as directory:
            hub = "mkdir '%s/first' 2>/dev/null && exit 1; exec %s" % (directory, RIGHT)
            done = run('--repeat', '2', ACK_CASE, hub=hub)
        self.assertEqual(FAULTS, done.returncode, done.stdout)
        self.assertIn(ACK_CASE + ': 1 PASS 1 CRASH', done.stdout)

    def test_the_line_that_runs_a_case_again(self):
        with tempfile.NamedTemporaryFile('w', suffix="it's.sh") as script:
            script.write('exec ' + OTHER_TIMES.replace('{endpoint}', '"$1"').replace('{port}', '$2').replace(
                '{state}', '"$3"').replace('{spool}', '"$4"').replace('{group}', "''"))
            script.flush()
            first = run('--seed', '5', ACK_CASE,
                        hub='sh "%s" {endpoint} {port} {state} {spool}' % script.name)
            line = re.search(r'^ *again +(.*)$', first.stdout, re.MULTILINE)[1]
            self.assertIn('--seed 5', line)
            again = subprocess.run(line, shell=True, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(FAULTS, again.returncode, again.stdout)
        self.assertIn('1 case on', again.stdout)

    def test_the_line_quotes_the_suite_where_it_lies_in_such_a_place(self):
        with tempfile.TemporaryDirectory(suffix=" it's") as directory:
            suite = directory + '/suite'
            os.symlink(SUITE, suite)
            first = subprocess.run([suite, '--hub', 'exit 3', ACK_CASE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   text=True, timeout=60, check=False)
            line = re.search(r'^ *again +(.*)$', first.stdout, re.MULTILINE)[1]
            again = subprocess.run(line, shell=True, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(FAULTS, again.returncode, again.stdout)
        self.assertIn('1 case on', again.stdout)

    def test_draws_are_those_of_the_seed(self):
        def windows(first):
            done = run('--seed', str(first), '--repeat', '8', '--verbose', 'delivery/any-window-answered-in-any-order')
            return re.findall(r'the window is (\d)', done.stdout)
        windows_of_3 = windows(3)
        self.assertEqual(8, len(windows_of_3))
        self.assertGreater(len(set(windows_of_3)), 1)
        self.assertEqual(windows_of_3, windows(3))
        self.assertEqual(windows_of_3[1:], windows(4)[:-1])

    def test_the_order_is_that_of_the_seed(self):
        def order(*more):
            with tempfile.TemporaryDirectory() as directory:
                path = directory + '/report.tap'
                run('--jobs', '1', '--tap', path, 'registration/*', *more)
                with open(path, encoding='utf-8') as file:
                    return re.findall(r'^ok \d+ - (\S+)', file.read(), re.MULTILINE)
        self.assertEqual(REGISTRATION, len(order('--seed', '1')))
        self.assertNotEqual(order(), order('--seed', '1'))


class Telling(unittest.TestCase):
    def test_quiet_tells_failures_alone(self):
        done = run('--quiet', 'registration/*', hub=OTHER_TIMES)
        self.assertEqual(2, done.stdout.count('passed'), done.stdout)
        self.assertIn(ACK_CASE, done.stdout)

    def on_terminal(self, **environment):
        leader, follower = pty.openpty()
        process = subprocess.Popen([SUITE, '--hub', RIGHT, 'names/*'], stdin=subprocess.DEVNULL, stderr=follower,
                                   stdout=subprocess.DEVNULL, env={**os.environ, 'TERM': 'xterm', **environment})
        os.close(follower)
        process.wait(60)
        try:
            return os.read(leader, 65536).decode()
        except OSError:
            return ''
        finally:
            os.close(leader)

    def test_a_line_of_progress_on_a_terminal(self):
        self.assertIn('5 of 5, 0 failed', self.on_terminal(CI=''))

    def test_none_in_a_ci(self):
        self.assertEqual('', self.on_terminal(CI='true'))


def read_proc(pid, name):
    try:
        with open('/proc/%s/%s' % (pid, name), encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return ''  # it has ended meanwhile


def processes_of(directory):
    """pid and command line of those that were given it as TMPDIR, or a path in it."""
    for pid in filter(str.isdigit, os.listdir('/proc')):
        if directory in read_proc(pid, 'environ') or directory in read_proc(pid, 'cmdline'):
            yield int(pid), read_proc(pid, 'cmdline')


class Leaving(unittest.TestCase):
    def leaves_nothing(self, kill):
        with tempfile.TemporaryDirectory(dir='/tmp') as directory:
            process = subprocess.Popen([SUITE, '--jobs', '2', '--hub', RIGHT], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, env={**os.environ, 'TMPDIR': directory})
            self.wait_for(lambda: any(path.endswith('/pids') and files for path, _, files in os.walk(directory)))
            kill(process, directory)
            process.wait(30)
            self.wait_for(lambda: not os.listdir(directory))
            self.wait_for(lambda: not list(processes_of(directory)))

    def test_a_killed_run_leaves_nothing(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.leaves_nothing(lambda process, _, number=number: process.send_signal(number))

    def test_nor_does_one_of_which_all_is_killed_that_has_its_name(self):
        def kill_all(_, directory):
            for pid, line in processes_of(directory):
                if os.path.basename(line.split('\0')[0]) == os.path.basename(SUITE):
                    os.kill(pid, signal.SIGKILL)
        self.leaves_nothing(kill_all)

    def wait_for(self, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)


if __name__ == '__main__':
    unittest.main()
