# SPDX-License-Identifier: MIT
"""What `scons platform=windows test` and the others run: programs for Windows, under Wine."""
import os
import re
import subprocess
import sys
import zipfile

import steps
import targets
import tree
import wine

SEEDS = '300'

FIXED_TORTURE = dict(targets.FIXED_TORTURE, seconds=8)

# What Blender loads, in the add-on's zip.
ZIPPED = 'bridge_hub/lib/bridgehub.dll'

SYSTEM_DLLS = {'advapi32.dll', 'iphlpapi.dll', 'kernel32.dll', 'msvcrt.dll', 'shell32.dll', 'user32.dll', 'userenv.dll', 'ws2_32.dll'}


def path(nodes):
    return nodes[0].get_path()


def imports(programs):
    """No DLL is needed but the system's."""
    complaints = []
    for program in programs:
        listed = subprocess.run(['x86_64-w64-mingw32-objdump', '-p', program], stdout=subprocess.PIPE, text=True, check=True).stdout
        found = {name.lower() for name in re.findall(r'DLL Name: (\S+)', listed)}
        complaints += ['%s: needs %s' % (program, name) for name in sorted(found - SYSTEM_DLLS)]
        complaints += ['%s: no DLL is listed' % program] * (not found)
    return complaints


def checks(parts):
    return [steps.Step('no DLL but the system\'s', parts['programs'], lambda: steps.complaints(
                'DLLs', imports([path(parts['hub']), path(parts['shared'])]))),
            steps.Step('the add-on\'s zip', parts['addon'], lambda: steps.complaints('the zip', zipped(parts)))]


def zipped(parts):
    with zipfile.ZipFile(path(parts['addon'])) as archive:
        return [] if ZIPPED in archive.namelist() else ['%s: %s is not in it' % (path(parts['addon']), ZIPPED)]


def unit_tests(parts):
    report = 'build/windows/results/unit-tests.tap'

    def run():
        environment = dict(wine.environment(), BH_VECTORS='Z:' + os.path.join(tree.TOP, 'spec/vectors'))
        with open(report, 'w', encoding='utf-8') as file:
            status = subprocess.run([wine.WINE, path(parts['unit_tests'])], env=environment, stdin=subprocess.DEVNULL, stdout=file,
                                    timeout=steps.SECONDS_MAX, check=False).returncode
        counts = steps.tap_counts(report)
        if status or counts.failed or not counts.passed:
            with open(report, encoding='utf-8', errors='replace') as file:
                print(''.join(line for line in file if not line.startswith('ok')))
            counts = counts._replace(failed=max(counts.failed, 1))
        return counts
    return steps.Step('unit tests and vectors', parts['unit_tests'], run)


def simulation(parts):
    return steps.Step('simulation', parts['simulator'], lambda: steps.program(
        [wine.WINE, path(parts['simulator']), SEEDS], environment=wine.environment()))


def torture(parts, seconds, seed):
    argv = targets.torture_argv(parts, seconds, seed) + ['--wine', wine.WINE]
    return steps.Step('torture', parts['hub'], lambda: steps.program(
        argv, environment=wine.environment(), seconds_max=float(seconds) + steps.SECONDS_MAX))


def together(parts, release):
    """Hub, clients and library as a user has them."""
    names = {'BH_WINDOWS_HUB': parts['hub'], 'BH_WINDOWS_LIBRARY': parts['shared'], 'BH_LIBRARY_USER': parts['library_user'],
             'BH_PIPE_LOOKER': parts['pipe_looker'], 'BH_CONSOLE_USER': parts['console_user'], 'BH_HUB': release['hub']}
    argv = [sys.executable, '-m', 'unittest', 'discover', '--start-directory', 'windows/tests']
    return steps.Step('hub, clients and library', list(names.values()), lambda: steps.program(
        argv, environment=dict(wine.environment(), **{name: os.path.abspath(path(nodes)) for name, nodes in names.items()})))


def add(env, parts, release):
    suite, program = release['suite'], parts['hub']
    steps.target(env, 'conformance', [wine.conformance(env, 'conformance', suite, program, env['cases'])])
    steps.target(env, 'torture', [torture(parts, env['seconds'], env['seed'])])
    steps.target(env, 'test', [*checks(parts), unit_tests(parts), simulation(parts), torture(parts, **FIXED_TORTURE),
                               together(parts, release), wine.tests(),
                               wine.conformance(env, 'conformance-subset', suite, program, env['cases'] or wine.SUBSET)])
