# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the hub listens where the preferences of this window say. Needs no Blender."""
from __future__ import annotations

import json


def elsewhere(state: str, hub_pid: int, port: int) -> str:
    """For people; '' where it does, or where there is no state file of this hub that tells."""
    try:
        with open(state, encoding='utf-8') as file:
            said = json.load(file)
        found = said['port'] if said['hub_pid'] == hub_pid else port
    except (OSError, ValueError, KeyError, TypeError):
        return ''
    if not isinstance(found, int) or found == port:
        return ''
    return ('the hub listens on port %d, and not on %d, which the preferences of this window say: choose the same port in '
            'every window, and in Bridge' % (found, port))
