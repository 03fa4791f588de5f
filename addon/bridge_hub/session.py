# SPDX-License-Identifier: GPL-3.0-or-later
"""The one instance of this Blender: started, polled and stopped here, and everything that the panel shows."""
from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from typing import Callable, Iterable

import bpy

from . import folders, hub_port, names, redraw, thumbnails
from .instance import Event, Instance, Settings, Status
from .library import Command, Kind, Library, LibraryError
from .log_file import Handler, LogFile
from .parked import ParkedImport, Spool
from .pending import Queue

# What one types in the preferences changes letter by letter.
SETTLE_S = 1.0
# An answer to a claim takes a millisecond, on a busy machine some hundred. A hub that is being looked for takes
# longer, and is not waited for.
ANSWER_S = 1.0

# Where Bridge's own target for Blender sends.
BLENDER_PORT = 28888

AS_EXPORTED = 'payload'

LOG_NAME = 'bridge_hub.log'

logger = logging.getLogger(__package__)


@dataclass(frozen=True)
class Progress:
    """Of the import that is being done. `share` is 0 to 1."""
    share: float
    text: str


@dataclass(frozen=True)
class Glance:
    """What the header shows."""
    runs: bool = False
    active: bool = False
    problem: bool = False


class Session:
    """All of it is the main thread's."""

    def __init__(self) -> None:
        self.status = Status()
        self.queue = Queue()
        self.parked: list[ParkedImport] = []
        self.titles: dict[str, str] = {}
        self.why_not = ''
        self.elsewhere = ''
        self.last_import = ''
        self.last_error = ''
        self.failed_import = ''
        self.progress: Progress | None = None
        self._library: Library | None = None
        self._log: LogFile | None = None
        self._handler: Handler | None = None
        self._instance: Instance | None = None
        self._name = ''
        self._restart_at: float | None = None
        self._answers: list[Event] = []
        self._glance = Glance()

    # ---- start and stop

    @property
    def runs(self) -> bool:
        return self._instance is not None

    @property
    def problem(self) -> str:
        return self.status.problem or self.elsewhere

    @property
    def name(self) -> str:
        return names.of_file(bpy.data.filepath)

    def start(self) -> None:
        """What is wrong stands in why_not."""
        if self.runs:
            return
        try:
            self._library = self._library or Library()
            self._open_log(self._library)
            self._name = self.name
            self._instance = Instance(self._library, settings(), self._log)
            self.why_not = ''
        except LibraryError as error:
            self.why_not = str(error)
            logger.error(self.why_not)
        self.refresh()

    def _open_log(self, lib: Library) -> None:
        if self._log is not None:
            return
        try:
            self._log = LogFile(lib, log_path())
        except LibraryError as error:
            # Without a log all else works.
            self.show_error(str(error))
            return
        self._handler = Handler(self._log)
        logger.addHandler(self._handler)
        logger.setLevel(logging.INFO)

    def stop(self) -> None:
        """What was in hand goes back to the hub, or is found by the next one."""
        self._restart_at = None
        instance, self._instance = self._instance, None
        if instance is not None:
            instance.stop()
        self.status = Status()
        self.elsewhere = ''
        self.queue.clear()
        self.parked = []
        thumbnails.clear()
        self._redraw()

    def restart(self) -> None:
        """With the settings as they are now, and active again if it was."""
        was_active = self.status.active
        self.stop()
        self.start()
        if was_active and self._instance is not None:
            self._instance.claim()

    def restart_soon(self) -> None:
        """Once the user has ceased to change the settings."""
        if self.runs or self.why_not:
            self._restart_at = time.monotonic() + SETTLE_S

    def unload(self) -> None:
        self.stop()
        if self._handler is not None:
            logger.removeHandler(self._handler)
            self._handler = None
        log, self._log = self._log, None
        if log is not None:
            log.close()
        lib, self._library = self._library, None
        if lib is not None:
            lib.unload()

    # ---- what happens

    def tick(self) -> None:
        if self._restart_at is not None and time.monotonic() >= self._restart_at:
            self.restart()
        if self._instance is None:
            return
        happened = False
        for event in self._instance.poll():
            happened = True
            self._take(event)
        if happened:
            self.refresh()

    def _take(self, event: Event) -> None:
        if event.kind == Kind.IMPORT:
            self._take_import(event)
        elif event.kind in (Kind.DONE, Kind.FAILED):
            self._answers.append(event)
            if event.kind == Kind.FAILED:
                self.fail(event.message)
        elif event.kind == Kind.SUPERSEDED:
            self.fail(event.message)
        elif event.kind == Kind.REGISTERED and self._instance is not None:
            hub_pid = self._instance.status().hub_pid
            self.elsewhere = hub_port.elsewhere(self._instance.locate().state, hub_pid, settings().port)

    def _take_import(self, event: Event) -> None:
        item = self.queue.add(event.import_id, event.attempt, event.assets, wanted_lod())
        self.titles[item.import_id] = item.title
        logger.info('arrived: %s, import %s, attempt %d', item.title, item.import_id, item.attempt)

    def refresh(self) -> None:
        """Looks how things are, and has it drawn."""
        if self._instance is not None:
            self.status = self._instance.status()
            self._refresh_parked()
        self._redraw()

    def at_a_glance(self) -> Glance:
        return Glance(self.runs, self.status.active, bool(self.problem))

    def _redraw(self) -> None:
        redraw.sidebars()
        glance = self.at_a_glance()
        if glance != self._glance:
            self._glance = glance
            redraw.headers()

    def _refresh_parked(self) -> None:
        self.parked = []
        if self.status.parked:
            try:
                self.parked = self._spool().parked()
            except LibraryError as error:
                self.fail(str(error))

    def fail(self, text: str) -> None:
        logger.error(text)
        self.show_error(text)

    def show_error(self, text: str, import_id: str = '') -> None:
        """`import_id`: of the import that could not be done. '' for the text takes it away."""
        self.last_error, self.failed_import = text, import_id

    # ---- commands

    def claim(self, instance: str = '') -> str:
        """Makes that instance active, or this one. Why not; '' where it is active, or will be once there is a hub."""
        return self._ask(lambda running: running.claim(instance), Command.CLAIM)

    def release(self) -> str:
        return self._ask(lambda running: running.release(), Command.RELEASE)

    def _ask(self, give: Callable[[Instance], None], command: int) -> str:
        if self._instance is None:
            return 'Bridge Hub is not running in this window'
        self._answers.clear()
        try:
            give(self._instance)
        except LibraryError as error:
            return str(error)
        until = time.monotonic() + ANSWER_S
        while self.status.registered and time.monotonic() < until:
            self.tick()
            for answer in self._answers:
                if answer.command == command:
                    return answer.message if answer.kind == Kind.FAILED else ''
            time.sleep(0.002)
        return ''

    def claim_in_passing(self) -> None:
        """As claim(), and nobody waits for it."""
        if self._instance is not None:
            self._instance.claim()

    def acknowledge(self, import_id: str) -> None:
        if self._instance is not None:
            self._instance.ack(import_id)
        self.queue.finished(import_id)
        thumbnails.drop(import_id)
        self.refresh()

    def refuse(self, import_id: str, why: str) -> None:
        if self._instance is not None:
            self._instance.refuse(import_id, why)
        self.queue.refused(import_id)
        thumbnails.drop(import_id)
        self.refresh()

    def discard(self, import_ids: Iterable[str]) -> None:
        for import_id in import_ids:
            self.refuse(import_id, 'discarded in %s' % self.name)

    def rename(self) -> None:
        """After the file has been saved, or another was loaded."""
        if self._instance is not None and self.name != self._name:
            self._name = self.name
            self._instance.rename(self._name)

    # ---- parked imports

    def _spool(self) -> Spool:
        if self._library is None or self._instance is None:
            raise LibraryError('Bridge Hub is not running in this window')
        return Spool(self._library, self._instance.locate().spool)

    def retry(self, import_id: str) -> None:
        self._spool().retry(import_id)
        self._refresh_parked()

    def drop(self, import_id: str) -> None:
        self._spool().drop(import_id)
        self._refresh_parked()

    # ---- for people

    @property
    def log(self) -> LogFile | None:
        return self._log

    @property
    def version(self) -> str:
        return self._library.bh_version().decode() if self._library else 'not loaded'

    @property
    def instance(self) -> Instance | None:
        return self._instance


def preferences() -> bpy.types.AddonPreferences | None:
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def wanted_lod() -> str:
    chosen = preferences()
    return chosen.lod if chosen is not None and chosen.lod != AS_EXPORTED else ''


def log_path() -> str:
    return os.path.join(folders.own(), LOG_NAME)


def settings() -> Settings:
    chosen = preferences()
    name = names.of_file(bpy.data.filepath)
    if chosen is None:
        return Settings(name)
    return Settings(name, group=chosen.group, port=chosen.port, heartbeat_ms=chosen.heartbeat_ms,
                    timeout_ms=chosen.timeout_ms, window=chosen.window,
                    also_ports=(BLENDER_PORT,) if chosen.also_blender_port else ())


session = Session()
