# SPDX-License-Identifier: MIT
"""Programs for Windows, started under Wine as the build has set it up (WINEPREFIX), and what one waits for."""
import json
import os
import queue
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

WINE = '/usr/lib/wine/wine64'
HUB, NATIVE = os.environ['BH_WINDOWS_HUB'], os.environ['BH_HUB']
LIBRARY, LIBRARY_USER, PIPE_LOOKER, CONSOLE_USER = (
    os.environ[name] for name in ('BH_WINDOWS_LIBRARY', 'BH_LIBRARY_USER', 'BH_PIPE_LOOKER', 'BH_CONSOLE_USER'))
SECONDS_MAX = 90


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Program:
    """Its lines of standard output and error come in a queue each."""

    def __init__(self, *argv, trace='-all'):
        self.process = subprocess.Popen([WINE, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=dict(os.environ, WINEDEBUG=trace), start_new_session=True)
        self.has_spoken = False
        self.out, self.err = (self._lines(stream) for stream in (self.process.stdout, self.process.stderr))

    def was_started(self):
        """Wine ends a program at once, with 1, once in some thousand times: one of ours says why."""
        return self.has_spoken or self.process.poll() != 1

    def _lines(self, stream):
        lines = queue.Queue()

        def read():
            with stream:
                for line in stream:
                    self.has_spoken = True
                    lines.put(line.decode('utf-8', 'replace').rstrip('\r\n'))
            lines.put(None)
        threading.Thread(target=read, daemon=True).start()
        return lines

    @staticmethod
    def wait_for(lines, wanted):
        """The first line that `wanted` is true of."""
        seen = []
        while True:
            line = lines.get(timeout=SECONDS_MAX)
            if line is None:
                raise AssertionError('it ended without the line that was waited for: %s' % seen)
            if wanted(line):
                return line
            seen.append(line)

    def event(self, kind):
        return json.loads(self.wait_for(self.out, lambda line: json.loads(line)['event'] == kind))

    def say(self, command):
        self.process.stdin.write((command + '\n').encode())
        self.process.stdin.flush()

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def end(self):
        return self.process.wait(SECONDS_MAX)

    def kill(self):
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.process.stdin.close()


class Case(unittest.TestCase):
    """A group of its own: a pipe, a port, and a directory with a name that is no ASCII."""

    def run(self, result):
        """Once more where Wine has not started a program."""
        tried = unittest.TestResult()
        super().run(tried)
        if tried.wasSuccessful() or all(program.was_started() for program in self.programs):
            self._tell(tried, result)
        else:
            print('Wine did not start a program in %s: once more' % self.id(), flush=True)
            super().run(result)

    def _tell(self, tried, result):
        result.startTest(self)
        for kind in 'failures', 'errors':
            getattr(result, kind).extend(getattr(tried, kind))
        if tried.wasSuccessful():
            result.addSuccess(self)
        result.stopTest(self)

    def setUp(self):
        self.programs = []
        self.directory = tempfile.TemporaryDirectory(prefix='bh-größe-')
        self.addCleanup(self.directory.cleanup)
        self.port = str(free_port())
        self.pipe = '\\\\.\\pipe\\bridgehub-test-' + self.port
        self.state = 'Z:%s/state.json' % self.directory.name
        self.spool = 'Z:%s/spool' % self.directory.name

    def go_deeper(self, size):
        """State file and spool get a path of more than `size` characters."""
        directory = self.directory.name
        while len(directory) < size:
            directory += '/' + 'a directory with a long name ' * 3 + 'x'
            os.mkdir(directory)
        self.state, self.spool = 'Z:%s/state.json' % directory, 'Z:%s/spool' % directory

    def start(self, *argv, **more):
        program = Program(*argv, **more)
        self.programs.append(program)
        self.addCleanup(program.kill)
        return program

    def hub_program(self, **more):
        return self.start(HUB, 'serve', '--endpoint', self.pipe, '--port', self.port, '--state', self.state, '--spool', self.spool, **more)

    def hub(self):
        hub = self.hub_program()
        hub.wait_for(hub.err, lambda line: 'Running as HUB' in line)
        return hub

    def client(self, name, *more):
        return self.start(HUB, 'client', '--endpoint', self.pipe, '--port', self.port, '--name', name, *more)

    def stays(self, client):
        """It waits for what comes, though nothing will ever be said to it. Its process id."""
        pid = client.event('registered')['pid']
        self.send([{'id': 'x'}])
        self.assertIn('"x"', client.event('import')['assets'])
        return pid

    def serving_client(self, name):
        return self.client(name, '--may-serve', '--state', self.state, '--spool', self.spool)

    def send(self, assets):
        """Plays Bridge from Linux, as what is on the other end of a TCP connection may be."""
        path = os.path.join(self.directory.name, 'export.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(assets, file, ensure_ascii=False)
        done = subprocess.run([NATIVE, 'send', '--port', self.port, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
