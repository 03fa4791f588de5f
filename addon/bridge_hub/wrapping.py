# SPDX-License-Identifier: GPL-3.0-or-later
"""Text on several lines. Needs no Blender."""
from __future__ import annotations

import re
from typing import Callable, Iterator


# Of a popup: a batch of a hundred assets can have as many to say.
LINES_MAX = 10


def first_lines(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= LINES_MAX:
        return text
    return '\n'.join(lines[:LINES_MAX - 1] + ['and %d more: see the log' % (len(lines) - LINES_MAX + 1)])


def _room(word: str, fits: Callable[[str], bool]) -> int:
    """How much of a word that is too long fits; at least one character."""
    least, most = 1, len(word)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if fits(word[:middle]) else (least, middle - 1)
    return least


def wrap(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """At spaces where there are some. Paths have none, and are cut where the line ends. Who shows only the first lines has no
    others measured, which takes long."""
    for paragraph in text.splitlines():
        line = ''
        for word in re.findall(r'\s+|\S+', paragraph):
            while word.strip() and not fits((line + word).rstrip()):
                if line.strip():
                    yield line.rstrip()
                    line, word = '', word.lstrip()
                    continue
                room = _room(word, fits)
                yield word[:room]
                word = word[room:]
            line += word
        if line.strip():
            yield line.rstrip()
