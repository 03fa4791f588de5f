# SPDX-License-Identifier: GPL-3.0-or-later
"""The binding at work: instances, parked imports and the log, without Blender."""
import os
import shutil
import subprocess
import sys
import threading
import unittest

import place

from bridge_hub.instance import Instance, Settings, Status
from bridge_hub.library import Kind, Level, Library, LibraryError, Mode
from bridge_hub.log_file import LogFile
from bridge_hub.parked import Spool

ASSETS = '[{"id":"a","name":"Größe “1”"}]'

# The file is the last argument but one, the port the last.
OVERWRITTEN = """
import os, sys
import place
from bridge_hub.instance import Instance, Settings
from bridge_hub.library import Library, Mode
path, port = sys.argv[1:]
instance = Instance(Library(path), Settings('forest', port=int(port)))
assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)], 'it leaves files'
open(path, 'wb').close()
place.wait_for('it is the hub', lambda: instance.status().mode == Mode.HUB)
instance.stop()
"""


class Actor:
    """An instance, and what was polled of it."""

    def __init__(self, library, settings, log=None):
        self.instance = Instance(library, settings, log)
        self.events = []

    def wait(self, kind):
        def found():
            self.events += self.instance.poll()
            for event in self.events:
                if event.kind == kind:
                    self.events.remove(event)
                    return event
            return None
        return place.wait_for('event %d' % kind, found)

    def wait_until(self, what, condition):
        def holds():
            self.events += self.instance.poll()
            return condition(self.instance.status())
        place.wait_for(what, holds)


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = place.runtime(self)
        self.port = place.free_port()
        self.library = Library(place.LIBRARY)

    def start(self, name, log=None, **settings):
        settings = {'port': self.port, 'heartbeat_ms': 50, 'timeout_ms': 500, **settings}
        actor = Actor(self.library, Settings(name, **settings), log)
        self.addCleanup(actor.instance.stop)
        return actor


