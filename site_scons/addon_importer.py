# SPDX-License-Identifier: MIT
"""The tests of the add-on's importer: its model of payloads in Python alone, the rest in Blender."""
import sys

import steps

TESTS = 'addon/tests/importer'


def in_blender(pattern, report, launcher, seconds_max=120):
    argv = launcher + ['--factory-startup', '--python', TESTS + '/run.py', '--', pattern, report]
    return steps.program(argv, report, {'PYTHONDONTWRITEBYTECODE': '1'}, seconds_max=seconds_max)


def test():
    """The same in every variant: there is no C in it."""
    reports = 'build/release/results/addon-%s.tap'
    return [
        steps.Step('payloads of the add-on', [], lambda: steps.program(
            [sys.executable, '-B', '-m', 'unittest', 'discover', '--start-directory', TESTS])),
        steps.Step('imports in Blender', [], lambda: in_blender(
            'blender_test_*.py', reports % 'imports', ['blender', '--background'])),
    ]
