# SPDX-License-Identifier: GPL-3.0-or-later
"""All that somebody who helps wants to know, as one text."""
from __future__ import annotations

import platform
import sys

import bpy

from . import names
from .session import session, settings


def text() -> str:
    parts = ['Bridge Hub %s' % session.version, _system(), _status(), _instances(), _imports(), _log()]
    return '\n\n'.join(part for part in parts if part) + '\n'


def _table(rows: list[tuple[str, object]]) -> str:
    return '\n'.join('%-16s %s' % row for row in rows)


def _system() -> str:
    return _table([('Blender', bpy.app.version_string), ('Python', sys.version.split()[0]),
                   ('System', platform.platform()), ('Settings', settings())])


def _status() -> str:
    status = session.status
    rows = [('Mode', status.mode_text or session.why_not or 'not running'), ('Instance', status.instance or 'none'),
            ('Active instance', status.active_instance or 'nobody'),
            ('Hub', 'process %d, epoch %d' % (status.hub_pid, status.epoch)),
            ('Problem', session.problem or 'none'), ('Last import', session.last_import or 'none'),
            ('Last error', session.last_error or 'none')]
    if session.instance is not None:
        paths = session.instance.locate()
        rows += [('Endpoint', paths.endpoint), ('State file', paths.state), ('Spool', paths.spool)]
    return _table(rows)


def _instances() -> str:
    shown = names.to_show(session.status.peers)
    return _table([('Window', '%s, process %d, instance %s' % (shown[peer.instance], peer.pid, peer.instance))
                   for peer in session.status.peers])


def _imports() -> str:
    rows = [('In hand', '%s, import %s, attempt %d' % (item.title, item.import_id, item.attempt))
            for item in session.queue.items()]
    rows += [('Parked', '%s, import %s: %s' % (item.title, item.import_id, item.reason)) for item in session.parked]
    return _table(rows + [('Waiting', session.status.waiting)])


def _log() -> str:
    return 'Log %s\n%s' % (session.log.path, session.log.tail()) if session.log else ''