class Instances(Case):
    def test_what_has_the_port_is_named_for_people(self):
        stranger = subprocess.Popen(
            [sys.executable, '-c', 'import socket, sys\ns = socket.socket()\ns.bind(("127.0.0.1", %d))\ns.listen()\n'
             'print("listens", flush=True)\nsys.stdin.read()' % self.port], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(stranger.communicate)
        stranger.stdout.readline()
        actor = self.start('forest')
        actor.wait_until('the port is taken', lambda status: status.mode == Mode.PORT_TAKEN)
        status = actor.instance.status()
        self.assertEqual(status.port_holder_pid, stranger.pid)
        self.assertIn('python', status.who_has_port)
        self.assertIn('taken by %s (process %d)' % (status.who_has_port, stranger.pid), status.problem)
        self.assertEqual(Status(port_holder_pid=os.getpid(), port_holder='blender').who_has_port, 'Another Add-on')
        self.assertEqual(Status().who_has_port, 'Another Program')

    def test_it_gets_what_bridge_exports_octet_for_octet_and_answers(self):
        actor = self.start('forest')
        actor.wait_until('it is the hub', lambda status: status.mode == Mode.HUB and status.active)
        place.export(self.port, ASSETS)
        event = actor.wait(Kind.IMPORT)
        self.assertEqual((event.assets, event.attempt), (ASSETS, 1))
        actor.instance.ack(event.import_id)
        actor.wait_until('nothing waits', lambda status: status.waiting == 0 and status.parked == 0)

    def test_two_know_each_other_hand_the_role_over_and_are_renamed(self):
        one, two = self.start('forest'), self.start('castle')
        for each in (one, two):
            each.wait_until('both are there', lambda status: len(status.peers) == 2)
        self.assertEqual({peer.name for peer in one.instance.status().peers}, {'forest', 'castle'})
        one.instance.claim(two.instance.status().instance)
        two.wait_until('it is active', lambda status: status.active)
        two.instance.rename('château')
        one.wait_until('it is told', lambda status: 'château' in {peer.name for peer in status.peers})
        two.wait_until('it is active still', lambda status: status.active)
        two.instance.release()
        one.wait_until('nobody is', lambda status: status.active_instance == '')

    def test_what_is_refused_is_parked_retried_and_dropped(self):
        actor = self.start('forest')
        actor.wait_until('it is active', lambda status: status.active)
        spool = Spool(self.library, actor.instance.locate().spool)
        self.assertEqual(spool.parked(), [])
        place.export(self.port, ASSETS)
        import_id = actor.wait(Kind.IMPORT).import_id
        actor.instance.refuse(import_id, 'discarded in forest')
        actor.wait_until('it is parked', lambda status: status.parked == 1)
        item, = spool.parked()
        self.assertEqual((item.import_id, item.assets, item.why), (import_id, 1, 'discarded in forest'))
        spool.retry(import_id)
        self.assertEqual(actor.wait(Kind.IMPORT).attempt, 2)
        actor.instance.refuse(import_id, 'again')
        actor.wait_until('it is parked', lambda status: status.parked == 1)
        spool.drop(import_id)
        self.assertEqual(spool.parked(), [])
        with self.assertRaisesRegex(LibraryError, import_id):
            spool.drop(import_id)

    def test_what_cannot_be_is_refused_with_its_reason(self):
        with self.assertRaisesRegex(LibraryError, "'a b' is none of that"):
            self.start('forest', group='a b')
        with self.assertRaisesRegex(LibraryError, 'heartbeat_ms'):
            self.start('forest', heartbeat_ms=400, timeout_ms=500)
        with self.assertRaisesRegex(LibraryError, 'is missing: install the zip'):
            Library(os.path.join(self.directory, 'none.so'))
        with self.assertRaisesRegex(LibraryError, 'cannot be loaded'):
            Library(__file__)

    def test_a_further_port_brings_imports_too(self):
        other = place.free_port()
        actor = self.start('forest', also_ports=(other,))
        actor.wait_until('it is active', lambda status: status.active)
        place.export(other, ASSETS)
        self.assertEqual(actor.wait(Kind.IMPORT).assets, ASSETS)

    def test_stopped_it_leaves_no_thread_and_no_port(self):
        threads = len(os.listdir('/proc/self/task'))
        instance = Instance(self.library, Settings('forest', port=self.port))
        place.wait_for('it is the hub', lambda: instance.status().mode == Mode.HUB)
        self.assertEqual(len(os.listdir('/proc/self/task')), threads + 1)
        instance.stop()
        self.assertEqual(len(os.listdir('/proc/self/task')), threads)
        self.assertEqual(list(instance.poll()), [])
        with self.assertRaises(ConnectionRefusedError):
            place.export(self.port, ASSETS)


    def test_an_update_that_is_written_over_the_library_leaves_the_one_that_runs(self):
        directory = os.path.join(self.directory, 'lib')
        os.mkdir(directory)
        path = shutil.copy(place.LIBRARY, directory)
        done = subprocess.run([sys.executable, '-B', '-c', OVERWRITTEN, path, str(self.port)],
                              cwd=os.path.dirname(place.__file__), stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ''))


class Logs(Case):
    def test_library_and_python_write_into_one_file_which_others_share(self):
        path = os.path.join(self.directory, 'log', 'bridge_hub.log')
        logs = [LogFile(self.library, path) for _ in range(2)]
        actor = self.start('forest', logs[0])
        actor.wait(Kind.REGISTERED)
        logs[1].write(Level.WARNING, 'zwei\nZeilen')
        self.assertIn('Running as HUB', logs[0].tail())
        self.assertIn('[%d] zwei\\u000aZeilen' % os.getpid(), logs[0].tail())
        actor.instance.stop()
        for log in logs:
            log.close()
            log.close()
            log.write(Level.INFO, 'into a log that is closed')
        self.assertNotIn('into a log', logs[0].tail())

    def test_a_log_that_cannot_be_is_said(self):
        with self.assertRaisesRegex(LibraryError, 'cannot be'):
            LogFile(self.library, os.path.join(__file__, 'log'))
        with self.assertRaisesRegex(LibraryError, 'cannot be opened'):
            LogFile(self.library, self.directory)

    def test_the_thread_of_the_library_never_waits_for_python(self):
        """Python's lock is held for longer than the time-out, and hub and client stay what they are."""
        path = os.path.join(self.directory, 'bridge_hub.log')
        actor = self.start('forest', LogFile(self.library, path), timeout_ms=200)
        actor.wait_until('it is active', lambda status: status.active)
        import ctypes
        ctypes.PyDLL(None).usleep(600000)
        place.export(self.port, ASSETS)
        actor.wait(Kind.IMPORT)
        self.assertEqual([event.kind for event in actor.events if event.kind == Kind.HUB_LOST], [])
        self.assertEqual(threading.active_count(), 1)


if __name__ == '__main__':
    unittest.main()
