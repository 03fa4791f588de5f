# SPDX-License-Identifier: MIT
"""`scons package`: the Debian packages, from what is tracked alone, and what lintian and a user say of them."""
import os
import shutil
import subprocess
import sys

import steps
import tree

BUILD = os.path.join(tree.TOP, 'build/package')
SOURCE = BUILD + '/source'
UNPACKED = BUILD + '/unpacked'


def _copy():
    shutil.rmtree(BUILD, ignore_errors=True)
    for path in tree.files():
        target = os.path.join(SOURCE, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(tree.TOP, path), target, follow_symlinks=False)


def _found(suffix):
    return sorted(os.path.join(BUILD, name) for name in os.listdir(BUILD) if name.endswith(suffix))


def _run(argv, log=None, **more):
    """Lines to complain with; none: it went well."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', **more)
    if log:
        with open(log, 'w', encoding='utf-8') as file:
            file.write(done.stdout)
    else:
        sys.stdout.write(done.stdout)
    return [] if done.returncode == 0 else done.stdout.splitlines()[-40:] + [
        '%s: exit status %d' % (argv[0], done.returncode)]


def build():
    _copy()
    # The suite runs on what the packages hold: see unpack().
    return _run(['dpkg-buildpackage', '-us', '-uc'], BUILD + '/build.log', cwd=SOURCE,
                env={**os.environ, 'DEB_BUILD_OPTIONS': 'nocheck parallel=%d' % os.cpu_count()})


def lintian():
    return _run(['lintian', '--allow-root', '--fail-on', 'error,warning', *_found('.changes')])


def unpack():
    """The suite as a user of the packages has it, on the hub that they have."""
    shutil.rmtree(UNPACKED, ignore_errors=True)
    complaints = []
    for package in _found('.deb'):
        complaints += _run(['dpkg-deb', '--extract', package, UNPACKED])
    hub = ("'%s/usr/bin/bridgehub' serve --endpoint {endpoint} --port {port} --state {state} --spool {spool} "
           '--group {group} --heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms}' % UNPACKED)
    return complaints or _run([UNPACKED + '/usr/bin/bridgehub-conformance', '--quiet', '--jobs', str(os.cpu_count()),
                               '--hub', hub], cwd=BUILD)


def steps_of():
    return [steps.Step(name, [], lambda name=name, run=run: steps.complaints(name, run()))
            for name, run in [('dpkg-buildpackage', build), ('lintian', lintian), ('the packages at work', unpack)]]
