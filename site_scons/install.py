# SPDX-License-Identifier: MIT
"""`scons install`: where each thing goes."""
import os

import tree

SHARED = ('spec/', 'conformance/schema/', 'conformance/example/')


def target(env, parts, docs):
    # The .pc file names the prefix; destdir is only where a package is put together.
    root = os.path.abspath(os.path.expanduser(env['destdir'] + env['prefix']) if env['destdir']
                           else os.path.expanduser(env['prefix']))
    lib = '%s/%s' % (root, env['libdir'])
    share = root + '/share/bridgehub'
    nodes = env.Install(root + '/bin', [parts['hub'], parts['suite']])
    nodes += env.Install(lib, parts['archive'])
    nodes += env.InstallVersionedLib(lib, parts['shared'], SHLIBVERSION=parts['version'])
    nodes += env.Install(lib + '/pkgconfig', parts['package'])
    nodes += env.Install(root + '/include', '#ref/bridgehub.h')
    nodes += env.Install(root + '/share/man/man1', docs['man'])
    nodes += env.Install(root + '/share/doc/bridgehub', docs['page'])
    nodes += env.InstallAs(root + '/share/doc/bridgehub/conformance.md', '#conformance/README.md')
    for path in tree.files():
        if path.startswith(SHARED) and not path.endswith(('.c', '.h', 'check.py')):
            nodes += env.InstallAs('%s/%s' % (share, path), '#' + path)
    env.Alias('install', nodes)
