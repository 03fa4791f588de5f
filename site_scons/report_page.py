# SPDX-License-Identifier: MIT
"""The page of the suite's HTML report: its parts put into one file, as the suite has it built in."""
DATA = '<!-- DATA -->'


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def whole(page, style, script):
    """The page before and behind its data."""
    text = page.replace('/* STYLE */', style).replace('/* SCRIPT */', script)
    before, behind = text.split(DATA)
    return before, behind


def array(name, text):
    octets = text.encode()
    lines = ['  ' + ', '.join('%d' % octet for octet in octets[at:at + 24]) for at in range(0, len(octets), 24)]
    return 'const unsigned char %s[] = {\n%s};\nconst size_t %s_size = %d;\n' % (name, ',\n'.join(lines), name, len(octets))


def write_source(target, source, env):
    """SCons action: a page, its style and its scripts as what conformance/harness/report_page.h declares."""
    page, style, *scripts = [read(node.get_path()) for node in source]
    before, behind = whole(page, style, ''.join(scripts))
    with open(target[0].get_path(), 'w', encoding='utf-8') as out:
        out.write('/* SPDX-License-Identifier: MIT */\n/* Made from conformance/report/. */\n#include "report_page.h"\n\n')
        out.write(array('report_page_before', before) + '\n' + array('report_page_behind', behind))
