# SPDX-License-Identifier: MIT
"""The tests of the add-on's importer: its model of payloads in Python alone, the rest in Blender."""
import os
import sys

import steps

TESTS = 'addon/tests/importer'
BACKGROUND = ['blender', '--background']
WINDOW = ['xvfb-run', '--auto-servernum', 'blender']
SECONDS_MAX = 300

# Blender's Python takes the first python3 in PATH for its own, and the modules beside it: a pyenv's has no NumPy.
ENVIRONMENT = {'PATH': '/usr/bin:' + os.environ['PATH'], 'PYTHONDONTWRITEBYTECODE': '1'}


def in_blender(name, launcher, pattern, environment=None):
    report = 'build/release/results/addon-%s.tap' % pattern.split('_')[0]
    argv = launcher + ['--factory-startup', '--python', TESTS + '/run.py', '--', pattern, report]
    environment = dict(ENVIRONMENT, **environment or {})
    return steps.Step(name, [], lambda: steps.program(argv, report, environment, seconds_max=SECONDS_MAX))


def test():
    """The same in every variant: there is no C in it."""
    return [
        steps.Step('payloads of the add-on', [], lambda: steps.program(
            [sys.executable, '-B', '-m', 'unittest', 'discover', '--start-directory', TESTS])),
        in_blender('imports in Blender', BACKGROUND, 'blender_test_*.py'),
        in_blender("imports under a studio's colours", BACKGROUND, 'ocio_test_*.py', {'OCIO': TESTS + '/studio.ocio'}),
        in_blender('undo in Blender', WINDOW, 'window_test_*.py'),
    ]
