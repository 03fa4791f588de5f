# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender: a Blender with a window, told by a test what to do, one Python text at a time.

blender ... --python remote.py -- SOCKET. It uses a timer: bpy is for the main thread alone.
"""
import json
import os
import socket
import sys
import time
import traceback

import bpy

INTERVAL_S = 0.01


class Remote:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)
        self.received = b''
        # What one text defines, the next one can use.
        self.names = {'bpy': bpy, 'os': os, 'sys': sys, 'time': time}

    def receive(self):
        try:
            octets = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        if not octets:
            sys.exit()
        self.received += octets

    def answer(self, line):
        text = json.loads(line)
        try:
            self.names['result'] = None
            exec(text, self.names)
            outcome = {'result': self.names['result']}
        except Exception:
            outcome = {'error': traceback.format_exc()}
        self.socket.setblocking(True)
        self.socket.sendall(json.dumps(outcome).encode() + b'\n')
        self.socket.setblocking(False)

    def __call__(self):
        self.receive()
        while b'\n' in self.received:
            line, self.received = self.received.split(b'\n', 1)
            self.answer(line)
        return INTERVAL_S


# Before the add-on's timer starts its instance.
for name, value in json.loads(os.environ.get('BH_PREFERENCES', '{}')).items():
    setattr(bpy.context.preferences.addons['bridge_hub'].preferences, name, value)
bpy.app.timers.register(Remote(sys.argv[-1]), persistent=True)
