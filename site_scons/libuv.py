# SPDX-License-Identifier: MIT
"""libuv as a static library with position-independent code, out of Debian's own source package: for Windows, for which Debian
has none, and for a shared library that is loaded where no libuv is installed."""
import os
import shutil
import subprocess
import tempfile

from SCons.Script import Action
from SCons.Util import CLVar

PACKAGE, BINARY_PACKAGE = 'libuv1', 'libuv1-dev'

COMMON = 'fs-poll idna inet random strscpy strtok threadpool timer uv-common uv-data-getter-setters version'

UNIX = '''async core dl fs getaddrinfo getnameinfo loop loop-watcher pipe poll process proctitle random-devurandom signal
          stream tcp thread tty udp'''

LINUX = 'epoll linux-core linux-inotify linux-syscalls procfs-exepath random-getrandom random-sysctl-linux'

WINDOWS = '''async core detect-wakeup dl error fs fs-event getaddrinfo getnameinfo handle loop-watcher pipe poll process
             process-stdio signal snprintf stream tcp thread tty udp util winapi winsock'''

# As libuv's own CMakeLists.txt has them, for the systems for which it is built here.
SYSTEMS = {
    'linux': {
        'sources': [('src', COMMON), ('src/unix', UNIX), ('src/unix', LINUX)],
        'defines': ['_GNU_SOURCE', '_FILE_OFFSET_BITS=64', '_LARGEFILE_SOURCE'],
        'libraries': ['pthread', 'dl', 'rt'],
    },
    'windows': {
        'sources': [('src', COMMON), ('src/win', WINDOWS)],
        'defines': ['WIN32_LEAN_AND_MEAN', '_WIN32_WINNT=0x0602'],
        'libraries': ['psapi', 'user32', 'advapi32', 'iphlpapi', 'userenv', 'ws2_32'],
    },
}

SOURCE = 'build/libuv/source'
PATCHED = 'build/libuv/patched'
INCLUDE = '#' + SOURCE + '/include'

# Ours, each for one file of the source package: windows/NAME.patch.
PATCHES = {'src/win/pipe.c': 'libuv-reject-remote-clients'}

_built = {}


def is_for(system):
    return system in SYSTEMS


def _c_files(system):
    return ['%s/%s.c' % (directory, name) for directory, listed in SYSTEMS[system]['sources'] for name in listed.split()]


# ---- the source package

def _entries():
    """The machine's own entries for the binary package, as entries for its source: the machine's may have none."""
    listed = subprocess.run(['apt-cache', 'madison', BINARY_PACKAGE], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = set()
    for line in listed.splitlines():
        where = line.split('|')[2].split()
        if where[-1] == 'Packages':
            suite, component = where[1].rsplit('/', 1)
            found.add('deb-src %s %s %s' % (where[0], suite, component))
    return sorted(found)


def _download(place):
    """Unpacks the source package, with the distribution's patches, and returns its directory. apt checks signatures and sums."""
    entries = _entries()
    if not entries:
        raise RuntimeError('apt knows no archive that has %s: apt-get update' % BINARY_PACKAGE)
    for directory in ['state/lists/partial', 'cache/archives/partial']:
        os.makedirs(os.path.join(place, directory))
    with open(os.path.join(place, 'sources.list'), 'w', encoding='utf-8') as file:
        file.write('\n'.join(entries) + '\n')
    settings = {'Dir::Etc::sourcelist': place + '/sources.list', 'Dir::Etc::sourceparts': '/dev/null',
                'Dir::State::lists': place + '/state/lists', 'Dir::Cache': place + '/cache', 'APT::Sandbox::User': ''}
    command = ['apt-get', '-qq'] + ['-o%s=%s' % setting for setting in settings.items()]
    for arguments in [['update'], ['source', PACKAGE]]:
        done = subprocess.run(command + arguments, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError('apt-get %s: %s' % (' '.join(arguments), done.stdout))
    return next(entry.path for entry in os.scandir(place) if entry.is_dir() and entry.name.startswith('libuv'))


def _fetch(target, source, env):
    """An action: puts the package's source where the targets are."""
    top = env.Dir('#' + SOURCE).abspath
    with tempfile.TemporaryDirectory() as place:
        try:
            unpacked = _download(place)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            print('libuv: the source package of %s cannot be had: %s' % (PACKAGE, error))
            return 1
        shutil.rmtree(top, ignore_errors=True)
        shutil.copytree(unpacked, top, symlinks=True)
    return 0


def _sources(env):
    if 'sources' not in _built:
        wanted = {name for system in SYSTEMS for name in _c_files(system)} | {'include/uv.h', 'LICENSE'}
        nodes = env.Command(['#%s/%s' % (SOURCE, name) for name in sorted(wanted)], [],
                            Action(_fetch, 'fetch   the source package ' + PACKAGE))
        # No reader of the tree's own files is to take them for its own, and no build without a network is to lose them.
        env.NoClean(nodes)
        env.Precious(nodes)
        _built['sources'] = nodes
    return _built['sources']


# ---- our patches

# What no longer fits to the letter has to be looked at: no lines are guessed. patch leaves a file without what it could not do,
# which a later build would take for done.
_PATCH = 'patch --quiet --fuzz=0 --reject-file=- --output=$TARGET $SOURCES || { rm -f $TARGET; exit 1; }'


def _patched(env, name):
    """The file to compile for `name`: itself, or a copy that has our patch in it."""
    if name not in PATCHES:
        return '#%s/%s' % (SOURCE, name)
    return env.Command('#%s/%s' % (PATCHED, name), ['#%s/%s' % (SOURCE, name), '#windows/%s.patch' % PATCHES[name]],
                       Action(_PATCH, 'patch   $TARGET'))[0]


# ---- the library

def static(env, system):
    """The library's node. `env` has the compiler, and a warning in libuv is no error of ours. A program that takes it needs
    INCLUDE in its CPPPATH, before all others, `uses(env, system)` for all of that, and nothing that is not the system's."""
    if system not in _built:
        wanted = SYSTEMS[system]
        sources = _sources(env)
        own = env.Clone(CPPPATH=[INCLUDE, '#' + SOURCE + '/src', '#' + SOURCE + '/src/win'], CPPDEFINES=wanted['defines'], CPPFLAGS=CLVar(''),
                        CCFLAGS=CLVar('-O2 -g -std=gnu11 -fPIC -fvisibility=hidden -fno-strict-aliasing -w '
                                      '-ffile-prefix-map=$TOP='))
        place = '#build/libuv/%s/' % system
        objects = [own.Object(place + 'obj/' + name[:-2].replace('/', '-'), _patched(env, name)) for name in _c_files(system)]
        env.Depends(objects, sources)
        _built[system] = own.StaticLibrary(place + 'uv', objects)
    return _built[system]


def uses(env, system):
    """A clone of `env` whose sources include this libuv's header; to be linked with static() and LIBS."""
    clone = env.Clone()
    clone.Prepend(CPPPATH=[INCLUDE])
    clone.Append(LIBS=SYSTEMS[system]['libraries'])
    return clone
