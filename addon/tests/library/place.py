# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the modules that need no Blender importable without it, with the library from the build, in a directory of the test's own."""
import os
import socket
import sys
import tempfile
import time
import types

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
LIBRARY = os.path.join(TOP, 'build/addon/libbridgehub.so')
PATIENCE_S = 20

package = types.ModuleType('bridge_hub')
package.__path__ = [os.path.join(TOP, 'addon/bridge_hub')]
sys.modules.setdefault('bridge_hub', package)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def runtime(test):
    """A runtime directory for one test."""
    directory = tempfile.TemporaryDirectory(prefix='bh-')
    test.addCleanup(directory.cleanup)
    before = os.environ.get('XDG_RUNTIME_DIR')
    os.environ['XDG_RUNTIME_DIR'] = directory.name

    def restore():
        if before is None:
            del os.environ['XDG_RUNTIME_DIR']
        else:
            os.environ['XDG_RUNTIME_DIR'] = before
    test.addCleanup(restore)
    return directory.name


def export(port, text):
    with socket.create_connection(('127.0.0.1', port), PATIENCE_S) as s:
        s.sendall(text.encode())
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass


def wait_for(what, condition):
    until = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError('%s: not within %d s' % (what, PATIENCE_S))
        time.sleep(0.005)
