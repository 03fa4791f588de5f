# SPDX-License-Identifier: MIT
"""Where it happens: a directory and a port of its own, and the command lines that name them."""
from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import tempfile
from dataclasses import dataclass

# Below the range that connecting sockets take their ports from: one that connects to a port nobody listens on, and is
# itself given that port, would be connected to itself and keep every hub out.
PORTS = range(20000, 32000)
SUN_PATH_MAX = 107


@dataclass(frozen=True)
class Timing:
    heartbeat_ms: int
    timeout_ms: int


NORMAL = Timing(1000, 5000)
QUICK = Timing(100, 1000)


def _is_free(port: int) -> bool:
    for family, address in (socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1'):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
                probe.listen(1)
        except OSError:
            return family == socket.AF_INET6 and not socket.has_ipv6
    return True


def _choose_port() -> int:
    """Not by the seed: several runs on one machine must not meet."""
    for port in random.SystemRandom().sample(PORTS, 100):
        if _is_free(port):
            return port
    raise OSError('no free port was found')


# How much slower Wine starts processes.
WINE_PACE = 4.0


class Place:
    """`wine`: what starts the program, which is one for Windows then."""

    def __init__(self, program: str, timing: Timing, wine: str | None = None) -> None:
        self.program = [wine, os.path.abspath(program)] if wine else [os.path.abspath(program)]
        self.timing = timing
        self.is_windows = wine is not None
        self.pace = WINE_PACE if self.is_windows else 1.0
        # Wine makes a Ctrl-C of SIGINT; SIGTERM ends a process at once, as nothing does on Windows.
        self.end_signal = signal.SIGINT if self.is_windows else signal.SIGTERM
        self.directory = tempfile.mkdtemp(prefix='bridgehub-torture-')
        self.logs = os.path.join(self.directory, 'logs')
        os.mkdir(self.logs)
        self.endpoint = self._endpoint()
        self.spool = os.path.join(self.directory, 'spool')
        self.port = _choose_port()

    def _endpoint(self) -> str:
        if self.is_windows:
            return '\\\\.\\pipe\\' + os.path.basename(self.directory)
        endpoint = os.path.join(self.directory, 'hub.sock')
        if len(os.fsencode(endpoint)) > SUN_PATH_MAX:
            raise OSError('%s is too long for a socket: set TMPDIR to a shorter directory' % endpoint)
        return endpoint

    def _named(self, path: str) -> str:
        """As the program names it."""
        return 'Z:' + path if self.is_windows else path

    def _hub_options(self) -> list[str]:
        return ['--endpoint', self.endpoint, '--port', str(self.port), '--spool', self._named(self.spool),
                '--state', self._named(os.path.join(self.directory, 'state.json')),
                '--heartbeat-ms', str(self.timing.heartbeat_ms), '--timeout-ms', str(self.timing.timeout_ms)]

    def serve(self) -> list[str]:
        return [*self.program, 'serve', '--stdin', *self._hub_options()]

    def client(self, name: str, instance: str | None, window: int, may_serve: bool) -> list[str]:
        options = ['--may-serve', *self._hub_options()] if may_serve else ['--endpoint', self.endpoint, '--timeout-ms',
                                                                           str(self.timing.timeout_ms)]
        resume = ['--instance', instance] if instance else []
        return [*self.program, 'client', '--name', name, '--window', str(window), *resume, *options]

    def connection(self) -> list[str]:
        """What connects to the hub where Python cannot; nothing: it can."""
        return [*self.program, 'pipe', '--quiet', self.endpoint] if self.is_windows else []

    def environment(self) -> dict[str, str]:
        """Nothing of the user's own hub is to be found by chance. Wine's drive is a run's own, and its server is found by TMPDIR."""
        if self.is_windows:
            return dict(os.environ)
        return {**os.environ, 'XDG_RUNTIME_DIR': self.directory, 'TMPDIR': self.directory}

    def spooled(self, directory: str) -> list[str]:
        """The names in queue/, parked/, retry/ or tmp/."""
        try:
            return sorted(os.listdir(os.path.join(self.spool, directory)))
        except FileNotFoundError:
            return []

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
