# SPDX-License-Identifier: GPL-3.0-or-later
"""Blenders with windows on a display of their own, a played Bridge, and a place that is theirs alone."""
import atexit
import contextlib
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
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PATIENCE_S = 60
# An import of many assets, on a machine that does much else.
ANSWER_S = 180
SCREEN = '1280x800x24'
# Drawn by the processor: small, but where a test looks at it.
SMALL, LARGE = ('800', '600'), ('1280', '800')


# Before the add-on has started its instance.
PREFERENCES = """
import bpy, json, os
addon = bpy.context.preferences.addons.get('bridge_hub')
for name, value in json.loads(os.environ.get('BH_PREFERENCES', '{}')).items() if addon else ():
    setattr(addon.preferences, name, value)
"""

# What the texts of the tests can use.
NAMES = """
from bridge_hub.library import Mode
from bridge_hub.session import session
P = bpy.context.preferences.addons['bridge_hub'].preferences
"""

VIEW = """
window = bpy.context.window_manager.windows[0]
area = max(window.screen.areas, key=lambda area: area.width * area.height)
sidebar = next((region for region in area.regions if region.type == 'UI'), None)
"""
SHOW_SIDEBAR = VIEW + """
area.spaces[0].show_region_ui = True
"""
SIDEBAR_IS_SHOWN = VIEW + """
result = sidebar.width > 1
"""
# The tabs are Item, Tool, View and Quixel, from the top down.
CLICK_TAB = VIEW + """
x, y = sidebar.x + sidebar.width - 8, sidebar.y + sidebar.height - 165
window.event_simulate(type='MOUSEMOVE', value='NOTHING', x=x, y=y)
window.event_simulate(type='LEFTMOUSE', value='PRESS', x=x, y=y)
window.event_simulate(type='LEFTMOUSE', value='RELEASE', x=x, y=y)
"""


def addon_zip():
    found = glob.glob(os.path.join(TOP, 'build/addon/bridge_hub-*-linux-*.zip'))
    if len(found) != 1:
        raise RuntimeError('there should be one zip in build/addon, and there is %s: run ./sconsw addon' % (found or 'none'))
    return found[0]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def held(port):
    """Somebody listens there."""
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


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


# By the operators that the buttons of the preferences call.
INSTALL = """
bpy.ops.preferences.addon_install(filepath=%r)
bpy.ops.preferences.addon_enable(module="bridge_hub")
bpy.context.preferences.view.show_splash = False
bpy.context.preferences.system.viewport_aa = "OFF"
bpy.context.preferences.filepaths.use_auto_save_temporary_files = False
bpy.ops.wm.save_userpref()
"""

# The scene with which Blender starts.
SAVE_FILES = """
for path in %r: bpy.ops.wm.save_as_mainfile(filepath=path)
"""

MAKE_LIBRARY = """
import shutil, sys
sys.path.insert(0, %r)
from library import Library
made = Library()
shutil.rmtree(made.directory)
made.directory = %r
for name in %r:
    records = made.payload(name)
    for record in records:
        if record.get("previewImage"): made.texture(record["previewImage"], "albedo", (64, 64))
    print("PAYLOAD " + json.dumps([name, json.dumps(records, ensure_ascii=False)]))
"""


