# SPDX-License-Identifier: MIT
"""The files of the source tree."""
import fnmatch
import os
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOT_SOURCE = {'.git', 'build', '__pycache__'}


def names(directory, pattern, *but):
    """The files in `directory` whose name matches `pattern` and none of `but`."""
    path = os.path.join(TOP, directory)
    found = sorted(os.listdir(path)) if os.path.isdir(path) else []
    return [name for name in found
            if fnmatch.fnmatch(name, pattern) and not any(fnmatch.fnmatch(name, b) for b in but)]


def below(directory, pattern):
    """The same, for `directory` and all that is below it, as paths from `directory`."""
    start = os.path.join(TOP, directory)
    return sorted(os.path.relpath(os.path.join(path, name), start) for path, directories, files in os.walk(start)
                  for name in fnmatch.filter(files, pattern))


def files():
    """Every file of the project, as a path from the top: those that git tracks, or that an unpacked archive holds."""
    if os.path.exists(os.path.join(TOP, '.git')) and shutil.which('git'):
        # A container often has the tree mounted as another user's.
        listed = subprocess.run(['git', '-c', 'safe.directory=*', '-C', TOP, 'ls-files', '-z'],
                                stdout=subprocess.PIPE, check=True).stdout.decode().split('\0')
        return sorted(path for path in listed if path and os.path.isfile(os.path.join(TOP, path)))
    found = []
    for path, directories, names_here in os.walk(TOP):
        directories[:] = [d for d in directories if d not in NOT_SOURCE]
        found += [os.path.relpath(os.path.join(path, name), TOP) for name in names_here]
    return sorted(path for path in found if path != 'compile_commands.json')


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as file:
        return file.read()


def c_files():
    return [path for path in files() if path.endswith(('.c', '.h'))]
