# SPDX-License-Identifier: GPL-3.0-or-later
"""Quixel Bridge itself: where it is, whether it runs, and its start. Needs no Blender."""
from __future__ import annotations

import itertools
import os
import subprocess
import sys

SECONDS_MAX = 5

WINDOWS_NAMES = ('Bridge.exe', 'Quixel Bridge.exe')
# What was started, so that Python has somebody to ask after it.
_started: list[subprocess.Popen[bytes]] = []

MAC_NAMES = ('Bridge', 'Quixel Bridge')


class BridgeError(Exception):
    """What is wrong, and what to do, for people."""


def usual_places(platform: str = sys.platform, environment: dict[str, str] | None = None) -> list[str]:
    """Where installers put it. There is none for Linux."""
    variables = os.environ if environment is None else environment
    if platform == 'win32':
        roots = filter(None, map(variables.get, ('ProgramFiles', 'ProgramW6432', 'LOCALAPPDATA', 'ProgramFiles(x86)')))
        folders = ('Bridge', 'Quixel Bridge', 'Quixel\\Bridge', 'Programs\\Bridge', 'Programs\\Quixel Bridge')
        found = ['\\'.join(parts) for parts in itertools.product(roots, folders, WINDOWS_NAMES)]
        return list(dict.fromkeys(found))
    if platform == 'darwin':
        return ['%s/%s.app' % (folder, name) for folder in ('/Applications', os.path.expanduser('~/Applications'))
                for name in MAC_NAMES]
    return []


def find(chosen: str) -> str:
    """The chosen path, or the first of the usual places that has it."""
    if chosen:
        if os.path.exists(chosen):
            return chosen
        raise BridgeError('%s, the Bridge of the preferences, is not there' % chosen)
    for path in usual_places():
        if os.path.exists(path):
            return path
    raise BridgeError('Quixel Bridge was not found: choose its path in the preferences of the add-on')


def is_running(path: str) -> bool:
    """By the name of its program: a Bridge that somebody else has started counts."""
    name = os.path.basename(path.rstrip('/\\'))
    if sys.platform == 'win32':
        return name.lower() in _output(['tasklist', '/FO', 'CSV', '/NH', '/FI', 'IMAGENAME eq ' + name]).lower()
    if sys.platform == 'darwin':
        return bool(_output(['pgrep', '-x', os.path.splitext(name)[0]]))
    return _runs_on_linux(path)


def _output(argv: list[str]) -> str:
    flags = {'creationflags': subprocess.CREATE_NO_WINDOW} if sys.platform == 'win32' else {}
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, errors='replace', timeout=SECONDS_MAX, check=False, **flags).stdout
    except (OSError, subprocess.SubprocessError):
        return ''


def _runs_on_linux(path: str) -> bool:
    """What is chosen there is a script that starts Bridge in Wine, say: its path is a word of a command line."""
    wanted = os.fsencode(os.path.realpath(path))
    for entry in os.listdir('/proc'):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open('/proc/%s/cmdline' % entry, 'rb') as file:
                words = file.read().split(b'\0')[:3]
        except OSError:
            continue
        if any(word and os.path.realpath(word) == wanted for word in words if os.path.isabs(word)):
            return True
    return False


def start(path: str) -> None:
    """It outlives Blender, and inherits nothing of it."""
    command = ['open', path] if sys.platform == 'darwin' and path.endswith('.app') else [path]
    if sys.platform == 'win32':
        apart = {'creationflags': subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    else:
        apart = {'start_new_session': True}
    try:
        _started[:] = [each for each in _started if each.poll() is None]
        _started.append(subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=os.path.dirname(path) or None, close_fds=True, **apart))
    except OSError as error:
        raise BridgeError('%s cannot be started: %s' % (path, error.strerror or error)) from error


def ensure_running(chosen: str) -> bool:
    """Whether it had to be started."""
    path = find(chosen)
    if is_running(path):
        return False
    start(path)
    return True
