# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel says, without Blender: names of windows, the queue of imports, lines that fit, and where Bridge is."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from itertools import islice

import place

from bridge_hub import bridge_program, hub_port, names
from bridge_hub.bridge_program import BridgeError
from bridge_hub.instance import Peer
from bridge_hub.pending import Queue
from bridge_hub.wrapping import first_lines, wrap


class Names(unittest.TestCase):
    def test_a_window_is_called_as_its_file(self):
        self.assertEqual(names.of_file('/home/a/forest v2.blend'), 'forest v2')
        self.assertEqual(names.of_file('C:\\scenes\\Jürgen.blend'), 'Jürgen')
        self.assertEqual(names.of_file(''), 'Untitled')
        self.assertEqual(names.of_file('/a/\n.blend'), 'Untitled')

    def test_a_name_fits_and_can_be_sent(self):
        self.assertEqual(len(names.of_file('ü' * 200).encode()), 256)
        self.assertEqual(names.of_file('x' + 'ü' * 200), 'x' + 'ü' * 127)
        names.of_file('\udcff.blend').encode()

    def test_windows_of_one_name_are_told_apart(self):
        peers = [Peer('a', 'Untitled', 1), Peer('b', 'Untitled', 2), Peer('c', 'forest', 3)]
        self.assertEqual(names.to_show(peers), {'a': 'Untitled (1)', 'b': 'Untitled (2)', 'c': 'forest'})


class Imports(unittest.TestCase):
    def test_an_export_has_a_title_and_says_what_is_missing(self):
        queue = Queue()
        with open(os.path.join(place.TOP, 'spec/payloads/batch_mixed8.json'), encoding='utf-8') as file:
            item = queue.add('1', 1, file.read())
        self.assertEqual(item.title, '%s and 7 more' % item.assets[0].name)
        self.assertGreater(item.missing_count, 8)
        self.assertEqual(queue.items(), [item])

    def test_what_cannot_be_read_says_why(self):
        item = Queue().add('1', 1, '[{]')
        self.assertEqual(item.title, 'Unreadable export')
        self.assertIn('is not JSON', item.error)

    def test_what_was_imported_before_a_failure_is_not_imported_twice(self):
        queue = Queue()
        queue.add('1', 1, json.dumps([{'id': 'a'}, {'id': 'b'}])).done = {0}
        queue.refused('1')
        self.assertEqual(len(queue), 0)
        self.assertEqual(queue.add('1', 2, '[{"id":"a"},{"id":"b"}]').done, {0})
        queue.finished('1')
        self.assertEqual(queue.add('1', 3, '[{"id":"a"}]').done, set())


class Lines(unittest.TestCase):
    def test_lines_end_at_spaces_and_long_words_where_the_line_ends(self):
        def lines(text):
            return list(wrap(text, lambda line: len(line) <= 10))
        self.assertEqual(lines('port 24981 is taken'), ['port 24981', 'is taken'])
        self.assertEqual(lines('/tmp/QuixelBridge'), ['/tmp/Quixe', 'lBridge'])
        self.assertEqual(lines('at /tmp/QuixelBridge now'), ['at', '/tmp/Quixe', 'lBridge', 'now'])
        self.assertEqual(lines('one\ntwo'), ['one', 'two'])
        self.assertEqual(lines(''), [])
        self.assertEqual(list(wrap('wide', lambda line: False)), ['w', 'i', 'd', 'e'])

    def test_of_a_long_text_only_what_is_shown_is_measured(self):
        measured = []

        def fits(line):
            measured.append(line)
            return len(line) <= 20
        text = '\n'.join('not on disk: /gone/%s.jpg' % ('y' * 300) for _ in range(300))
        self.assertEqual(len(list(islice(wrap(text, fits), 12))), 12)
        self.assertLess(len(measured), 200)

    def test_a_popup_has_no_more_lines_than_fit(self):
        self.assertEqual(first_lines('one\ntwo'), 'one\ntwo')
        text = first_lines('\n'.join(map(str, range(100))))
        self.assertEqual(text.splitlines(), [*'012345678', 'and 91 more: see the log'])


class Bridge(unittest.TestCase):
    def test_the_usual_places_of_each_system_are_searched(self):
        found = bridge_program.usual_places('win32', {'ProgramFiles': 'C:\\Program Files'})
        self.assertIn('C:\\Program Files\\Bridge\\Bridge.exe', found)
        self.assertIn('/Applications/Bridge.app', bridge_program.usual_places('darwin', {}))
        self.assertEqual(bridge_program.usual_places('linux', {}), [])

    def test_what_is_not_there_is_said_with_what_to_do(self):
        with self.assertRaisesRegex(BridgeError, 'choose its path in the preferences'):
            bridge_program.find('')
        with self.assertRaisesRegex(BridgeError, '/nowhere/Bridge, the Bridge of the preferences, is not there'):
            bridge_program.find('/nowhere/Bridge')

    def test_it_is_started_once(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'Bridge')
            with open(path, 'w', encoding='utf-8') as file:
                file.write('#!/bin/sh\necho started >>"$0.log"\nsleep 2\nexit\n')
            with self.assertRaisesRegex(BridgeError, 'cannot be started'):
                bridge_program.ensure_running(path)
            os.chmod(path, 0o755)
            self.assertTrue(bridge_program.ensure_running(path))
            place.wait_for('it runs', lambda: os.path.exists(path + '.log'))
            self.assertFalse(bridge_program.ensure_running(path))
            with open(path + '.log', encoding='utf-8') as file:
                self.assertEqual(file.read(), 'started\n')


class HubPort(unittest.TestCase):
    def test_a_hub_that_listens_elsewhere_is_told_by_its_state_file(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'state.json')
            self.assertEqual(hub_port.elsewhere(path, 7, 24981), '')
            for text, said in (('{"port":24981,"hub_pid":7}', False), ('{"port":24982,"hub_pid":7}', True), ('', False),
                               ('{"port":24982,"hub_pid":6}', False), ('{"port":24982}', False), ('[]', False),
                               ('{"port":"x","hub_pid":7}', False), ('{"port":', False)):
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(text)
                self.assertEqual('port 24982, and not on 24981' in hub_port.elsewhere(path, 7, 24981), said, text)


class Modules(unittest.TestCase):
    def test_what_needs_no_blender_is_importable_without_it(self):
        code = 'import place, importlib\nfor name in %r: importlib.import_module("bridge_hub." + name)' % (
            ['bridge_program', 'hub_port', 'instance', 'library', 'log_file', 'maps', 'names', 'options', 'parked', 'payload',
             'pending', 'wrapping'],)
        subprocess.run([sys.executable, '-B', '-c', code], cwd=os.path.dirname(os.path.abspath(__file__)), check=True)


if __name__ == '__main__':
    unittest.main()
