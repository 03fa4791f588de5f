# SPDX-License-Identifier: MIT
"""`scons fuzz-coverage`: which lines, branches and states of the grammars the corpus of the tree comes to."""
import collections
import json
import os
import re
import subprocess
import xml.etree.ElementTree as xml

import steps
import tree

PAGE = 'build/coverage/fuzz/index.html'
# Of the core's lines, in percent, by corpus and tests together.
LINES_LEAST = 98.0

# Those whose every state the corpus must come to.
GRAMMARS = ['frame', 'json', 'bridge', 'spool_name_parse']


def telling(env, machine, number, place):
    """The node of a machine's C in which each state, and where a run of octets ends, tells that it was reached."""
    def write(target, source, env):
        with open(source[0].get_path(), encoding='utf-8') as file:
            text = file.read()
        cs = re.search(r'switch \(\s*(\S*cs)\s*\)', text)[1]
        text = re.sub(r'^case (\d+):$', r'case \1: bh_state_reached(%d, \1);' % number, text, flags=re.MULTILINE)
        text = text.replace('_out: {}', '_out: bh_state_reached(%d, %s);' % (number, cs))
        with open(target[0].get_path(), 'w', encoding='utf-8') as file:
            file.write('#include "states.h"\n' + text)

    return env.Command(place + os.path.basename(str(machine)), machine,
                       env.Action(write, lambda target, source, env: 'write   %s' % target[0]))


# ---- states

def _machine(name):
    """The states of a machine as Ragel numbers them, and for each an example of the octets that lead to it."""
    out = subprocess.run(['ragel', '-x', '-I', 'ragel', 'ragel/%s.rl' % name], cwd=tree.TOP, stdout=subprocess.PIPE,
                         check=True, text=True).stdout
    machine = xml.fromstring(out).find('.//machine')
    error = machine.findtext('error_state')
    jumps = {action.get('id') for action in machine.iter('action')
             if action.find('ret') is not None or action.find('next') is not None}
    jumping = {table.get('id') for table in machine.iter('action_table') if jumps & set(table.text.split())}
    next_states = {state.get('id'): [t.text.split() for t in state.iter('t')] for state in machine.iter('state')}
    entries = [entry.text for entry in machine.iter('entry')] + [machine.findtext('start_state')]
    ways = dict.fromkeys(entries, '')
    queue = collections.deque(ways)
    while queue:
        at = queue.popleft()
        for low, _, target, _ in next_states[at]:
            if target not in ways and target != 'x':
                ways[target] = ways[at] + chr(int(low))
                queue.append(target)
    # One that every way into it leaves again at once, by a return or a jump, is none that the machine can be in.
    entered = set(entries) | {target for found in next_states.values() for _, _, target, actions in found
                              if actions not in jumping}
    return {int(state): ways.get(state, '?') for state in next_states if state != error and state in entered}


def _reached(path):
    with open(path, encoding='utf-8') as file:
        return {tuple(map(int, line.split())) for line in file}


def _states(programs, machines, corpora):
    """Prints a line for each grammar; returns what is missing."""
    path = 'build/coverage/fuzz/states.txt'
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.remove(path)
    for name, program in sorted(programs.items()):
        subprocess.run([program, corpora[name]], env={**os.environ, 'FUZZ_STATES': path}, stdout=subprocess.DEVNULL, check=True)
    reached, missing = _reached(path), []
    for number, name in enumerate(machines):
        states = _machine(name)
        left = sorted(state for state in states if (number, state) not in reached)
        print('%-18s %3d of %3d states' % (name, len(states) - len(left), len(states)))
        missing += ['%s: state %d is never reached: an example is %r' % (name, state, states[state]) for state in left]
    return missing


# ---- lines and branches

def _gcovr(*more):
    argv = ['gcovr', '--root', '.', '--filter', 'ref/', '--filter', 'ragel/', '--exclude', '.*/test_',
            '--exclude', 'ref/uv_', '--exclude', 'ref/cmd_', '--exclude', 'ref/main.c', '--exclude', 'ref/simulation/', 'build/coverage', *more]
    return subprocess.run(argv, cwd=tree.TOP, stdout=subprocess.PIPE, check=True, text=True).stdout


def _forget():
    for directory, _, files in os.walk(os.path.join(tree.TOP, 'build/coverage')):
        for name in files:
            if name.endswith('.gcda'):
                os.remove(os.path.join(directory, name))


def _left(report):
    """{path: [line]} that were not reached."""
    return {file['file']: [line['line_number'] for line in file['lines'] if line['count'] == 0 and not line.get('gcovr/noncode')]
            for file in json.loads(report)['files']}


def _explained():
    """{(path, text of the line)} of fuzz/unreached.txt, where each has its reason."""
    found = re.findall(r'^(\S+): (.*)\n  \S.*$', tree.read('fuzz/unreached.txt'), re.MULTILINE)
    return {(path, text.strip()) for path, text in found}


def _lines(report):
    """What is neither reached nor explained, and what is explained and was reached."""
    explained, left = _explained(), set()
    for path, numbers in _left(report).items():
        lines = tree.read(path).split('\n')
        left |= {(path, lines[number - 1].strip()) for number in numbers}
    return (['%s: not reached, and not explained in fuzz/unreached.txt: %s' % line for line in sorted(left - explained)] +
            ['%s: explained in fuzz/unreached.txt, and reached: %s' % line for line in sorted(explained - left)])


def run(replays, states, machines, tests):
    """`replays`, `states`: {target: program}; `tests`: the commands that count too."""
    corpora = {name: 'fuzz/corpus/' + name for name in replays}
    _forget()
    for name, program in sorted(replays.items()):
        subprocess.run([program, corpora[name]], stdout=subprocess.DEVNULL, check=True)
    print('By the corpus alone; the page is %s:' % PAGE)
    os.makedirs(os.path.dirname(PAGE), exist_ok=True)
    print(_gcovr('--print-summary', '--html-details', PAGE).rstrip())
    for argv, environment in tests:
        subprocess.run(argv, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    summary = json.loads(_gcovr('--json-summary'))
    print('By corpus and tests together: %s %% of the lines, %s %% of the branches' %
          (summary['line_percent'], summary['branch_percent']))
    print('By the corpus:')
    few = ['%s %% of the lines are few' % summary['line_percent']] if summary['line_percent'] < LINES_LEAST else []
    return steps.add([steps.complaints('states of the grammars', _states(states, machines, corpora)),
                      steps.complaints('lines of the core', few + _lines(_gcovr('--json')))])
