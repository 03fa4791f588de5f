# SPDX-License-Identifier: GPL-3.0-or-later
"""Text on several lines. Needs no Blender."""
from __future__ import annotations

import re
from typing import Callable


# Of a popup: a batch of a hundred assets can have as many to say.
LINES_MAX = 10


def first_lines(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= LINES_MAX:
        return text
    return '\n'.join(lines[:LINES_MAX - 1] + ['and %d more: see the log' % (len(lines) - LINES_MAX + 1)])


def wrap(text: str, fits: Callable[[str], bool]) -> list[str]:
    """At spaces where there are some. Paths have none, and are cut where the line ends."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ''
        for word in re.findall(r'\s+|\S+', paragraph):
            while word.strip() and not fits((line + word).rstrip()):
                if line.strip():
                    lines.append(line.rstrip())
                    line, word = '', word.lstrip()
                    continue
                room = next(size for size in range(len(word), 0, -1) if size == 1 or fits(word[:size]))
                lines.append(word[:room])
                word = word[room:]
            line += word
        if line.strip():
            lines.append(line.rstrip())
    return lines
