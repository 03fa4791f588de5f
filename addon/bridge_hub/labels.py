# SPDX-License-Identifier: GPL-3.0-or-later
"""Text on several lines, which a label of Blender's does not do: it cuts what is too long."""
from __future__ import annotations

from itertools import islice
from typing import Callable

import blf
import bpy

from .wrapping import wrap

# What a panel has beside its text, in units of the interface: margins, the tabs, and an icon.
MARGIN = 56
INDENT = 20


def width_of_text() -> Callable[[str], float]:
    """In pixels, in the font of labels."""
    preferences = bpy.context.preferences
    points, scale = preferences.ui_styles[0].widget.points, preferences.system.ui_scale
    try:
        blf.size(0, points * scale)
    except TypeError:  # before Blender 3.4
        blf.size(0, round(points), round(72 * scale))
    return lambda text: blf.dimensions(0, text)[0]


def labels(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str | int = 'NONE',
           most: int = 8, margin: int = MARGIN) -> None:
    """One label a line; the icon, a name or a number, stands before the first one, and the others begin below its text.
    """
    scale = bpy.context.preferences.system.ui_scale
    room = context.region.width - (margin + (INDENT if icon != 'NONE' else 0)) * scale
    measure = width_of_text()
    lines = list(islice(wrap(text, lambda line: measure(line) <= room), most + 1))
    if len(lines) > most:
        lines[most - 1:] = [lines[most - 1][:-1] + '…']
    column = layout.column(align=True)
    column.scale_y = 0.8
    first = {'icon': icon} if isinstance(icon, str) else {'icon_value': icon}
    further = {'icon': 'NONE' if icon == 'NONE' else 'BLANK1'}
    for number, line in enumerate(lines):
        column.label(text=line, **(further if number else first))
