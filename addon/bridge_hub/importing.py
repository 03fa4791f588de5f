# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the importer on an export, and tells the hub and the artist how it ended."""
from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import bpy

from .pending import Pending
from .preferences import CHOICES
from .session import Progress, preferences, session

if TYPE_CHECKING:
    from .importer import AssetResult, ImportOptions

# A redraw takes as long as a small mesh, and longer in a large scene: it is to take no more than a tenth of the time.
REDRAW_S, REDRAW_SHARE = 0.25, 0.1

logger = logging.getLogger(__package__)


@dataclass
class Outcome:
    """For people. `changed`: there is something to undo."""
    error: str = ''
    summary: str = ''
    warnings: list[str] = field(default_factory=list)
    changed: bool = False


def options() -> ImportOptions:
    from .options import ImportOptions
    chosen = preferences()
    return ImportOptions(**{name: getattr(chosen, name) for name in CHOICES}) if chosen else ImportOptions()


def run(context: bpy.types.Context, item: Pending) -> Outcome:
    """Imports what of it was not imported before. The hub is told when all of it is done, or why not."""
    outcome = _unreadable(item) if item.error else _import(context, item)
    if outcome.error:
        # It is in the log by now, where it was found.
        session.show_error(outcome.error, item.import_id)
        session.refuse(item.import_id, outcome.error)
    else:
        session.last_import = outcome.summary
        logger.info('%s, import %s', outcome.summary, item.import_id)
        session.acknowledge(item.import_id)
    return outcome


def _unreadable(item: Pending) -> Outcome:
    logger.error('%s, import %s: %s', item.title, item.import_id, item.error)
    return Outcome(error=item.error)


def _import(context: bpy.types.Context, item: Pending) -> Outcome:
    from . import importer  # at the first import: Blender starts sooner without it
    todo = [index for index in range(len(item.assets)) if index not in item.done]
    show = _Shown(context, many=len(todo) > 1)
    try:
        results = importer.import_payload(context, [item.assets[index] for index in todo], options(), show)
    except Exception as error:  # whatever it is, the artist and the hub are to be told
        text = '%s could not be imported: %s: %s' % (item.title, type(error).__name__, error)
        logger.exception(text)
        return Outcome(error=text, changed=True)
    finally:
        show.end()
    return _outcome(item, todo, results)


class _Shown:
    """The progress: at the mouse, and of a batch in the panel too, for which Blender has to be made to draw."""

    def __init__(self, context: bpy.types.Context, many: bool) -> None:
        self._manager = context.window_manager
        self._draws = many and context.window is not None and not bpy.app.background
        self._next = 0.0
        session.progress = Progress(0.0, '')
        self._manager.progress_begin(0, 100)

    def __call__(self, share: float, text: str) -> None:
        session.progress = Progress(share, text)
        self._manager.progress_update(round(share * 100))
        began = time.monotonic()
        if self._draws and began >= self._next:
            session.refresh()
            bpy.ops.wm.redraw_timer(type='DRAW_WIN_SWAP', iterations=1)
            now = time.monotonic()
            self._next = now + max(REDRAW_S, (now - began) / REDRAW_SHARE)

    def end(self) -> None:
        session.progress = None
        self._manager.progress_end()


def _outcome(item: Pending, todo: list[int], results: list[AssetResult]) -> Outcome:
    failed = [result.error for result in results if result.error]
    item.done |= {index for index, result in zip(todo, results) if not result.error}
    outcome = Outcome(error='\n'.join(failed),
                      # Of an asset that failed the error says the first, and the log has all.
                      warnings=['%s: %s' % (result.asset.name, text) for result in results if not result.error
                                for text in result.warnings],
                      changed=any(result.objects or result.materials or result.other for result in results))
    if not failed:
        # Who crashed with it may have imported it already.
        again = ', sent before: attempt %d' % item.attempt if item.attempt > 1 else ''
        outcome.summary = 'Imported %s%s' % (item.title, again)
    return outcome
