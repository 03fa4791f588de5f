# SPDX-License-Identifier: MIT
"""What a program is built for. A source file that is for some systems alone has one of these words at the end of its name:
uv_lock_posix.c, uv_lock_windows.c."""
import sys

WORDS = {
    'linux': {'posix', 'linux'},
    'macos': {'posix', 'macos'},
    'windows': {'windows'},
}
ALL = set.union(*WORDS.values())


def native():
    return 'macos' if sys.platform == 'darwin' else 'linux'


def is_for(name, platform):
    """Whether the source file `name` belongs to it."""
    word = name.rsplit('.', 1)[0].rsplit('_', 1)[-1]
    return word not in ALL or word in WORDS[platform]


def of(names, platform):
    return [name for name in names if is_for(name, platform)]
