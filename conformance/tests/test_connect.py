# SPDX-License-Identifier: MIT
"""`bridgehub pipe`, and the suite through it: the same verdicts as without.

BH_SUITE and BH_HUB name the programs.
"""
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from test_running import CONFORMANT, PATHS, PROGRAM, SUITE, TIMES

CLIENT = ("'%s' client --endpoint {endpoint} --port {port} --group {group} --name {name} --timeout-ms {timeout_ms} "
          '--window 4' % PROGRAM)
CONNECT = "'%s' pipe --stay {endpoint}" % PROGRAM
LISTEN = "'%s' pipe --serve {relay} {endpoint}" % PROGRAM
HUB_ENDED, BROKE_OFF = 3, 4
EVERY_OCTET = bytes(range(256)) * 640  # less than what sockets hold that nobody reads


class Pipe(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.endpoint = directory.name + '/endpoint'

    def listen(self):
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(self.endpoint)
        server.listen()
        server.settimeout(20)
        return server

    def pipe(self, *arguments):
        process = subprocess.Popen([PROGRAM, 'pipe', *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def connect(self, *arguments):
        server = self.listen()
        process = self.pipe(*arguments, self.endpoint)
        peer, _ = server.accept()
        self.addCleanup(peer.close)
        peer.settimeout(20)
        return process, peer

    def test_octets_pass_as_they_are_and_the_end_too(self):
        process, peer = self.connect()
        process.stdin.write(EVERY_OCTET)
        process.stdin.close()
        came = b''.join(iter(lambda: peer.recv(65536), b''))  # to the end: it is half-closed
        self.assertEqual(EVERY_OCTET, came)
        peer.sendall(EVERY_OCTET)
        peer.close()
        self.assertEqual(EVERY_OCTET, process.stdout.read())
        self.assertEqual(0, process.wait(20))
        self.assertEqual('bridgehub pipe: connected to %s\nbridgehub pipe: the hub has ended the connection\n' %
                         self.endpoint, process.stderr.read().decode())

    def test_a_hub_that_ends_it_first(self):
        process, peer = self.connect('--quiet')
        peer.close()
        self.assertEqual(HUB_ENDED, process.wait(20))
        self.assertEqual(b'', process.stderr.read())

    def test_a_reset(self):
        process, peer = self.connect()
        process.stdin.write(b'never read')
        process.stdin.flush()
        peer.recv(1)
        peer.close()
        self.assertEqual(BROKE_OFF, process.wait(20))
        self.assertIn(b'ended before its time: connection reset', process.stderr.read())

    def test_nobody_listens(self):
        process = self.pipe(self.endpoint)
        self.assertEqual(1, process.wait(20))
        self.assertIn('no connection to %s: no such file' % self.endpoint, process.stderr.read().decode())

    def test_wrong_usage(self):
        for arguments, says in ((['--serve', '0', 'x'], 'from 1 to 65535'), (['--serve', '1'], 'needs an ENDPOINT'),
                                (['x', 'y'], 'y'), (['x' * 200], 'x' * 200), (['--group', 'a b'], 'a b')):
            with self.subTest(arguments):
                process = self.pipe(*arguments)
                self.assertEqual(2, process.wait(20))
                self.assertIn(says, process.stderr.read().decode())

    def test_standard_output_that_nobody_reads(self):
        process, peer = self.connect()
        process.stdout.close()
        peer.sendall(b'x')
        self.assertEqual(1, process.wait(20))
        self.assertIn(b'standard output', process.stderr.read())

    def test_it_stays(self):
        process, peer = self.connect('--stay')
        peer.close()
        self.assertIn(b'connected', process.stderr.readline())
        self.assertIn(b'ended', process.stderr.readline())
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.2)

    def serve(self):
        target = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(target.close)
        target.settimeout(20)
        process = self.pipe('--serve', str(target.getsockname()[1]), self.endpoint)
        self.assertIn(b'listening', process.stderr.readline())
        return process, target

    def test_serve_carries_both_directions_and_their_ends(self):
        process, target = self.serve()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.endpoint)
            peer, _ = target.accept()
            with peer:
                process.stdin.close()
                self.assertIn(b'ended', process.stderr.readline())
                self.assertFalse(os.path.exists(self.endpoint))
                client.sendall(b'to the suite')  # the connection goes on
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(b'to the suite', b''.join(iter(lambda: peer.recv(65536), b'')))
                peer.sendall(EVERY_OCTET)
            self.assertEqual(EVERY_OCTET, b''.join(iter(lambda: client.recv(65536), b'')))
        self.assertEqual(0, process.wait(20))

    def test_serve_ends_by_sigterm_and_leaves_nothing(self):
        process, _ = self.serve()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(20))
        self.assertFalse(os.path.exists(self.endpoint))

    def test_serve_waits_for_the_endpoint_of_one_that_is_ending(self):
        ending = self.listen()
        process = self.pipe('--serve', '1', self.endpoint)
        self.assertIn(b'waiting', process.stderr.readline())
        ending.close()
        self.assertEqual('bridgehub pipe: listening at %s\n' % self.endpoint, process.stderr.readline().decode())

    def test_serve_takes_no_hubs_endpoint(self):
        self.listen()
        process = self.pipe('--serve', '1', self.endpoint)
        self.assertEqual(1, process.wait(20))
        self.assertIn(self.endpoint, process.stderr.read().decode())


def run(*arguments):
    command = [SUITE, '--jobs', '2', '--hub', "'%s' serve %s %s" % (PROGRAM, PATHS, TIMES), '--client', CLIENT, *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=300, check=False)


class Suite(unittest.TestCase):
    def test_the_same_verdicts(self):
        # Some of each way in which connections begin and end.
        done = run('--connect', CONNECT, '--listen', LISTEN, '--quiet', 'names/*', 'active/l*', 'holders/*', 'hung/*',
                   'ending/*', 'limits/h*', 'client-resume/*')
        self.assertEqual(CONFORMANT, done.returncode, done.stdout + done.stderr)
        self.assertNotIn('UNIMPLEMENTED', done.stdout)
        self.assertRegex(done.stdout, r'\d+ passed, 0 failed\n')

    def test_a_program_that_does_not_stay(self):
        done = run('--connect', CONNECT.replace(' --stay', ''), 'delivery/a-lost-holders-import-is-reserved', 'active/latest-*')
        self.assertEqual(CONFORMANT, done.returncode, done.stdout)
        self.assertIn('1 passed, 0 failed, 1 unimplemented', done.stdout)
        self.assertIn('the program of --connect ends with its connection', done.stdout)

    def test_a_program_that_cannot_be_run(self):
        for option, case in (('--connect', 'active/latest-claim-wins'), ('--listen', 'client-active/a-claim-that-the-hub-dies-of-is-told')):
            with self.subTest(option):
                done = run(option, './no-such-program {endpoint}', case)
                self.assertEqual(255, done.returncode, done.stdout)
                self.assertIn(option, done.stdout)
                self.assertIn('no-such-program', re.search('came +(.*)', done.stdout)[1])

    def test_a_faulty_hub_fails_by_it_too(self):
        done = run('--connect', CONNECT, '--hub', "'%s' serve %s --heartbeat-ms 111 --timeout-ms 1111" % (PROGRAM, PATHS),
                   'registration/ack-carries-what-a-client-needs')
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertIn('BH-REG-001', done.stdout)
        self.assertIn("--connect ''", done.stdout)


if __name__ == '__main__':
    unittest.main()
