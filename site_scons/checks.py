# SPDX-License-Identifier: MIT
"""Checks of the tree and of the objects. Each returns its complaints: none means passed."""
import collections
import os
import re
import subprocess

import requirements
import tree

SPECIFICATION = 'spec/protocol.md'

# All that the core may call: functions of their arguments alone. Memory comes from an allocator that is handed in,
# for which realloc and free are the default.
PURE = set('''memchr memcmp memcpy memmove memset strchr strcmp strlen strncmp strnlen snprintf vsnprintf qsort bsearch
              realloc free
              __memcpy_chk __memmove_chk __memset_chk __snprintf_chk __vsnprintf_chk __stack_chk_fail
              _GLOBAL_OFFSET_TABLE_'''.split())
# Where the linker puts what can change. Constant tables of pointers lie in .data.rel.ro.
MUTABLE = re.compile(r'^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)(?!\.rel\.ro)')

# Formats without comments, and the licence itself; the packaging says it in debian/copyright.
WITHOUT_SPDX = ('.json', '.svg', '.png', 'LICENSE')
PACKAGING = 'debian/'
# Octets of any kind.
BINARY = ('.svg', '.png')
ADDON = ('addon/bridge_hub/', 'addon/tests/')
CORPUS = 'fuzz/corpus/'


def _symbols(path, *options):
    """[(name, section)] of an object or library."""
    out = subprocess.run(['nm', '--format=sysv', *options, path], stdout=subprocess.PIPE, check=True, text=True).stdout
    rows = [[cell.strip() for cell in line.split('|')] for line in out.splitlines() if line.count('|') == 6]
    return [(row[0], row[6], row[2]) for row in rows if row[0] != 'Name']


def core(objects):
    """No object of the core calls outside the core but for what PURE names, and none holds mutable state."""
    if not objects:
        return ['there is no object to look at']
    symbols = {path: _symbols(path) for path in objects}
    own = {name for found in symbols.values() for name, section, _ in found if section != '*UND*'}
    complaints = []
    for path, found in symbols.items():
        for name, section, kind in found:
            if section == '*UND*' and name not in own | PURE:
                complaints.append('%s: calls %s, which is not on the list in site_scons/checks.py' % (path, name))
            if MUTABLE.match(section) and kind != 'N':
                complaints.append('%s: %s is global state that can change (%s)' % (path, name, section))
    return complaints


def exports(library):
    """The shared library shows nothing but the API."""
    names = [name for name, section, _ in _symbols(library, '-D', '--defined-only')]
    if not names:
        return ['%s: exports nothing' % library]
    return ['%s: exports %s' % (library, name) for name in names if not name.startswith('bh_')]


def library_example(library):
    """What docs/library.md shows is a program."""
    page = 'docs/library.md'
    example = re.search(r'^```c\n(.*?)^```$', tree.read(page), re.MULTILINE | re.DOTALL)
    if not example:
        return ['%s: shows no example' % page]
    compiled = subprocess.run(['gcc', '-Wall', '-Wextra', '-Werror', '-Iref', '-x', 'c', '-', '-x', 'none', library,
                               '-o', os.devnull], input=example[1], cwd=tree.TOP, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    return ['%s: %s' % (page, compiled.stdout)] if compiled.returncode else []


def _licence(path):
    """Blender's own licence for what is made of its modules."""
    return 'GPL-3.0-or-later' if path.startswith(ADDON) else 'MIT'


def licences():
    """Each file names the licence of its directory."""
    return ['%s: no SPDX-License-Identifier: %s' % (path, _licence(path)) for path in tree.files()
            if not path.endswith(WITHOUT_SPDX) and not path.startswith((PACKAGING, CORPUS)) and
            'SPDX-License-Identifier: ' + _licence(path) not in tree.read(path)]


def requirement_ids():
    """Each id stands once in the specification, and each that any file names stands there."""
    text = tree.read(SPECIFICATION)
    known = {name for name, _ in requirements.parse(text)}
    complaints = [] if known else ['%s: no requirement was found' % SPECIFICATION]
    counts = collections.Counter(re.findall(r'\*\*(BH-[A-Z]+-[0-9]{3})\*\*', text))
    complaints += ['%s: %s stands %d times' % (SPECIFICATION, name, count) for name, count in counts.items() if count > 1]
    complaints += ['%s: %s is not written as a list entry' % (SPECIFICATION, name) for name in set(counts) - known]
    for path in tree.files():
        if not path.endswith(BINARY) and not path.startswith(CORPUS):
            complaints += ['%s: %s is not in the specification' % (path, name)
                           for name in sorted(set(requirements.MENTION.findall(tree.read(path))) - known)]
    return complaints


def formatting():
    """clang-format would change nothing."""
    return _tool(['clang-format', '--dry-run', '-Werror', *tree.c_files()])


def _tool(argv):
    done = subprocess.run(argv, cwd=tree.TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return [] if done.returncode == 0 else (done.stdout.splitlines() or ['%s: status %d' % (argv[0], done.returncode)])


def tidy(path, database):
    """clang-tidy finds nothing in one file."""
    # A quarter of the analyzer's own limit: a third of the time, and the same findings here.
    limit = ['-Xclang', '-analyzer-config', '-Xclang', 'max-nodes=50000', '-Wno-unknown-warning-option']
    return _tool(['clang-tidy', '--quiet', '-p', database, *['--extra-arg=' + word for word in limit], path])


def cppcheck(paths):
    return _tool(['cppcheck', '--quiet', '--std=c11', '--inline-suppr', '--enable=warning,performance,portability',
                  # It does not follow functions that do not return.
                  '--suppress=va_end_missing', '--suppress=nullPointerRedundantCheck',
                  # Criterion's macro for a suite, which cppcheck takes for a function without a body.
                  '-DTestSuite(...)=', '--max-configs=12',
                  '--error-exitcode=1', '-j', str(os.cpu_count()), '-Iref', '-Iragel', '-Ispec/vectors',
                  '-Iconformance/harness', *paths])
