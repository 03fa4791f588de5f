# SPDX-License-Identifier: MIT
"""Compilers, flags and variants."""
from SCons.Script import Exit
from SCons.Util import CLVar

import fuzzing
import platforms

WARNINGS = '''-Wall -Wextra -Werror -Wundef -Wvla -Wformat=2 -Wpointer-arith -Wcast-align
              -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wimplicit-fallthrough'''

# Objects are position-independent, so that the same ones go into programs and both libraries.
COMMON = '-std=c11 -g -fPIC -fvisibility=hidden -fno-semantic-interposition -ffile-prefix-map=$TOP='

SANITIZE = '-O1 -fno-omit-frame-pointer -fsanitize='

SANITIZE_BOTH = SANITIZE + 'address,undefined -fno-sanitize-recover=all'

# Of linkers for ELF; Apple's ends at the first word that it does not know.
HARDENED = '' if platforms.native() == 'macos' else '-Wl,-z,relro -Wl,-z,now'
WHOLE = '' if platforms.native() == 'macos' else '-Wl,-z,defs'

VARIANTS = {
    'release': {'CCFLAGS': '-O2 -fstack-protector-strong', 'CPPFLAGS': '-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2',
                'LINKFLAGS': HARDENED},
    'debug': {'CCFLAGS': '-O0 -g3'},
    'asan': {'CCFLAGS': SANITIZE_BOTH, 'LINKFLAGS': '-fsanitize=address,undefined'},
    'tsan': {'CCFLAGS': SANITIZE + 'thread', 'LINKFLAGS': '-fsanitize=thread'},
    'coverage': {'CCFLAGS': '-O0 --coverage', 'LINKFLAGS': '--coverage'},
    'afl': {'CC': 'afl-clang-fast', 'CCFLAGS': '-O3'},
    'afl-asan': {'CC': 'afl-clang-fast', 'CCFLAGS': SANITIZE_BOTH, 'LINKFLAGS': '-fsanitize=address,undefined'},
    'afl-cmplog': {'CC': 'afl-clang-fast', 'CCFLAGS': '-O3', 'ENV': {'AFL_LLVM_CMPLOG': '1'}},
    'libfuzzer': {'CC': 'clang', 'CCFLAGS': '-O2 ' + fuzzing.LIBFUZZER},
}

# A libuv, jsmn or Criterion that is missing: which Debian package has it.
HEADERS = {'uv.h': 'libuv1-dev', 'jsmn.h': 'libjsmn-dev', 'criterion/criterion.h': 'libcriterion-dev'}


def set_up(env):
    """What all variants share. The user's own flags come last."""
    given = {name: CLVar(env.get(name, '')) for name in ['CPPFLAGS', 'CFLAGS', 'LDFLAGS']}
    env['GIVEN'] = given
    env.Replace(CPPFLAGS=CLVar(''), CFLAGS=CLVar(''), LINKFLAGS=CLVar(''), CCFLAGS=CLVar(COMMON + ' ' + WARNINGS),
                TOP=env.Dir('#').abspath, SHCFLAGS='$CFLAGS', SHCCFLAGS='$CCFLAGS', SHOBJSUFFIX='.o',
                STATIC_AND_SHARED_OBJECTS_ARE_THE_SAME=True, CPPPATH=['#ref', '#ragel'])
    if not env['verbose']:
        env.Replace(CCCOMSTR='cc      $SOURCE', SHCCCOMSTR='cc      $SOURCE', LINKCOMSTR='link    $TARGET',
                    SHLINKCOMSTR='link    $TARGET', ARCOMSTR='archive $TARGET', RANLIBCOMSTR='index   $TARGET',
                    RAGELCOMSTR='ragel   $SOURCE', INSTALLSTR='install $TARGET', COMPILATIONDB_COMSTR='write   $TARGET',
                    SUBSTFILESTR='write   $TARGET')


def variant(base, name):
    env = base.Clone(variant=name)
    for key, flags in VARIANTS[name].items():
        if key == 'CC':
            env['CC'] = flags
        elif key == 'ENV':
            env['ENV'] = {**env['ENV'], **flags}
        else:
            env.Append(**{key: CLVar(flags)})
    env.Append(CPPFLAGS=base['GIVEN']['CPPFLAGS'], CFLAGS=base['GIVEN']['CFLAGS'], LINKFLAGS=base['GIVEN']['LDFLAGS'])
    env.Replace(SHLINKFLAGS=env['LINKFLAGS'] + CLVar('-shared ' + WHOLE))
    env.Append(LINKFLAGS='-pie')
    return env


MINGW = 'x86_64-w64-mingw32-'

# Nothing but the system's own DLLs is needed where these programs run: no libgcc, no threads of another library's. Names in
# the sources are of Windows 8 at most. gcc takes the formats for those of Microsoft's printf(), which is not the one that is
# called: they are checked where the same sources are built for Linux.
WINDOWS = {'CCFLAGS': '-O2 -Wno-format -Wno-format-extra-args -Wno-format-nonliteral', 'CPPFLAGS': '-D_WIN32_WINNT=0x0602 -DUNICODE -D_UNICODE -D__USE_MINGW_ANSI_STDIO=1',
           'LINKFLAGS': '-static -Wl,--dynamicbase -Wl,--nxcompat -Wl,--high-entropy-va -Wl,--no-insert-timestamp'}


def windows(base):
    """A cross compiler's environment. The POSIX shape of SCons' tools stays: gcc is gcc."""
    if not base.WhereIs(MINGW + 'gcc-win32'):
        print('scons: install the Debian package gcc-mingw-w64-x86-64-win32, or let ./sconsw do it')
        Exit(1)
    env = base.Clone(variant='windows', CC=MINGW + 'gcc-win32', AR=MINGW + 'gcc-ar-win32', RANLIB=MINGW + 'gcc-ranlib-win32',
                     PROGSUFFIX='.exe', SHLIBPREFIX='', SHLIBSUFFIX='.dll')
    for key, flags in WINDOWS.items():
        env.Append(**{key: CLVar(flags)})
    env.Append(CPPFLAGS=base['GIVEN']['CPPFLAGS'], CFLAGS=base['GIVEN']['CFLAGS'], LINKFLAGS=base['GIVEN']['LDFLAGS'])
    env.Replace(SHLINKFLAGS=env['LINKFLAGS'] + ['-shared'])
    return env


def posix(env):
    """For the drivers and programs, which make system calls. The core goes without, so that it cannot."""
    env = env.Clone()
    env.Append(CPPDEFINES={'_POSIX_C_SOURCE': '200809L', '_XOPEN_SOURCE': '700'}, CPPPATH='#spec/vectors')
    return env


def check(env, configure):
    """Ends the build with the name of what is missing."""
    probe = posix(env)
    probe.Replace(CCFLAGS='-std=c11', LINKFLAGS='')
    conf = configure(probe, conf_dir='#build/config', log_file='#build/config.log')
    if not conf.CheckCC():
        print('scons: the compiler %s does not work; build/config.log says why' % env['CC'])
        Exit(1)
    missing = [package for header, package in HEADERS.items() if not conf.CheckCHeader(header)]
    conf.Finish()
    if not env.WhereIs(env.subst('$RAGEL')):
        missing.append('ragel')
    if missing:
        print('scons: install the Debian package%s %s, or let ./sconsw do it' %
              ('s' if len(missing) > 1 else '', ', '.join(missing)))
        Exit(1)
