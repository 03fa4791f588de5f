# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on costs while nothing happens: the processor time of two idle Blenders side by side, one with it, as the hub.

idle.py [--seconds N]
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from blender import PREFERENCES, Display, Place, held, wait_for  # noqa: E402

# Blender still draws and loads after it has started.
SETTLE_S = 10
INTERVAL_S = 5
WITHOUT = 'import bpy; bpy.ops.preferences.addon_disable(module="bridge_hub")'


def start(place, display, text):
    """One with a window, and with nothing in it that asks for its turn: no remote end."""
    return subprocess.Popen(['blender', '-noaudio', '--window-geometry', '0', '0', '800', '600', '--python-expr', text],
                            env={**place.environment, 'DISPLAY': display.name}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def cpu_s(pid):
    """What it has used so far, of all its threads."""
    with open('/proc/%d/stat' % pid, encoding='ascii', errors='replace') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def measure(blenders, seconds):
    """For each of them its shares of a processor, in per cent: one for an interval."""
    shares = [[] for _ in blenders]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began, before = time.monotonic(), [cpu_s(each.pid) for each in blenders]
        time.sleep(INTERVAL_S)
        took = time.monotonic() - began
        for found, each, used in zip(shares, blenders, before):
            found.append(100 * (cpu_s(each.pid) - used) / took)
    return shares


def line(name, found):
    return '%-24s %6.2f %% of a processor (median of %d; %.2f to %.2f)' % (
        name, statistics.median(found), len(found), min(found), max(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--seconds', type=int, default=30)
    seconds = parser.parse_args().seconds
    display, place, blenders = Display(), Place(), []
    try:
        blenders = [start(place, display, text) for text in (PREFERENCES, WITHOUT)]
        wait_for('the add-on is the hub', lambda: held(place.port))
        time.sleep(SETTLE_S)
        found = measure(blenders, seconds)
        if any(each.poll() is not None for each in blenders) or not held(place.port):
            raise AssertionError('a Blender has ended, or its hub')
    finally:
        for each in blenders:
            each.kill()
            each.wait()
        display.close()
        place.remove()
    for name, each in zip(('idle with the add-on', 'idle without it'), found):
        print(line(name, each))
    print(line('the difference', [a - b for a, b in zip(*found)]))
    return 0


if __name__ == '__main__':
    sys.exit(main())
