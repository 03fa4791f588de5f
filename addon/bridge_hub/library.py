# SPDX-License-Identifier: GPL-3.0-or-later
"""libbridgehub by ctypes: the structures and functions of bridgehub.h that the add-on uses, and nothing more.

No function here is given a Python callback: the library's thread must never wait for Python's lock, which an import can
hold for a minute.
"""
from __future__ import annotations

import ctypes
import functools
import os
import shutil
import sys
import tempfile
from ctypes import POINTER, Structure, c_bool, c_char, c_char_p, c_int, c_size_t, c_uint16, c_uint32, c_uint64, c_void_p

PORT = 24981
GROUP_MAX = 32
INSTANCE_ID_MAX = 64
NAME_MAX = 256
PROGRAM_MAX = 63
IMPORT_ID_MAX = 64
CODE_MAX = 64
WINDOW_MAX = 64
INSTANCES_MAX = 256
TEXT_MAX = 1024
REASON_MAX = 1023

OK = 0

FILE_NAMES = {'linux': 'libbridgehub.so', 'darwin': 'libbridgehub.dylib', 'win32': 'bridgehub.dll'}


class Mode:
    """bh_mode"""
    CONNECTING, HUB, CLIENT, PORT_TAKEN, NOT_RESPONDING, UNUSABLE, SUPERSEDED = range(7)


class Kind:
    """bh_instance_event_kind"""
    REGISTERED, HUB_LOST, ACTIVE, INACTIVE, STATUS, IMPORT, DONE, FAILED, SUPERSEDED, MODE = range(1, 11)


class Command:
    """bh_command"""
    NONE, CLAIM, RELEASE, ACK, REFUSE, RENAME = range(6)


class Level:
    """bh_log_level"""
    DEBUG, INFO, WARNING, ERROR = range(4)


class Logger(Structure):
    _fields_ = [('write', c_void_p), ('ctx', c_void_p)]


class InstanceConfig(Structure):
    _fields_ = [
        ('group', c_char_p),
        ('endpoint', c_char_p),
        ('state', c_char_p),
        ('spool', c_char_p),
        ('port', c_uint16),
        ('also_ports', POINTER(c_uint16)),
        ('also_port_count', c_size_t),
        ('heartbeat_ms', c_uint32),
        ('timeout_ms', c_uint32),
        ('name', c_char_p),
        ('instance', c_char_p),
        ('window', c_uint32),
        ('role', c_int),
        ('may_serve', c_bool),
        ('logger', Logger),
        ('notify', c_void_p),
        ('notify_ctx', c_void_p),
    ]


class InstanceEvent(Structure):
    _fields_ = [
        ('kind', c_int),
        ('mode', c_int),
        ('command', c_int),
        ('hub_pid', c_uint32),
        ('epoch', c_uint64),
        ('instance', c_char * (INSTANCE_ID_MAX + 1)),
        ('active', c_char * (INSTANCE_ID_MAX + 1)),
        ('import_', c_char * (IMPORT_ID_MAX + 1)),
        ('attempt', c_uint32),
        ('assets', c_void_p),
        ('assets_size', c_size_t),
        ('code', c_char * (CODE_MAX + 1)),
        ('message', c_char * TEXT_MAX),
    ]


class InstanceInfo(Structure):
    _fields_ = [
        ('instance', c_char * (INSTANCE_ID_MAX + 1)),
        ('name', c_char * (NAME_MAX + 1)),
        ('pid', c_uint32),
        ('last_seen', c_uint64),
    ]


class InstanceView(Structure):
    _fields_ = [
        ('mode', c_int),
        ('mode_text', c_char * TEXT_MAX),
        ('registered', c_bool),
        ('active', c_bool),
        ('instance', c_char * (INSTANCE_ID_MAX + 1)),
        ('active_instance', c_char * (INSTANCE_ID_MAX + 1)),
        ('hub_pid', c_uint32),
        ('epoch', c_uint64),
        ('waiting', c_uint32),
        ('parked', c_uint32),
        ('problem', c_char * TEXT_MAX),
        ('port_holder_pid', c_uint32),
        ('port_holder', c_char * (PROGRAM_MAX + 1)),
        ('instance_count', c_size_t),
        ('instances', InstanceInfo * INSTANCES_MAX),
    ]


class Import(Structure):
    _fields_ = [
        ('sequence', c_uint64),
        ('import_', c_char * (IMPORT_ID_MAX + 1)),
        ('attempt', c_uint32),
        ('deaths', c_uint32),
        ('holder', c_char * (INSTANCE_ID_MAX + 1)),
    ]


