# SPDX-License-Identifier: MIT
"""What scons' variables may be: whoever mistypes one is told so before anything is built."""
import fnmatch
import math

from SCons.Errors import UserError


def number(least, whole=True, empty=False):
    """A validator: a number from `least` on, or nothing where that may be."""
    def check(key, value, env):
        if empty and not value:
            return
        try:
            found = int(value) if whole else float(value)
        except ValueError:
            found = math.nan
        if not least <= found < math.inf:
            raise UserError('%s=%s: it takes a %s from %g on%s' % (key, value, 'whole number' if whole else 'number', least,
                                                                  ', or nothing' if empty else ''))
    return check


def mutants(found, globs, where):
    """Those of them whose names fit one of the globs of `mutants=`; all, where there are none."""
    fitting = [mutant for mutant in found if not globs or any(fnmatch.fnmatch(mutant.name, glob) for glob in globs.split())]
    if not fitting:
        raise UserError('mutants=%s: none in %s is called so' % (globs, where))
    return fitting
