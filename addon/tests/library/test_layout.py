# SPDX-License-Identifier: GPL-3.0-or-later
"""The structures and numbers of the binding, held against the C header by a program that prints what the compiler makes of it."""
import ctypes
import os
import re
import subprocess
import tempfile
import unittest

import place

from bridge_hub import library

HEADER = os.path.join(place.TOP, 'ref/bridgehub.h')

CONSTANTS = {
    'BH_PORT': library.PORT, 'BH_GROUP_MAX': library.GROUP_MAX, 'BH_INSTANCE_ID_MAX': library.INSTANCE_ID_MAX,
    'BH_NAME_MAX': library.NAME_MAX, 'BH_PROGRAM_MAX': library.PROGRAM_MAX, 'BH_IMPORT_ID_MAX': library.IMPORT_ID_MAX, 'BH_CODE_MAX': library.CODE_MAX,
    'BH_WINDOW_MAX': library.WINDOW_MAX, 'BH_INSTANCES_MAX': library.INSTANCES_MAX, 'BH_TEXT_MAX': library.TEXT_MAX,
    'BH_REASON_OCTETS_MAX': library.REASON_MAX, 'BH_OK': library.OK,
}
ENUMS = {'BH_MODE_': library.Mode, 'BH_INSTANCE_': library.Kind, 'BH_COMMAND_': library.Command, 'BH_LOG_': library.Level}


def members(structure):
    """C has no member called `import` in Python's way: it is import_ there."""
    return [(name, name.rstrip('_')) for name, *_ in structure._fields_]


def enumerators():
    """The names of Python's classes, as the header has them."""
    return {prefix + name: value for prefix, each in ENUMS.items() for name, value in vars(each).items() if name.isupper()}


def program():
    lines = ['#include "bridgehub.h"', '#include <stdio.h>', 'int main(void) {']
    for name, structure in library.STRUCTURES.items():
        lines.append('printf("%s %%zu\\n", sizeof(%s));' % (name, name))
        lines += ['printf("%s.%s %%zu\\n", offsetof(%s, %s));' % (name, c, name, c) for _, c in members(structure)]
    lines += ['printf("%s %%lld\\n", (long long)%s);' % (name, name) for name in [*CONSTANTS, *enumerators()]]
    return '\n'.join(lines + ['return 0;', '}'])


def printed():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'layout')
        subprocess.run(['gcc', '-std=c11', '-I', os.path.dirname(HEADER), '-x', 'c', '-', '-o', path], input=program(),
                       text=True, check=True)
        lines = subprocess.run([path], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return {name: int(number) for name, number in map(str.split, lines)}


class Layout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.printed = printed()

    def test_structures_are_laid_out_as_in_c(self):
        for name, structure in library.STRUCTURES.items():
            self.assertEqual(ctypes.sizeof(structure), self.printed[name], name)
            for python, c in members(structure):
                self.assertEqual(getattr(structure, python).offset, self.printed['%s.%s' % (name, c)], '%s.%s' % (name, c))

    def test_limits_and_enumerators_are_those_of_the_header(self):
        for name, value in {**CONSTANTS, **enumerators()}.items():
            self.assertEqual(value, self.printed[name], name)

    def test_every_function_is_called_with_as_many_arguments_as_it_has(self):
        with open(HEADER, encoding='utf-8') as file:
            text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.DOTALL)
        for name, (_, arguments) in library.PROTOTYPES.items():
            found = re.search(r'BH_API [^;]*?\b%s\(([^;]*)\);' % name, text)
            self.assertIsNotNone(found, name)
            count = 0 if found[1] == 'void' else found[1].count(',') + 1
            self.assertEqual(len(arguments), count, name)

    def test_no_structure_member_of_the_header_is_missing(self):
        with open(HEADER, encoding='utf-8') as file:
            text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.DOTALL)
        for name, structure in library.STRUCTURES.items():
            body = re.search(r'typedef struct (?:\w+ )?\{([^}]*)\} %s;' % name, text)[1]
            self.assertEqual(len(structure._fields_), body.count(';') + body.replace('void *ctx', '').count(', '
                             ) * ('uint32_t heartbeat_ms, timeout_ms' in body), name)


if __name__ == '__main__':
    unittest.main()
