# SPDX-License-Identifier: MIT
"""`scons install`: where each thing goes."""
import os
import re

import tree

SHARED = ('spec/', 'conformance/schema/', 'conformance/example/')
PAGE = 'conformance/README.md'
REPOSITORY = 'https://github.com/bridge-hub/bridge-hub/blob/main/'


def _is_shared(path):
    return path.startswith(SHARED) and not path.endswith(('.c', '.h', 'check.py'))


def _new_link(link):
    """From share/doc/bridgehub to what is installed, and else to the tree on the net."""
    if re.match('[a-z]+:|#', link):
        return link
    path = os.path.normpath(os.path.join(os.path.dirname(PAGE), link))
    return ('../../bridgehub/' if _is_shared(path) else REPOSITORY) + path


def _write_page(target, source, env):
    with open(source[0].get_path(), encoding='utf-8') as file:
        text = file.read()
    with open(target[0].get_path(), 'w', encoding='utf-8') as file:
        file.write(re.sub(r'\]\(([^)]+)\)', lambda match: '](%s)' % _new_link(match[1]), text))


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
    nodes += env.Command(root + '/share/doc/bridgehub/conformance.md', '#' + PAGE, env.Action(_write_page, 'install $TARGET'))
    for path in filter(_is_shared, tree.files()):
        nodes += env.InstallAs('%s/%s' % (share, path), '#' + path)
    env.Alias('install', nodes)
