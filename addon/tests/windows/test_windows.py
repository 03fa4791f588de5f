# SPDX-License-Identifier: GPL-3.0-or-later
"""Three Blenders with windows and a played Bridge, with the add-on from its zip."""
import json
import os
import socket
import statistics
import sys
import time
import unittest
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from blender import VIEW, Blender, Bridge, Display, Place, addon_zip, free_port, held, wait_for  # noqa: E402

HEARTBEAT_MS = 200
TIMEOUT_MS = 2000
# On a machine that does nothing else; where others keep Blender from its turns, as many of these as that has room for.
SHOWN_MS, SHOWN_TURNS = 150, 8
EXPORTS, PAUSE_S = 15, 0.2
IDLE_S = 2
IDLE_PERCENT = 1.0

CLAIMED = 'This Blender instance is now active for Bridge imports'
CLAIMS_LATER = 'This Blender instance becomes active for Bridge imports as soon as a hub answers'

# When the panel first drew each import.
WATCH_PANEL = """
import bridge_hub.panel as panel
drawn = {}
if not hasattr(panel, 'draw_before'):
    panel.draw_before = panel._draw_pending
    def watched(box, context, item):
        panel.draw_before(box, context, item)
        drawn.setdefault(item.import_id, time.time())
    panel._draw_pending = watched
"""

WATCH_IDLE = """
import bridge_hub.running as running
refreshed, until = [], time.time() + %d
session.refresh = lambda: refreshed.append(time.time())
began = time.process_time()
for _ in range(1000):
    running._on_timer()
each_us = (time.process_time() - began) * 1000
""" % IDLE_S