class Parked(Structure):
    _fields_ = [
        ('import_', Import),
        ('parked_at', c_uint64),
        ('size', c_uint64),
        ('assets', c_uint32),
        ('reason', c_char * (REASON_MAX + 1)),
    ]


class InstancePaths(Structure):
    _fields_ = [('endpoint', c_char_p), ('state', c_char_p), ('spool', c_char_p)]


# What stands for what in bridgehub.h; addon/tests/test_library.py holds the layouts against it.
STRUCTURES = {
    'bh_logger': Logger,
    'bh_instance_config': InstanceConfig,
    'bh_instance_event': InstanceEvent,
    'bh_instance_info': InstanceInfo,
    'bh_instance_view': InstanceView,
    'bh_import': Import,
    'bh_parked': Parked,
    'bh_instance_paths': InstancePaths,
}

PROTOTYPES = {
    'bh_version': (c_char_p, []),
    'bh_error_string': (c_char_p, [c_int]),
    'bh_instance_start': (c_int, [POINTER(InstanceConfig), POINTER(c_void_p), c_char_p, c_size_t]),
    'bh_instance_stop': (None, [c_void_p]),
    'bh_instance_poll': (c_bool, [c_void_p, POINTER(InstanceEvent)]),
    'bh_instance_claim': (c_int, [c_void_p, c_char_p]),
    'bh_instance_release': (c_int, [c_void_p]),
    'bh_instance_ack': (c_int, [c_void_p, c_char_p]),
    'bh_instance_refuse': (c_int, [c_void_p, c_char_p, c_char_p]),
    'bh_instance_rename': (c_int, [c_void_p, c_char_p]),
    'bh_instance_locate': (None, [c_void_p, POINTER(InstancePaths)]),
    'bh_instance_status': (None, [c_void_p, POINTER(InstanceView)]),
    'bh_log_open': (c_int, [c_char_p, c_int, POINTER(c_void_p), c_char_p, c_size_t]),
    'bh_log_write': (None, [c_void_p, c_int, c_char_p]),
    'bh_log_close': (None, [c_void_p]),
    'bh_parked_list': (c_int, [c_char_p, POINTER(POINTER(Parked)), POINTER(c_size_t), c_char_p, c_size_t]),
    'bh_parked_free': (None, [POINTER(Parked)]),
    'bh_parked_retry': (c_int, [c_char_p, c_char_p, c_char_p, c_size_t]),
    'bh_parked_drop': (c_int, [c_char_p, c_char_p, c_char_p, c_size_t]),
}


class LibraryError(Exception):
    """Says what is wrong, where, and what to do, for people."""


def default_path() -> str:
    """The library beside this file, as the zip for this platform has it."""
    name = FILE_NAMES.get(sys.platform)
    if name is None:
        raise LibraryError('Bridge Hub is not made for the platform %s' % sys.platform)
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib', name)


@functools.lru_cache(maxsize=None)
def _load_copy(path: str) -> ctypes.CDLL:
    """Blender writes an update over the files of the add-on that runs, and a library that is changed under its own thread
    takes Blender with it. Nobody writes into a copy that has no name any more."""
    try:
        handle, copy = tempfile.mkstemp(prefix='.', dir=os.path.dirname(path))
    except OSError:
        # Where nothing can be written, nothing is overwritten.
        return ctypes.CDLL(path)
    os.close(handle)
    try:
        shutil.copyfile(path, copy)
        return ctypes.CDLL(copy)
    finally:
        os.unlink(copy)


class Library:
    """The loaded library. Its functions are attributes by the names of the header."""

    def __init__(self, path: str | None = None) -> None:
        self.path = path or default_path()
        if not os.path.exists(self.path):
            raise LibraryError('%s is missing: install the zip that is made for this system' % self.path)
        try:
            # Windows lets nobody write over, or remove, what is loaded.
            self._dll = (ctypes.CDLL if sys.platform == 'win32' else _load_copy)(self.path)
            for name, (result, arguments) in PROTOTYPES.items():
                function = getattr(self._dll, name)
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)
        except (OSError, AttributeError) as error:
            raise LibraryError('%s cannot be loaded: %s' % (self.path, error)) from error

    def address(self, name: str) -> int:
        """Of a function, to be handed to the library itself."""
        return ctypes.cast(getattr(self._dll, name), c_void_p).value

    def unload(self) -> None:
        """Windows does not let a file be replaced while it is loaded, and an update replaces it."""
        if sys.platform == 'win32':
            import _ctypes
            _ctypes.FreeLibrary(self._dll._handle)


def text(octets: bytes) -> str:
    """What came from others is as it came; a cut can be in the middle of nothing else than what is no UTF-8 anyway."""
    return octets.decode('utf-8', 'replace')


def octets(string: str) -> bytes:
    return string.encode('utf-8', 'replace')
