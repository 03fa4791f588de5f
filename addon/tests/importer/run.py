# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the unit tests PATTERN of this directory inside Blender, leaves a TAP report, and ends Blender.

    blender [-b] --factory-startup --python addon/tests/importer/run.py -- PATTERN REPORT.tap [NAME ...]
"""
import os
import sys
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
__import__('package')  # before unittest finds the tests, which import the add-on


class Tap(unittest.TextTestResult):
    """A line for each test at once, so that a crash leaves what came before it."""
    file = None
    number = 0

    def startTest(self, test):
        super().startTest(test)
        self.begun = time.monotonic()

    def _line(self, word, test, directive=''):
        Tap.number += 1
        self.file.write('%s %d - %s (%.1f s)%s\n' % (word, Tap.number, test.id(), time.monotonic() - self.begun,
                                                     directive))
        self.file.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line('ok', test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line('not ok', test)

    def addError(self, test, err):
        super().addError(test, err)
        self._line('not ok', test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line('ok', test, ' # SKIP ' + reason)


def main(pattern, report, *names):
    loader = unittest.TestLoader()
    loader.testNamePatterns = ['*%s*' % name for name in names] or None
    suite = loader.discover(HERE, pattern=pattern)
    with open(report, 'w', encoding='utf-8') as Tap.file:
        Tap.file.write('1..%d\n' % suite.countTestCases())
        result = unittest.TextTestRunner(resultclass=Tap, stream=sys.stdout, verbosity=1, tb_locals=False).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun else 1


try:
    status = main(*sys.argv[sys.argv.index('--') + 1:])
except Exception:
    traceback.print_exc()
    status = 1
sys.stdout.flush()
# Blender's own exit status does not tell of its script, and its end in a window asks about unsaved changes.
os._exit(status)
