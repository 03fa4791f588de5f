# SPDX-License-Identifier: MIT
"""The requirements of the specification: ids and sentences."""
import re

ENTRY = re.compile(r'^- \*\*(BH-[A-Z]+-[0-9]{3})\*\* (.*(?:\n +\S.*)*)', re.MULTILINE)
MENTION = re.compile(r'\bBH-[A-Z]+-[0-9]{3}\b')


def parse(text):
    """[(id, sentence)] in the order of the specification."""
    return [(match[1], ' '.join(match[2].split())) for match in ENTRY.finditer(text)]


def sections(text):
    """[(heading, [(id, sentence)])] for the headings under which there are any."""
    pieces = re.split(r'^#+ +(.*)$', text, flags=re.MULTILINE)
    found = [(title, parse(body)) for title, body in zip(pieces[1::2], pieces[2::2])]
    return [(title, entries) for title, entries in found if entries]


def literal(text):
    return '"%s"' % text.replace('\\', '\\\\').replace('"', '\\"')


def write_table(target, source, env):
    """SCons action: the specification as the table that conformance/harness/requirements.h declares."""
    with open(source[0].get_path(), encoding='utf-8') as file:
        found = parse(file.read())
    with open(target[0].get_path(), 'w', encoding='utf-8') as out:
        out.write('/* SPDX-License-Identifier: MIT */\n/* Made from %s. */\n#include "requirements.h"\n\n'
                  % source[0].srcnode())
        out.write('const struct requirement requirements[] = {\n')
        out.writelines('    {%s, %s},\n' % (literal(name), literal(sentence)) for name, sentence in found)
        out.write('};\n\nconst size_t requirement_count = %d;\n' % len(found))
