# SPDX-License-Identifier: MIT
"""The dictionary of fuzz/ for the conformance suite, which sends its words too."""


def write_table(target, source, env):
    """SCons action: the dictionary as the table that conformance/fuzz/words.h declares. A line is "\\x42\\x48", as C has it."""
    with open(source[0].get_path(), encoding='ascii') as file:
        words = file.read().split()
    with open(target[0].get_path(), 'w', encoding='ascii') as out:
        out.write('/* SPDX-License-Identifier: MIT */\n/* Made from %s. */\n#include "words.h"\n\n' % source[0])
        out.write('const struct word words[] = {\n')
        out.writelines('    {%s, %d},\n' % (word, word.count('\\x')) for word in words)
        out.write('};\n\nconst size_t word_count = %d;\n' % len(words))
