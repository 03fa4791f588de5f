# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance is called. Needs no Blender."""
from __future__ import annotations

import os
from collections import Counter
from typing import Iterable

from .instance import Peer
from .library import NAME_MAX

UNSAVED = 'Untitled'


def of_file(path: str) -> str:
    """The file's name without its ending, as long as a name may be and of what can be sent."""
    stem = os.path.splitext(os.path.basename(path.replace('\\', '/')))[0]
    name = ''.join(c if c.isprintable() else ' ' for c in stem).strip()
    cut = name.encode('utf-8', 'replace')[:NAME_MAX].decode('utf-8', 'ignore')
    return cut or UNSAVED


def to_show(peers: Iterable[Peer]) -> dict[str, str]:
    """By instance id, with the process id where several windows are called the same."""
    peers = list(peers)
    counts = Counter(peer.name for peer in peers)
    return {peer.instance: peer.name if counts[peer.name] == 1 else '%s (%d)' % (peer.name, peer.pid)
            for peer in peers}
