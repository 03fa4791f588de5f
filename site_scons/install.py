# SPDX-License-Identifier: MIT
"""`scons install`: where each thing goes."""
import os

import tree


def target(env, parts, docs):
    # The .pc file names the prefix; destdir is only where a package is put together.
    root = os.path.abspath(os.path.expanduser(env['destdir'] + env['prefix']) if env['destdir']
                           else os.path.expanduser(env['prefix']))
    share = root + '/share/bridgehub'
    nodes = env.Install(root + '/bin', [parts['hub'], parts['suite']])
    nodes += env.Install(root + '/lib', parts['archive'])
    nodes += env.InstallVersionedLib(root + '/lib', parts['shared'], SHLIBVERSION=parts['version'])
    nodes += env.Install(root + '/lib/pkgconfig', parts['package'])
    nodes += env.Install(root + '/include', '#ref/bridgehub.h')
    nodes += env.Install(root + '/share/man/man1', docs['man'])
    nodes += env.Install(root + '/share/doc/bridgehub', docs['page'])
    for path in tree.files():
        if path.startswith('spec/') and path.endswith(('.md', '.abnf', '.json')):
            nodes += env.InstallAs('%s/%s' % (share, path), '#' + path)
    env.Alias('install', nodes)