class Windows(unittest.TestCase):
    """Each test leaves three Blenders, of which one is the hub and the first is active."""

    @classmethod
    def setUpClass(cls):
        cls.display = Display()
        names = ('forest', 'castle', 'desert')
        cls.place = Place(('asset3d', 'surface', 'batch_mixed8'), names, heartbeat_ms=HEARTBEAT_MS, timeout_ms=TIMEOUT_MS)
        cls.bridge = Bridge(cls.place.port)
        cls.payloads = cls.place.payloads
        cls.blenders = {name: Blender(cls.place, cls.display, name, cls.place.file(name)) for name in names}
        for each in cls.blenders.values():
            each.ready()
            each.show_panel()

    @classmethod
    def tearDownClass(cls):
        for each in cls.blenders.values():
            if each.process.poll() is None:
                each.kill()
        cls.display.close()
        cls.place.remove()

    def setUp(self):
        for name, each in list(self.blenders.items()):
            if each.process.poll() is not None:
                self.start(name)
        self.one, self.two, self.three = self.blenders.values()
        for each in self.blenders.values():
            each.wait('session.status.registered and len(session.status.peers) == 3')
            # What a test that has failed has left.
            each.run('for item in session.queue.items(): session.acknowledge(item.import_id)')
        self.one.run('session.claim()')
        for each in self.blenders.values():
            each.wait('session.status.active == %s' % (each is self.one))

    def start(self, name):
        self.blenders[name] = Blender(self.place, self.display, name, self.place.file(name))
        self.blenders[name].ready().show_panel()

    def hub(self):
        return wait_for('one of them is the hub', lambda: next(
            (each for each in self.blenders.values() if each.value('session.status.mode == Mode.HUB')), None))

    def others(self, *but):
        return [each for each in self.blenders.values() if each not in but]

    def export(self, name='surface'):
        return self.bridge.export(self.payloads[name])

    def arrives(self, there):
        """The export shows in that one, and in that one alone; its id."""
        import_id = there.wait('session.queue.items() and session.queue.items()[-1].import_id')
        for each in self.others(there):
            self.assertEqual(each.value('len(session.queue)'), 0, each.name)
        return import_id

    def decides(self, there, operator, import_id):
        there.run('bpy.ops.bridge_hub.%s(import_id=%r)' % (operator, import_id))
        there.wait('len(session.queue) == 0')

    def reports(self, there, text):
        """Blender writes it when it comes to it."""
        wait_for('it is reported: ' + text, lambda: text in there.reports())

    def drops_what_is_parked(self, there):
        there.wait('len(session.parked) == 1')
        there.run('bpy.ops.bridge_hub.drop(import_id=session.parked[0].import_id)')
        there.wait('session.status.parked == 0')

    # ---- who is active

    def test_the_button_claims_and_starts_bridge_whose_export_arrives_there_alone(self):
        program = os.path.join(self.place.path, 'Bridge')
        export = os.path.join(self.place.path, 'export.json')
        with open(export, 'w', encoding='utf-8') as file:
            file.write(self.payloads['asset3d'])
        with open(program, 'w', encoding='utf-8') as file:
            file.write('#!%s\nimport os, socket, time\ns = socket.create_connection(("127.0.0.1", %d))\n'
                       's.sendall(open(%r, "rb").read()); s.shutdown(1)\nwhile s.recv(9): pass\n'
                       'while os.path.exists(%r): time.sleep(0.1)\n' % (sys.executable, self.place.port, export, export))
        self.addCleanup(os.unlink, export)
        os.chmod(program, 0o755)
        self.two.run('P.bridge_path = %r' % program)
        self.two.run('bpy.ops.bridge_hub.launch_and_claim()')
        self.two.wait('session.status.active')
        answers = CLAIMED, CLAIMS_LATER
        said = wait_for('one of %s is reported' % (answers,),
                        lambda: [text for text in answers if text in self.two.reports()])
        if CLAIMED not in said:  # the machine is busy: pressed again, the button says how it is now
            self.two.run('bpy.ops.bridge_hub.launch_and_claim()')
        self.reports(self.two, CLAIMED)
        import_id = self.arrives(self.two)
        self.assertEqual(self.two.value('session.queue.items()[0].title'), 'Nordic Beach Rock Formation')
        self.assertEqual(self.two.value('session.queue.items()[0].missing_count'), 0)
        # It runs already: a second press starts no second one, which would export again.
        self.two.run('bpy.ops.bridge_hub.launch_and_claim()')
        self.decides(self.two, 'import_pending', import_id)
        self.assertEqual(self.two.value('session.last_import'), 'Imported Nordic Beach Rock Formation')
        self.two.run('P.bridge_path = "/nowhere/Bridge"')
        self.two.run('bpy.ops.bridge_hub.launch_and_claim()')
        self.reports(self.two, '/nowhere/Bridge, the Bridge of the preferences, is not there')

    def test_the_role_is_handed_over_and_released_and_what_waits_goes_to_the_next(self):
        third = self.three.value('session.status.instance')
        self.one.run('bpy.ops.bridge_hub.claim(instance=%r)' % third)
        self.three.wait('session.status.active')
        self.decides(self.three, 'import_pending', self.export() and self.arrives(self.three))
        self.three.run('bpy.ops.bridge_hub.release()')
        self.export()
        for each in self.blenders.values():
            each.wait('session.status.waiting == 1 and session.status.active_instance == ""')
        self.two.run('bpy.ops.bridge_hub.claim()')
        self.decides(self.two, 'import_pending', self.arrives(self.two))

    def test_a_window_in_which_one_works_becomes_active_if_that_is_wanted(self):
        self.three.run('bpy.data.objects[0].location.x += 1; bpy.context.view_layer.update()')
        self.two.run('P.follow_focus = True')
        self.two.run('bpy.data.objects[0].location.x += 1; bpy.context.view_layer.update()')
        self.two.wait('session.status.active')
        self.two.run('P.follow_focus = False')
        self.assertFalse(self.three.value('session.status.active'))

    # ---- imports

    def test_an_export_shows_in_the_panel_within_a_blink(self):
        self.one.show_panel()
        self.one.run(WATCH_PANEL)
        took = []
        for _ in range(EXPORTS):
            closed = self.export()
            import_id = self.arrives(self.one)
            took.append(1000 * (self.one.wait('drawn.get(%r)' % import_id) - closed))
            self.one.run('session.acknowledge(%r)' % import_id)
            # Its going is drawn too, and the next export does not come at that very moment.
            time.sleep(PAUSE_S)
        turn = 1000 * self.turn_s()
        print('an export shows after %d ms (median of %d; at most %d ms), where a turn of Blender takes %d ms' % (
            statistics.median(took), EXPORTS, max(took), turn))
        self.assertLess(statistics.median(took), max(SHOWN_MS, SHOWN_TURNS * turn))

    def turn_s(self):
        """What Blender needs to hear of something and to draw, without hub or add-on: the test's own question."""
        took = []
        for _ in range(EXPORTS):
            began = time.time()
            self.one.run(VIEW + 'sidebar.tag_redraw()')
            took.append(time.time() - began)
        return statistics.median(took)

    def test_a_batch_is_imported_in_one_step_of_undo(self):
        before = self.one.value('len(bpy.data.objects)')
        self.export('batch_mixed8')
        import_id = self.arrives(self.one)
        self.one.run('from bridge_hub import override\n'
                     'override.call(bpy.ops.bridge_hub.import_pending, "EXEC_DEFAULT", True, import_id=%r)' % import_id)
        self.assertEqual(self.one.value('session.last_error'), '')
        self.assertGreater(self.one.value('len(bpy.data.objects)'), before)
        self.one.run('override.call(bpy.ops.ed.undo)')
        self.one.wait('len(bpy.data.objects) == %d' % before)
        self.assertEqual(self.one.value('session.status.parked'), 0)

    def test_import_at_once_waits_for_object_mode_and_says_what_fails(self):
        # What an earlier test imported has the same name.
        self.one.run('session.last_import = ""; P.import_at_once = True')
        self.addCleanup(self.one.run, 'P.import_at_once = False')
        self.export()
        self.one.wait('session.last_import == "Imported %s"' % json.loads(self.payloads['surface'])[0]['name'])
        self.one.run('from bridge_hub import override; override.call(bpy.ops.object.mode_set, mode="EDIT")')
        self.export('asset3d')
        self.one.wait('len(session.queue) == 1')
        self.assertEqual(self.one.value('bridge_hub_automatic.why_not_now()'.replace(
            'bridge_hub_automatic', '__import__("bridge_hub.automatic").automatic')), 'Imports in Object Mode')
        self.one.run('override.call(bpy.ops.object.mode_set, mode="OBJECT")')
        self.one.wait('session.last_import == "Imported Nordic Beach Rock Formation"')
        # What Bridge sends of a library that is gone.
        self.bridge.export(self.payloads['surface'].replace('/library/', '/gone/'))
        self.one.wait('session.status.parked == 1')
        self.assertIn('was not imported', self.one.value('session.last_error'))
        self.drops_what_is_parked(self.one)

    def test_what_is_discarded_is_parked_and_can_be_retried_and_dropped(self):
        self.export()
        import_id = self.arrives(self.one)
        self.decides(self.one, 'discard', import_id)
        for each in self.blenders.values():
            each.wait('[item.why for item in session.parked] == ["discarded in forest"]')
        self.two.run('bpy.ops.bridge_hub.retry(import_id=%r)' % import_id)
        self.assertEqual(self.arrives(self.one), import_id)
        self.assertEqual(self.one.value('session.queue.items()[0].attempt'), 2)
        self.decides(self.one, 'discard', import_id)
        self.two.wait('len(session.parked) == 1')
        self.two.run('bpy.ops.bridge_hub.drop(import_id=%r)' % import_id)
        self.one.wait('session.status.parked == 0')

    def test_an_import_that_blocks_blender_loses_neither_hub_nor_heartbeat(self):
        hub = self.hub()
        epoch = hub.value('session.status.epoch')
        hub.run('session.claim()')
        # Longer than the time-out, with Python's lock held all the while, as an importer in C does.
        hub.send('import ctypes; ctypes.PyDLL(None).usleep(%d)' % (1000 * TIMEOUT_MS + 1000000))
        other = self.others(hub)[0]
        other.run('session.claim()')
        self.export()
        import_id = self.arrives_while(other, hub)
        self.decides(other, 'import_pending', import_id)
        hub.answer()
        for each in self.blenders.values():
            self.assertEqual(each.value('session.status.epoch'), epoch)

    def arrives_while(self, there, blocked):
        import_id = there.wait('session.queue.items() and session.queue.items()[-1].import_id')
        self.assertIsNone(blocked.process.poll())
        return import_id

    # ---- windows that come and go

    def test_the_hub_s_blender_is_killed_and_another_takes_over(self):
        killed = self.hub()
        kept = self.others(killed)
        kept[0].run('session.claim()')
        kept[0].wait('session.status.active')
        killed.kill()
        kept[0].wait('session.status.active and len(session.status.peers) == 2')
        self.export()
        import_id = kept[0].wait('session.queue.items() and session.queue.items()[-1].import_id')
        self.assertEqual(kept[1].value('len(session.queue)'), 0)
        self.decides(kept[0], 'import_pending', import_id)

    def test_the_active_one_is_killed_in_the_middle_of_an_import_which_another_gets(self):
        hub = self.hub()
        victim, heir = self.others(hub)
        victim.run('session.claim()')
        victim.wait('session.status.active')
        self.export()
        import_id = victim.wait('session.queue.items() and session.queue.items()[-1].import_id')
        begun = os.path.join(self.place.path, 'begun')
        victim.run('import bridge_hub.importer\n'
                   'bridge_hub.importer.import_payload = lambda *a: open(%r, "w") and time.sleep(60)' % begun)
        victim.send('bpy.ops.bridge_hub.import_pending(import_id=%r)' % import_id)
        wait_for('it imports', lambda: os.path.exists(begun))
        victim.kill()
        heir.wait('session.status.waiting == 1 and session.status.active_instance == ""')
        heir.run('bpy.ops.bridge_hub.claim()')
        self.assertEqual(heir.wait('session.queue.items() and session.queue.items()[-1].import_id'), import_id)
        self.assertEqual(heir.value('session.queue.items()[0].attempt'), 2)
        self.decides(heir, 'import_pending', import_id)
        self.assertIn(', sent before: attempt 2', heir.value('session.last_import'))

    def test_a_window_is_called_as_its_file_and_keeps_its_previews_when_that_is_saved_and_another_opened(self):
        path = os.path.join(self.place.path, 'forest_v2.blend')
        names = '[peer.name for peer in session.status.peers]'
        self.export()
        import_id = self.arrives(self.one)
        for operator, name in (('wm.save_as_mainfile(filepath=%r)' % path, 'forest_v2'),
                               ('wm.open_mainfile(filepath=%r)' % self.place.file('forest'), 'forest'),
                               ('wm.read_homefile()', 'Untitled')):
            self.one.run('bpy.ops.' + operator)
            self.two.wait('"%s" in %s' % (name, names))
            self.one.wait('session.status.active and len(session.queue) == 1')
        self.decides(self.one, 'import_pending', import_id)
        self.one.wait('session.status.waiting == 0')
        self.assertEqual(self.one.value('(session.last_error, session.status.parked)'), ['', 0])
        self.one.run('bpy.ops.wm.open_mainfile(filepath=%r)' % self.place.file('forest'))
        self.two.wait('"forest" in ' + names)

    def test_disabled_it_leaves_no_thread_and_no_port_and_enabled_it_is_back(self):
        hub = self.hub()
        peers = hub.value('len(session.status.peers)')
        hub.run('bpy.ops.preferences.addon_disable(module="bridge_hub")')
        wait_for('its thread has gone', lambda: hub.threads() == 0)
        self.assertEqual(hub.value('[name for name in dir(bpy.ops.bridge_hub)]'), [])
        others = self.others(hub)
        for each in others:
            each.wait('session.status.registered and len(session.status.peers) == %d' % (peers - 1))
        hub.enable()
        hub.wait('session.status.mode == Mode.CLIENT')
        self.assertEqual(hub.threads(), 1)

    def test_idle_it_costs_nothing(self):
        """What a look costs, and that nothing is drawn: less than can be told from what Blender itself uses."""
        each_us, refreshed = self.three.run(WATCH_IDLE) or self.three.wait('(each_us, refreshed) if time.time() > until else None')
        share = each_us / 1e6 / self.three.value('__import__("bridge_hub.running").running.INTERVAL_S')
        print('idle: a look takes %d us, %.2f %% of a core' % (each_us, 100 * share))
        self.three.run('del session.refresh')
        self.assertEqual(refreshed, [])
        self.assertLess(100 * share, IDLE_PERCENT)


