# SPDX-License-Identifier: GPL-3.0-or-later
"""The log, in a file that all windows share. Needs no Blender.

The library writes into it from its own thread, and Python through the library: one file, one way of writing a line.
"""
from __future__ import annotations

import ctypes
import logging
import os

from . import library
from .library import Level, Library, LibraryError, octets, text

LINES_SHOWN = 60
TAIL_OCTETS = 32768


class LogFile:
    def __init__(self, lib: Library, path: str) -> None:
        self.path = path
        self._lib = lib
        self._handle = ctypes.c_void_p()
        why = ctypes.create_string_buffer(library.TEXT_MAX)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise LibraryError('the log %s cannot be made: %s' % (path, error)) from error
        if lib.bh_log_open(os.fsencode(path), Level.INFO, ctypes.byref(self._handle), why, len(why)) != library.OK:
            raise LibraryError(text(why.value))

    def logger(self) -> library.Logger:
        """For the library: its own function and nothing of Python's."""
        return library.Logger(write=self._lib.address('bh_log_write'), ctx=self._handle)

    def write(self, level: int, line: str) -> None:
        if self._handle:
            self._lib.bh_log_write(self._handle, level, octets(line))

    def close(self) -> None:
        """After the instance that writes into it has stopped."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        self._lib.bh_log_close(handle)

    def tail(self) -> str:
        """The last lines, for diagnostics."""
        try:
            with open(self.path, 'rb') as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - TAIL_OCTETS))
                lines = text(file.read()).splitlines()
        except OSError as error:
            return str(error)
        return '\n'.join(lines[-LINES_SHOWN:])


class Handler(logging.Handler):
    """What the add-on's own modules log."""

    def __init__(self, log: LogFile) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = (Level.ERROR if record.levelno >= logging.ERROR else
                 Level.WARNING if record.levelno >= logging.WARNING else Level.INFO)
        for line in self.format(record).splitlines():
            self._log.write(level, line)
