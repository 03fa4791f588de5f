# SPDX-License-Identifier: MIT
"""Ragel for SCons: C from `.rl`, built again when a file that it includes changes.

RAGEL, RAGELFLAGS: the program and its flags. RAGELPATH: further directories for `include "FILE.rl"`.
"""
from SCons.Action import Action
from SCons.Scanner import Classic
from SCons.Tool import createCFileBuilders
from SCons.Util import CLVar

INCLUDE = r'^[ \t]*include[ \t]+(?:\w+[ \t]+)?"([^"]+)"'


def generate(env):
    c_file, _ = createCFileBuilders(env)
    c_file.add_action('.rl', Action('$RAGELCOM', '$RAGELCOMSTR'))
    env.Append(SCANNERS=Classic('Ragel', ['.rl'], 'RAGELPATH', INCLUDE))
    env.SetDefault(RAGEL='ragel', RAGELFLAGS=CLVar('-C -G2'))
    env['RAGELCOM'] = '$RAGEL $RAGELFLAGS $_RAGELINCFLAGS -o $TARGET $SOURCE'
    env['_RAGELINCFLAGS'] = '${_concat("-I ", RAGELPATH, "", __env__, RDirs, TARGET, SOURCE)}'


def exists(env):
    return env.Detect('ragel')
