# SPDX-License-Identifier: MIT
"""`scons addon`: the zip that Blender installs, and what is run with it in Blender."""
import ast
import os
import platform
import sys
import zipfile

import libuv
import steps

# As Blender's extensions call it, and what addon/bridge_hub/library.py looks for.
MACHINE = {'x86_64': 'x64', 'aarch64': 'arm64'}.get(platform.machine(), platform.machine())
PLATFORMS = {'linux': 'linux-' + MACHINE, 'macos': 'macos-' + MACHINE, 'windows': 'windows-x64'}
LIBRARIES = {'linux': 'libbridgehub.so', 'macos': 'libbridgehub.dylib', 'windows': 'bridgehub.dll'}

# Where the zip has whose: the add-on's own, and those of what is in the library.
LICENCES = {'addon/LICENSE': 'LICENSE', 'LICENSE': 'lib/LICENSE', libuv.SOURCE + '/LICENSE': 'lib/LICENSE.libuv'}

ROOT = 'bridge_hub/'
# The same octets from the same sources.
WHEN = (2020, 1, 1, 0, 0, 0)


def _version(source):
    """What bl_info says, read as Blender reads it: without running anything."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == 'bl_info':
            return '.'.join(map(str, ast.literal_eval(node.value)['version']))
    return 'none'


def _name(node):
    path = str(node)
    if os.path.basename(path) in LIBRARIES.values():
        return 'lib/' + os.path.basename(path)
    return LICENCES.get(path) or os.path.relpath(path, 'addon/bridge_hub')


def write_zip(target, source, env):
    contents = {}
    for node in source:
        contents[_name(node)] = node.get_contents()
    found = _version(contents['__init__.py'].decode())
    if found != env['VERSION']:
        print('addon/bridge_hub/__init__.py: bl_info has version %s, and the library %s' % (found, env['VERSION']))
        return 1
    manifest = contents['blender_manifest.toml'].decode()
    contents['blender_manifest.toml'] = manifest.replace('@VERSION@', env['VERSION']).replace('@PLATFORM@', env['PLATFORM_NAME']).encode()
    with zipfile.ZipFile(str(target[0]), 'w', zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(ROOT + name, WHEN)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
            archive.writestr(entry, contents[name])
    return 0


# ---- what runs

WINDOWS = 'addon/tests/windows/'
SCREENS = 'build/addon/screens'


# Blenders on a machine that does much else.
SECONDS_MAX = 1800


def _unit_tests(directory):
    return lambda: steps.program([sys.executable, '-B', '-m', 'unittest', 'discover', '--start-directory', directory],
                                 seconds_max=SECONDS_MAX)


def test(parts):
    """The same in every variant: Blender loads the library of the release."""
    needs = parts['addon'] + parts['addon_library']
    return [steps.Step('the add-on without Blender', needs, _unit_tests('addon/tests/library')),
            steps.Step('the add-on in windows', needs, _unit_tests(WINDOWS)),
            torture(parts, ['--exports', '8', '--kills', '1', '--seed', '1'])]


def torture(parts, arguments):
    return steps.Step('Blenders killed at random', parts['addon'], lambda: steps.program(
        [sys.executable, '-B', WINDOWS + 'torture.py', *arguments]))


def add(env, parts):
    steps.target(env, 'addon-screens', [steps.Step('screens', parts['addon'], lambda: steps.program(
        [sys.executable, '-B', WINDOWS + 'screens.py', SCREENS]))])
    steps.target(env, 'addon-idle', [steps.Step('what the add-on costs an idle Blender', parts['addon'], lambda: steps.program(
        [sys.executable, '-B', WINDOWS + 'idle.py', '--seconds', env['seconds']]))])
    steps.target(env, 'addon-torture', [torture(parts, ['--seed', env['seed']] if env['seed'] else [])])