class Apart(unittest.TestCase):
    """Blenders of their own: other ports, other groups, no window."""

    def setUp(self):
        self.display = Display()
        self.addCleanup(self.display.close)

    def place(self, **preferences):
        place = Place(heartbeat_ms=HEARTBEAT_MS, timeout_ms=TIMEOUT_MS // 4, **preferences)
        self.addCleanup(place.remove)
        return place

    def start(self, place, name, *arguments):
        blender = Blender(place, self.display, name, *arguments)
        self.addCleanup(lambda: blender.process.poll() is None and blender.kill())
        return blender

    def test_quit_leaves_nothing_and_a_stranger_on_the_port_is_named_until_it_goes(self):
        place = self.place()
        stranger = socket.socket()
        stranger.bind(('127.0.0.1', place.port))
        stranger.listen()
        blender = self.start(place, 'one').ready()
        blender.wait('session.status.mode == Mode.PORT_TAKEN')
        name, pid = blender.value('(session.status.who_has_port, session.status.port_holder_pid)')
        self.assertEqual(pid, os.getpid())
        self.assertIn('port %d is taken by %s (process %d)' % (place.port, name, pid), blender.value('session.status.problem'))
        stranger.close()
        blender.wait('session.status.mode == Mode.HUB')
        self.assertEqual(blender.value('session.status.problem'), '')
        self.assertTrue(held(place.port))
        self.assertEqual(blender.quit(), 0)
        self.assertFalse(held(place.port))
        left = sorted(name for name in os.listdir(place.runtime) if name.startswith('QuixelBridge'))
        self.assertEqual(left, ['QuixelBridge_Spool'])

    def test_an_update_is_installed_over_the_add_on_that_runs_and_enabled_anew_it_is_the_new_one(self):
        place = self.place()
        update = os.path.join(place.path, 'update.zip')
        with zipfile.ZipFile(addon_zip()) as old, zipfile.ZipFile(update, 'w') as new:
            for name in old.namelist():
                new.writestr(name, old.read(name).replace(b"CLAIMED = 'This ", b"CLAIMED = 'The updated "))
        blender = self.start(place, 'one').ready()
        blender.wait('session.status.active')
        self.assertEqual(blender.threads(), 1)
        blender.run('bpy.ops.preferences.addon_install(filepath=%r)' % update)
        blender.wait('session.status.active')
        blender.run('bpy.ops.preferences.addon_disable(module="bridge_hub")')
        self.assertFalse(held(place.port))
        blender.enable()
        blender.wait('session.status.active')
        self.assertEqual(blender.value('__import__("bridge_hub.operators").operators.CLAIMED').split()[:2], ['The', 'updated'])
        self.assertEqual(blender.threads(), 1)

    def test_two_groups_keep_their_exports_apart_and_settings_change_without_a_restart(self):
        place = self.place()
        both = [self.start(place, name) for name in ('one', 'two')]
        for each in both:
            each.ready().wait('session.status.registered and len(session.status.peers) == 2')
        # Which of two that start together is the hub is left to chance; the port is changed at the other.
        first, second = sorted(both, key=lambda each: not each.value('session.status.mode == Mode.HUB'))
        other = free_port()
        second.run('P.port = %d' % other)
        second.wait('"the hub listens on port %d, and not on %d," in session.problem' % (place.port, other))
        second.run('P.port = %d' % place.port)
        second.wait('session.status.registered and session.problem == ""')
        second.run('P.group = "film"; P.port = %d' % other)
        second.wait('session.status.mode == Mode.HUB and len(session.status.peers) == 1')
        first.wait('session.status.mode == Mode.HUB and len(session.status.peers) == 1')
        Bridge(other).export('[{"id":"a","name":"For the film","type":"surface"}]')
        second.wait('len(session.queue) == 1')
        self.assertEqual(first.value('len(session.queue)'), 0)
        second.run('P.group = "no group"')
        second.wait('not session.runs and "no group" in session.why_not')
        second.run('P.group = ""')
        second.wait('session.runs')

    def test_a_preview_outlasts_another_port_and_factory_settings_end_it_all(self):
        place = self.place()
        blender = self.start(place, 'one').ready()
        blender.wait('session.status.active')
        Bridge(place.port).export('[{"id":"a","name":"Kept","type":"surface"}]')
        blender.wait('len(session.queue) == 1')
        other = free_port()
        blender.run('P.port = %d' % other)
        wait_for('the new port is listened on', lambda: held(other))
        blender.wait('session.status.active and [item.title for item in session.queue.items()] == ["Kept"]')
        self.assertFalse(held(place.port))
        self.assertEqual(blender.threads(), 1)
        blender.run('bpy.ops.wm.read_factory_settings()')
        self.assertFalse(blender.value('session.runs'))
        self.assertFalse(held(other))
        wait_for('its thread has gone', lambda: blender.threads() == 0)

    def test_without_a_window_it_runs_only_when_asked_and_all_that_is_said_of_an_import_is_said_once(self):
        place = self.place()
        path = os.path.join(place.path, 'payload.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump([{'id': name, 'name': 'Lost ' + name, 'type': 'surface',
                        'components': [{'type': 'albedo', 'path': '/gone/%s.jpg' % name}]} for name in ('a', 'b')], file)
        printed = place.background('\n'.join([
            'import bpy, socket', 'from bridge_hub import diagnostics, running',
            'from bridge_hub.session import log_path, session',
            'assert not running.wanted() and not session.runs',
            'os.environ["BRIDGE_HUB_BACKGROUND"] = "1"', 'assert running.wanted()', 'running.pump(1)',
            'assert session.status.active, session.status',
            's = socket.create_connection(("127.0.0.1", %d))' % place.port,
            's.sendall(open(%r, "rb").read()); s.shutdown(1)' % path, 'running.pump(1)',
            'bpy.ops.bridge_hub.copy_diagnostics()', 'text = diagnostics.text()',
            'assert "In hand          Lost a and 1 more" in text and "Running as HUB" in text, text',
            'item = session.queue.items()[0]',
            'try: bpy.ops.bridge_hub.import_pending(import_id=item.import_id)',
            'except RuntimeError as error: print("REPORT " + repr(str(error)))',
            'running.pump(1)', 'print("PANEL " + repr(session.last_error))',
            'print("PARKED %d %r" % (session.status.parked, session.failed_import == session.parked[0].import_id))',
            'print("LOG " + repr(open(log_path(), encoding="utf-8").read()))']))
        self.assertFalse(held(place.port))
        lines = dict(line.split(' ', 1) for line in printed.splitlines() if line.split(' ')[0].isupper())
        for name in ('a', 'b'):
            why = 'Surface “Lost %s” (%s) was not imported: none of its textures can be used' % (name, name)
            self.assertEqual([lines[where].count(why) for where in ('REPORT', 'PANEL')], [1, 1], printed)
            # The hub, which may be elsewhere, quotes it once more where it says that the import is parked.
            self.assertEqual(lines['LOG'].count('] ' + why), 1, printed)
            self.assertEqual(printed.count('Lost %s: Albedo map' % name), 1, 'in the log alone: no warning is reported beside the error')
        self.assertEqual(lines['PARKED'], '1 True')


if __name__ == '__main__':
    unittest.main()
