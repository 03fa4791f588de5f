# SPDX-License-Identifier: MIT
"""What the build asks of the machine besides compilers."""
import fcntl
import os

_held = []


def lock(path):
    """One scons at a time in a tree: two would overwrite each other's files. Held until the process ends."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file = open(path, 'w')
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print('scons: waiting for another scons in this tree to end')
        fcntl.flock(file, fcntl.LOCK_EX)
    _held.append(file)


def link_to_source(target, source, env):
    path = target[0].abspath
    os.symlink(os.path.relpath(source[0].abspath, os.path.dirname(path)), path)
