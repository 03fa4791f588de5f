# SPDX-License-Identifier: GPL-3.0-or-later
"""Screenshots of the panel in each of its states, to be looked at.

screens.py DIRECTORY: writes DIRECTORY/STATE.png, the 3D view of a Blender window.
"""
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from blender import LARGE, VIEW, Blender, Bridge, Display, Place, wait_for  # noqa: E402

FILES = ('forest_v3', 'castle', 'desert_dunes')
LOST = 'D:/Megascans Library'


class Screens:
    def __init__(self, directory):
        self.directory = os.path.abspath(directory)
        os.makedirs(self.directory, exist_ok=True)
        self.display = Display()
        self.place = Place(('asset3d', 'surface', 'plant3d', 'batch_mixed8'), FILES, heartbeat_ms=200, timeout_ms=2000)
        self.bridge = Bridge(self.place.port)
        self.payloads = self.place.payloads
        self.blenders = []

    def start(self, *names):
        found = [Blender(self.place, self.display, name, self.place.file(name), size=LARGE)
                 for name in names]
        self.blenders += found
        for each in found:
            each.ready().run('bpy.context.preferences.system.viewport_aa = "8"')
            each.show_panel()
            each.wait('session.status.registered')
        return found

    def take(self, name, blender, whole=False):
        path = os.path.join(self.directory, name + '.png')
        blender.screenshot(path, whole)
        print(path, flush=True)

    def export(self, name, blender, count):
        self.bridge.export(self.payloads.get(name, name))
        blender.wait('len(session.queue) == %d' % count)

    def run(self):
        one, = self.start(FILES[0])
        one.wait('session.status.mode == Mode.HUB')
        two, three = self.start(*FILES[1:])
        one.run('session.claim()')
        for each in self.blenders:
            each.wait('len(session.status.peers) == 3 and bool(session.status.active_instance)')
        self.take('hub-active', one)
        self.take('client-inactive', two)
        self.imports(one)
        self.parked(one)
        self.waiting(one, two)
        self.take('preferences', self.preferences(three))
        three.run('area.type = "VIEW_3D"')
        self.connecting(two, three)
        self.port_taken(one, two, three)

    def imports(self, one):
        self.export('asset3d', one, 1)
        self.take('preview', one)
        self.export('batch_mixed8', one, 2)
        self.take('preview-of-a-batch', one)
        one.run('bpy.ops.bridge_hub.import_pending(import_id=session.queue.items()[0].import_id)')
        one.run('from bridge_hub.session import Progress; session.progress = Progress(0.4, "Old Brick Wall: mesh 2 of 5")')
        self.take('importing', one)
        one.run('session.progress = None; bpy.ops.bridge_hub.discard_all()')

    def parked(self, one):
        missing = self.payloads['surface'].replace(os.path.join(self.place.path, 'library'), LOST)
        self.export(missing, one, 1)
        self.take('files-missing', one)
        one.run('try:\n    bpy.ops.bridge_hub.import_pending(import_id=session.queue.items()[0].import_id)\n'
                'except RuntimeError: pass')
        one.wait('len(session.parked) == 2')
        self.take('failed-and-parked', one)
        one.run('bpy.ops.bridge_hub.forget_error()\nfor item in session.parked: session.drop(item.import_id)')
        one.wait('session.status.parked == 0')

    def waiting(self, one, two):
        one.run('session.release()')
        self.bridge.export(self.payloads['surface'])
        self.bridge.export(self.payloads['plant3d'])
        two.wait('session.status.waiting == 2')
        self.take('waiting', two)
        two.run('session.claim()')
        two.wait('len(session.queue) == 2')
        self.take('two-previews', two)
        two.run('bpy.ops.bridge_hub.discard_all()')

    def preferences(self, three):
        three.run(VIEW + 'bpy.context.preferences.active_section = "ADDONS"\n'
                  'bpy.context.window_manager.addon_search = "Bridge Hub"\n'
                  'area.type = "PREFERENCES"\n'
                  'import addon_utils\n'
                  'shown = next(each for each in addon_utils.modules() if each.__name__ == "bridge_hub")\n'
                  'shown.bl_info["show_expanded"] = True')
        return three

    def connecting(self, two, three):
        """A stopped hub holds the port and does not answer."""
        import signal
        hub = next(each for each in self.blenders if each.value('session.status.mode == Mode.HUB'))
        other = two if hub is not two else three
        os.kill(hub.pid, signal.SIGSTOP)
        try:
            other.wait('session.status.mode == Mode.NOT_RESPONDING')
            self.take('hub-not-responding', other)
        finally:
            os.kill(hub.pid, signal.SIGCONT)

    def port_taken(self, *blenders):
        for each in blenders[1:]:
            each.kill()
        blenders[0].run('bpy.ops.preferences.addon_disable(module="bridge_hub")')
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            wait_for('the port is free', lambda: not stranger.bind(('127.0.0.1', self.place.port)) and not stranger.listen())
            blenders[0].enable()
            blenders[0].wait('session.status.mode == Mode.PORT_TAKEN')
            self.take('port-taken', blenders[0])

    def close(self):
        for each in self.blenders:
            if each.process.poll() is None:
                each.kill()
        self.display.close()
        self.place.remove()


def main(directory):
    screens = Screens(directory)
    try:
        screens.run()
    finally:
        screens.close()


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
