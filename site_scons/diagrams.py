# SPDX-License-Identifier: MIT
"""The state diagrams of the specification's page, drawn by Ragel and graphviz from the grammar that is compiled."""
import subprocess

# name: (the file in ragel/, the rule or '' for the whole machine, title)
DRAWN = {
    'known-type': ('frame', 'known_type', 'The eight types of message'),
    'id': ('frame', 'id', 'A message\'s id'),
    'length': ('frame', 'length', 'The length of its body'),
    'frame': ('frame', '', 'The whole header of a message'),
    'number': ('json', 'number', 'A JSON number'),
    'string': ('json', 'string', 'A JSON string'),
    'character': ('json', 'UTF8_more', 'A character of two octets or more'),
    'value': ('json', 'value', 'A JSON value'),
    'object': ('json', 'object_rest', 'The rest of an object, behind its brace'),
    'array': ('json', 'array_rest', 'The rest of an array, behind its bracket'),
    'stream': ('bridge', 'stream', 'What Bridge sends, between values'),
    'assets': ('bridge', 'assets', 'An array of assets'),
    'spool-name': ('spool_name_parse', '', 'The name of a file in the spool'),
}

HEAD = '''
# State diagrams

Drawn by Ragel and graphviz from the grammar in `ragel/`, the one that the reference is compiled from. An edge says which
octets it takes and, behind the stroke, which actions run. A double circle is where the rule can end.
'''

DIAGRAM = '''
## %(title)s

%(rule)s in `ragel/%(machine)s.rl`:

::: diagram
![%(title)s](%(name)s.svg)\\\x20
:::
'''


def markdown():
    return HEAD + ''.join(
        DIAGRAM % {'title': title, 'name': name, 'machine': machine, 'rule': '`%s`' % rule if rule else 'The machine'}
        for name, (machine, rule, title) in DRAWN.items())


def write(target, source, env):
    with open(target[0].get_path(), 'w', encoding='utf-8') as file:
        file.write(markdown())


def render(target, source, env):
    done = subprocess.run(['dot', '-Tsvg', '-o', target[0].get_path(), source[0].get_path()], env=env['ENV'])
    return done.returncode
