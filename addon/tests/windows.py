# SPDX-License-Identifier: GPL-3.0-or-later
"""Blenders with windows on a display of their own, a played Bridge, and a place that is theirs alone."""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PATIENCE_S = 60
SCREEN = '1280x800x24'


VIEW = """
window = bpy.context.window_manager.windows[0]
area = next(area for area in window.screen.areas if area.type == 'VIEW_3D')
sidebar = next(region for region in area.regions if region.type == 'UI')
"""
SHOW_SIDEBAR = VIEW + """
area.spaces[0].show_region_ui = True
"""
# The tabs are Item, Tool, View and Quixel, from the top down.
CLICK_TAB = VIEW + """
x, y = sidebar.x + sidebar.width - 8, sidebar.y + sidebar.height - 165
window.event_simulate(type='MOUSEMOVE', value='NOTHING', x=x, y=y)
window.event_simulate(type='LEFTMOUSE', value='PRESS', x=x, y=y)
window.event_simulate(type='LEFTMOUSE', value='RELEASE', x=x, y=y)
"""


def addon_zip():
    found = glob.glob(os.path.join(TOP, 'build/addon/bridge_hub-*.zip'))
    if len(found) != 1:
        raise RuntimeError('there should be one zip in build/addon, and there is %s: run ./sconsw addon' % (found or 'none'))
    return found[0]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(what, condition, patience=PATIENCE_S, every=0.02):
    """The condition's first true value."""
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError('%s: not within %d s' % (what, patience))
        time.sleep(every)


class Display:
    """An X server without a screen."""

    def __init__(self):
        read, write = os.pipe()
        self.process = subprocess.Popen(
            ['Xvfb', '-displayfd', str(write), '-screen', '0', SCREEN, '-nolisten', 'tcp', '-noreset'],
            pass_fds=[write], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as file:
            self.name = ':' + file.readline().strip()
        if self.name == ':':
            raise RuntimeError('Xvfb does not start')

    def close(self):
        self.process.terminate()
        self.process.wait()


class Place:
    """A home for Blender, a runtime directory for the hub and a port, with the add-on installed from its zip."""

    def __init__(self, **preferences):
        # Short: the endpoint is a socket in it.
        self.path = tempfile.mkdtemp(prefix='bh-addon-')
        self.port = preferences.setdefault('port', free_port())
        self.runtime = os.path.join(self.path, 'run')
        for name in ('run', 'home', 'config', 'scripts'):
            os.mkdir(os.path.join(self.path, name), 0o700)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(('BH_', 'BRIDGE_HUB'))}
        self.environment.update(
            XDG_RUNTIME_DIR=self.runtime, HOME=os.path.join(self.path, 'home'),
            BLENDER_USER_CONFIG=os.path.join(self.path, 'config'),
            BLENDER_USER_SCRIPTS=os.path.join(self.path, 'scripts'), LIBGL_ALWAYS_SOFTWARE='1')
        self.install(preferences)

    def install(self, preferences):
        """As an artist does it by hand, and then the preferences are saved."""
        text = '\n'.join([
            'import bpy', 'bpy.ops.preferences.addon_install(filepath=%r)' % addon_zip(),
            'bpy.ops.preferences.addon_enable(module="bridge_hub")',
            'preferences = bpy.context.preferences.addons["bridge_hub"].preferences',
            *['preferences.%s = %r' % item for item in preferences.items()],
            'bpy.context.preferences.view.show_splash = False',
            'bpy.context.preferences.view.show_statusbar_memory = False',
            'bpy.context.preferences.filepaths.use_auto_save_temporary_files = False',
            'bpy.ops.wm.save_userpref()'])
        self.background(text)

    def background(self, text, *arguments, **environment):
        """What `blender -b` prints; it has gone well."""
        done = subprocess.run(
            ['blender', '--background', '-noaudio', *arguments, '--python-exit-code', '1', '--python-expr', text],
            env={**self.environment, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S)
        if done.returncode != 0:
            raise AssertionError('blender --background: status %d\n%s' % (done.returncode, done.stdout))
        return done.stdout

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Blender:
    """One with a window."""

    def __init__(self, place, display, name, *arguments):
        self.name = name
        self.log = os.path.join(place.path, name + '.log')
        path = os.path.join(place.path, name + '.remote')
        with socket.socket(socket.AF_UNIX) as listener, open(self.log, 'w') as log:
            listener.bind(path)
            listener.listen(1)
            listener.settimeout(PATIENCE_S)
            self.process = subprocess.Popen(
                ['blender', '-noaudio', '--enable-event-simulate', '--window-geometry', '0', '0', '1280', '800', *arguments,
                 '--python', os.path.join(HERE, 'remote.py'), '--', path],
                env={**place.environment, 'DISPLAY': display.name}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
            try:
                self.socket, _ = listener.accept()
            except socket.timeout:
                self.process.kill()
                raise AssertionError('%s does not start:\n%s' % (name, self.output())) from None
        os.unlink(path)
        self.socket.settimeout(PATIENCE_S)
        self.file = self.socket.makefile('rw', encoding='utf-8')
        self.run('from bridge_hub.session import session; from bridge_hub.library import Mode; '
                 'P = bpy.context.preferences.addons["bridge_hub"].preferences')

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()

    def run(self, text):
        """Runs it in Blender, and gives what it leaves in `result`."""
        self.file.write(json.dumps(text) + '\n')
        self.file.flush()
        answer = self.file.readline()
        if not answer:
            raise AssertionError('%s has ended:\n%s' % (self.name, self.output()[-3000:]))
        outcome = json.loads(answer)
        if 'error' in outcome:
            raise AssertionError('in %s:\n%s' % (self.name, outcome['error']))
        return outcome['result']

    def value(self, expression):
        return self.run('result = ' + expression)

    def wait(self, expression, patience=PATIENCE_S):
        return wait_for('%s: %s' % (self.name, expression), lambda: self.value(expression), patience)

    def wait_exit(self):
        self.process.wait(PATIENCE_S)
        self.socket.close()
        return self.process.returncode

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.wait_exit()

    def quit(self):
        """As the artist does. The remote end never answers."""
        self.file.write(json.dumps('bpy.ops.wm.quit_blender()') + '\n')
        self.file.flush()
        return self.wait_exit()

    def show_panel(self):
        """Opens the sidebar and its tab Quixel, which is a click: Blender 3.4 has no other way."""
        self.run(SHOW_SIDEBAR)
        time.sleep(0.5)
        self.run(CLICK_TAB)

    def screenshot(self, path):
        self.run('bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)')
        self.run('bpy.ops.screen.screenshot(filepath=%r)' % path)


class Bridge:
    """Plays Quixel Bridge's Custom Socket Export."""

    def __init__(self, port):
        self.port = port

    def export(self, text):
        """Until the hub has it: section 6 of the specification says when that is. Gives the time of the close."""
        with socket.create_connection(('127.0.0.1', self.port), PATIENCE_S) as s:
            s.sendall(text.encode() if isinstance(text, str) else text)
            s.shutdown(socket.SHUT_WR)
            closed = time.time()
            while s.recv(4096):
                pass
        return closed
