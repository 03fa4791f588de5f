# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance of Bridge Hub: a client, and the hub too where there is no other. Needs no Blender."""
from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass, field
from typing import Iterator

from . import library
from .library import InstanceConfig, InstanceEvent, InstanceView, Library, LibraryError, octets, text
from .log_file import LogFile


@dataclass(frozen=True)
class Settings:
    """0 and '' stand for what the library takes then."""
    name: str
    group: str = ''
    port: int = library.PORT
    also_ports: tuple[int, ...] = ()
    heartbeat_ms: int = 0
    timeout_ms: int = 0
    window: int = 1


@dataclass(frozen=True)
class Event:
    kind: int
    command: int = library.Command.NONE
    import_id: str = ''
    attempt: int = 0
    assets: str = ''
    code: str = ''
    message: str = ''
    mode: int = library.Mode.CONNECTING
    active: str = ''


@dataclass(frozen=True)
class Peer:
    """One of the registered instances."""
    instance: str
    name: str
    pid: int


@dataclass(frozen=True)
class Status:
    mode: int = library.Mode.CONNECTING
    mode_text: str = ''
    registered: bool = False
    active: bool = False
    instance: str = ''
    active_instance: str = ''
    hub_pid: int = 0
    epoch: int = 0
    waiting: int = 0
    parked: int = 0
    problem: str = ''
    port_holder: str = ''
    port_holder_pid: int = 0
    peers: tuple[Peer, ...] = field(default=())

    @property
    def who_has_port(self) -> str:
        """For people, where another program has it: its name, as far as that is known."""
        if self.port_holder_pid == os.getpid():
            return 'Another Add-on'
        return self.port_holder or 'Another Program'


@dataclass(frozen=True)
class Paths:
    endpoint: str
    state: str
    spool: str


class Instance:
    """Its thread is the library's own: nothing here blocks but the start and the stop, which takes 100 ms at most."""

    def __init__(self, lib: Library, settings: Settings, log: LogFile | None = None) -> None:
        self._lib = lib
        self._handle = ctypes.c_void_p()
        self._event = InstanceEvent()
        self._view = InstanceView()
        self._start(settings, log)

    def _start(self, settings: Settings, log: LogFile | None) -> None:
        ports = (ctypes.c_uint16 * len(settings.also_ports))(*settings.also_ports)
        config = InstanceConfig(
            group=octets(settings.group) or None,
            port=settings.port,
            also_ports=ports,
            also_port_count=len(ports),
            heartbeat_ms=settings.heartbeat_ms,
            timeout_ms=settings.timeout_ms,
            name=octets(settings.name),
            window=settings.window,
            may_serve=True,
            logger=log.logger() if log else library.Logger(),
        )
        why = ctypes.create_string_buffer(library.TEXT_MAX)
        error = self._lib.bh_instance_start(ctypes.byref(config), ctypes.byref(self._handle), why, len(why))
        if error != library.OK:
            raise LibraryError(text(why.value) or text(self._lib.bh_error_string(error)))

    def stop(self) -> None:
        """Leaves the hub, or ends it; the thread is gone and the port free when this returns."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        self._lib.bh_instance_stop(handle)

    def poll(self) -> Iterator[Event]:
        """What has happened since the last time."""
        while self._handle and self._lib.bh_instance_poll(self._handle, ctypes.byref(self._event)):
            event = self._event
            yield Event(
                kind=event.kind,
                command=event.command,
                import_id=text(event.import_),
                attempt=event.attempt,
                assets=text(ctypes.string_at(event.assets, event.assets_size)) if event.assets else '',
                code=text(event.code),
                message=text(event.message),
                mode=event.mode,
                active=text(event.active),
            )

    def status(self) -> Status:
        view = self._view
        self._lib.bh_instance_status(self._handle, ctypes.byref(view))
        return Status(
            mode=view.mode,
            mode_text=text(view.mode_text),
            registered=view.registered,
            active=view.active,
            instance=text(view.instance),
            active_instance=text(view.active_instance),
            hub_pid=view.hub_pid,
            epoch=view.epoch,
            waiting=view.waiting,
            parked=view.parked,
            problem=text(view.problem),
            port_holder=text(view.port_holder),
            port_holder_pid=view.port_holder_pid,
            peers=tuple(Peer(text(info.instance), text(info.name), info.pid)
                        for info in view.instances[:view.instance_count]),
        )

    def locate(self) -> Paths:
        paths = library.InstancePaths()
        self._lib.bh_instance_locate(self._handle, ctypes.byref(paths))
        return Paths(os.fsdecode(paths.endpoint), os.fsdecode(paths.state), os.fsdecode(paths.spool))

    def claim(self, instance: str = '') -> None:
        """Makes that instance active, or this one. How it ended is told by an event."""
        self._given(self._lib.bh_instance_claim(self._handle, octets(instance) or None))

    def release(self) -> None:
        self._given(self._lib.bh_instance_release(self._handle))

    def ack(self, import_id: str) -> None:
        self._given(self._lib.bh_instance_ack(self._handle, octets(import_id)))

    def refuse(self, import_id: str, message: str) -> None:
        self._given(self._lib.bh_instance_refuse(self._handle, octets(import_id), octets(message)))

    def rename(self, name: str) -> None:
        self._given(self._lib.bh_instance_rename(self._handle, octets(name)))

    def _given(self, error: int) -> None:
        if error != library.OK:
            raise LibraryError(text(self._lib.bh_error_string(error)))
