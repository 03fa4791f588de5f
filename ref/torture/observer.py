# SPDX-License-Identifier: MIT
"""An observer of the hub, in a process of its own so that nothing else holds it up: observer.py ENDPOINT [COMMAND...]

Where Python cannot open the endpoint, as a named pipe under Wine, a command connects its standard input and output to it.
It registers with each hub as soon as there is one, and writes a line of JSON for each thing that it learns:
{"at":T,"up":PID,"epoch":N}, {"at":T,"down":true}, {"at":T,"active":ID or null,"waiting":N,"problem":TEXT or null}.
It ends when its standard input does.
"""
from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from typing import Any, Iterator

AGAIN_SECONDS = 0.002
AGAIN_BY_COMMAND_SECONDS = 0.05
READ_MAX = 65536

Message = tuple[str, int, dict[str, Any]]


def tell(**what: Any) -> None:
    print(json.dumps({'at': time.monotonic(), **what}), flush=True)


def messages(octets: bytearray) -> Iterator[Message]:
    """Takes the whole messages from the front of `octets`."""
    while (end := octets.find(b'\n')) >= 0:
        _, kind, number, length = octets[:end].decode('ascii').split(' ')
        body = bytes(octets[end + 1:end + 1 + int(length)])
        if len(body) < int(length):
            return
        del octets[:end + 1 + int(length)]
        yield kind, int(number), json.loads(body) if body else {}


def connect(endpoint: str) -> socket.socket | None:
    """Not by waiting in a queue: a hub that takes nobody is no hub."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        connection.connect(endpoint)
    except OSError:
        connection.close()
        return None
    return connection


def connect_by(command: list[str]) -> socket.socket:
    """It ends when its input does, or the hub. That there is no hub is told by an early end."""
    ours, its = socket.socketpair()
    with its:
        subprocess.Popen(command, stdin=its, stdout=its, stderr=subprocess.DEVNULL)
    return ours


class Observer:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._input = bytearray()
        self._last_id = 0
        self.registered = False
        self._send('REGISTER', {'protocol': 1, 'pid': os.getpid(), 'name': 'torture', 'role': 'observer'})

    def _send(self, kind: str, body: dict[str, Any]) -> None:
        self._last_id += 1
        octets = json.dumps(body).encode()
        self._connection.sendall(b'BH1 %s %d %d\n' % (kind.encode(), self._last_id, len(octets)) + octets)

    def _take(self, kind: str, number: int, body: dict[str, Any]) -> None:
        if kind == 'ACK':
            self.registered = True
            tell(up=body['hub_pid'], epoch=body['epoch'])
        elif kind == 'HEARTBEAT':
            self._send('ACK', {'for': number})
            tell(active=body['active'], waiting=body['waiting'], problem=body.get('problem'))

    def read(self) -> bool:
        """False: the hub is gone."""
        try:
            octets = self._connection.recv(READ_MAX)
            self._input += octets
            for message in messages(self._input):
                self._take(*message)
        except OSError:
            return False
        return len(octets) > 0


def observe(connection: socket.socket) -> bool:
    """Until the hub is gone. False: until standard input has ended."""
    goes_on = True
    try:
        observer = Observer(connection)
    except OSError:
        return True
    while goes_on:
        ready, _, _ = select.select([connection, sys.stdin], [], [])
        if sys.stdin in ready:
            return False
        goes_on = observer.read()
    if observer.registered:
        tell(down=True)
    return True


def main(endpoint: str, command: list[str]) -> None:
    while not select.select([sys.stdin], [], [], 0)[0]:
        connection = connect_by(command) if command else connect(endpoint)
        if connection is None:
            time.sleep(AGAIN_SECONDS)
            continue
        with connection:
            if not observe(connection):
                return
        if command:
            time.sleep(AGAIN_BY_COMMAND_SECONDS)


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