class Place:
    """A home for Blender, a runtime directory for the hub and a port, with the add-on installed from its zip.

    `payloads`: the names of those whose meshes, textures and preview images are to be there, as a Megascans library has them.
    `files`: the names of .blend files.
    """

    installed = None

    def __init__(self, payloads=(), files=(), **preferences):
        # Short: the endpoint is a socket in it. And no ASCII, as the names of artists are.
        self.path = tempfile.mkdtemp(prefix='bh-größe-')
        self.port = preferences.setdefault('port', free_port())
        self.runtime = os.path.join(self.path, 'run')
        for name in ('run', 'home', 'library'):
            os.mkdir(os.path.join(self.path, name), 0o700)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(('BH_', 'BRIDGE_HUB'))}
        self.environment.update(
            XDG_RUNTIME_DIR=self.runtime, TMPDIR=self.path, HOME=os.path.join(self.path, 'home'),
            BLENDER_USER_CONFIG=os.path.join(self.path, 'config'),
            BLENDER_USER_SCRIPTS=os.path.join(self.path, 'scripts'), LIBGL_ALWAYS_SOFTWARE='1',
            BH_PREFERENCES=json.dumps(preferences))
        self.payloads = self._set_up(payloads, files)

    def _set_up(self, payloads, files):
        """All in one Blender, which takes seconds to start. What is installed later are copies."""
        first = Place.installed is None
        for name in ('config', 'scripts'):
            if first:
                os.mkdir(os.path.join(self.path, name))
            else:
                shutil.copytree(os.path.join(Place.installed, name), os.path.join(self.path, name))
        importer, library = os.path.join(TOP, 'addon/tests/importer'), os.path.join(self.path, 'library')
        texts = [INSTALL % addon_zip()] * first
        texts += [SAVE_FILES % [self.file(name) for name in files]] * bool(files)
        texts += [MAKE_LIBRARY % (importer, library, payloads)] * bool(payloads)
        printed = self.background('\n'.join(texts)) if texts else ''
        if first:
            Place.installed = tempfile.mkdtemp(prefix='bh-installed-')
            atexit.register(shutil.rmtree, Place.installed, ignore_errors=True)
            for name in ('config', 'scripts'):
                shutil.copytree(os.path.join(self.path, name), os.path.join(Place.installed, name))
        return dict(json.loads(line.split(' ', 1)[1]) for line in printed.splitlines() if line.startswith('PAYLOAD '))

    def file(self, name):
        return os.path.join(self.path, name + '.blend')

    def background(self, text, **environment):
        """What `blender -b` prints; it has gone well."""
        done = subprocess.run(
            ['blender', '--background', '-noaudio', '--python-exit-code', '1', '--python-expr', PREFERENCES + text],
            env={**self.environment, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S)
        if done.returncode != 0:
            raise AssertionError('blender --background: status %d\n%s' % (done.returncode, done.stdout))
        return done.stdout

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Blender:
    """One with a window. It starts at once; ready() waits for it."""

    def __init__(self, place, display, name, *arguments, size=SMALL):
        self.name = name
        self.log = os.path.join(place.path, name + '.log')
        self.socket = None
        path = os.path.join(place.path, name + '.remote')
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(PATIENCE_S)
        with open(self.log, 'w') as log:
            self.process = subprocess.Popen(
                ['blender', '-noaudio', '--enable-event-simulate', '--window-geometry', '0', '0', *size, *arguments,
                 '--python', os.path.join(HERE, 'remote.py'), '--', path],
                env={**place.environment, 'DISPLAY': display.name}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)

    def ready(self):
        try:
            self.socket, _ = self.listener.accept()
        except socket.timeout:
            self.process.kill()
            raise AssertionError('%s does not start:\n%s' % (self.name, self.output())) from None
        os.unlink(self.listener.getsockname())
        self.listener.close()
        self.socket.settimeout(ANSWER_S)
        self.file = self.socket.makefile('rw', encoding='utf-8')
        self.run(NAMES)
        return self

    @property
    def pid(self):
        return self.process.pid

    def reports(self):
        """What its operators have said: Blender prints that."""
        self.run('import ctypes, sys; sys.stdout.flush(); ctypes.CDLL(None).fflush(None)')
        return self.output()

    def output(self):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()

    def run(self, text):
        """Runs it in Blender, and gives what it leaves in `result`."""
        self.send(text)
        return self.answer()

    def answer(self):
        try:
            answer = self.file.readline()
        except socket.timeout:
            # Out of step from here on.
            self.process.kill()
            self.process.wait()
            raise AssertionError('%s does not answer' % self.name) from None
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
        self.close()
        return self.process.returncode

    def close(self):
        for each in (self.listener, self.socket):
            if each is not None:
                each.close()

    def kill(self):
        """Without a word, as a crash."""
        self.process.send_signal(signal.SIGKILL)
        self.wait_exit()

    def enable(self):
        """Again, after it was disabled: Blender has forgotten the preferences."""
        self.run('bpy.ops.preferences.addon_enable(module="bridge_hub")\n' + PREFERENCES + NAMES)

    def send(self, text):
        """Runs it, and waits for no answer."""
        self.file.write(json.dumps(text) + '\n')
        self.file.flush()

    def quit(self):
        """As the artist does. The remote end never answers."""
        self.send('bpy.ops.wm.quit_blender()')
        return self.wait_exit()

    def threads(self):
        """How many are the library's: they bear its name. Blender and its allocator begin some of their own when they like."""
        directory = '/proc/%d/task' % self.pid
        count = 0
        for thread in os.listdir(directory):
            with contextlib.suppress(OSError), open(os.path.join(directory, thread, 'comm'), encoding='utf-8') as comm:
                count += comm.read().startswith('bridgehub')
        return count

    def show_panel(self):
        """Opens the sidebar and its tab Quixel, which is a click: Blender 3.4 has no other way."""
        self.run(SHOW_SIDEBAR)
        wait_for('the sidebar of %s opens' % self.name, lambda: self.run(SIDEBAR_IS_SHOWN))
        self.run(CLICK_TAB)

    def screenshot(self, path, whole=False):
        """Of the 3D view, or of the whole window."""
        self.run('bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)')
        self.run(VIEW + 'with bpy.context.temp_override(window=window, area=area):\n'
                 '    bpy.ops.screen.screenshot%s(filepath=%r)' % ('' if whole else '_area', path))


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
