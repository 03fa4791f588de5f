# SPDX-License-Identifier: MIT
"""The state diagrams of the specification's page, drawn by Ragel and graphviz from the grammar that is compiled."""
import subprocess

# name: (the file in ragel/, the rule or '' for the whole machine, title)
DRAWN = {
    'frame': ('frame', '', 'The header of a message'),
    'number': ('json', 'number', 'A JSON number'),
    'string': ('json', 'string', 'A JSON string, with its UTF-8'),
    'value': ('json', 'value', 'A JSON value'),
    'object': ('json', 'object_rest', 'The rest of an object, behind its brace'),
    'array': ('json', 'array_rest', 'The rest of an array, behind its bracket'),
    'stream': ('bridge', 'stream', 'What Bridge sends, between values'),
    'assets': ('bridge', 'assets', 'An array of assets'),
    'spool-name': ('spool_name', '', 'The name of a file in the spool'),
}

HEAD = '''
# A. State diagrams {.unnumbered}

Drawn by Ragel and graphviz from the grammar in `ragel/` that the reference is compiled from. An edge says which octets it
takes, and behind the stroke which actions run; a double circle is where the rule can end.
'''


def markdown():
    return HEAD + ''.join('\n## %s {.unnumbered}\n\n`%s` in `ragel/%s_grammar.rl`.\n\n![%s](%s.svg)\\ \n' %
                          (title, rule or machine, machine, title, name)
                          for name, (machine, rule, title) in DRAWN.items())


def write(target, source, env):
    with open(target[0].get_path(), 'w', encoding='utf-8') as file:
        file.write(markdown())


def render(target, source, env):
    done = subprocess.run(['dot', '-Tsvg', '-o', target[0].get_path(), source[0].get_path()], env=env['ENV'])
    return done.returncode
