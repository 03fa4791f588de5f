# SPDX-License-Identifier: MIT
"""The fuzz targets: how they are built, and `scons fuzz`, which runs AFL++ on one of them."""
import collections
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

import fuzz_coverage
import steps
import tree

Target = collections.namedtuple('Target', 'name program seeds')

# What a target's seeds are made of: vectors, and `events`, each event behind others.
SEEDS = {'fuzz_message': ['frame', 'messages', 'json'], 'fuzz_bridge': ['bridge', 'json'], 'fuzz_state': ['state', 'json'],
         'fuzz_hub': ['frame', 'messages', 'events'], 'fuzz_client': ['frame', 'messages', 'events'],
         'fuzz_spool': ['spool_name', 'bridge']}


# A directory of seeds is a target of scons by this file beside it: scons never makes a directory anew when its sources change.
MADE = '.made'


def seed_directories(target):
    return [node.get_path()[:-len(MADE)] for node in target.seeds]


def seed_source(name):
    """What seeds.py takes for it, and which file of the tree that is, if it is one."""
    return ('events', None) if name == 'events' else ('spec/vectors/%s.json' % name,) * 2

# A program under one of these brings its own main().
DRIVERS = ('afl', 'afl-asan', 'afl-cmplog', 'libfuzzer')

# libFuzzer's own work for each input grows with the counters that the input comes to: blocks are half as many as edges, and states and
# actions of a machine are blocks. What is compared of an input the machines compare octet by octet, in a block each.
LIBFUZZER = '-fsanitize=fuzzer-no-link -fsanitize-coverage=bb -fno-sanitize-coverage=trace-cmp'

# From this many instances on, one has CMPLOG.
JOBS_CMPLOG = 3

ENVIRONMENT = {
    # A container's host decides about both.
    'AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES': '1', 'AFL_SKIP_CPUFREQ': '1', 'AFL_NO_AFFINITY': '1',
    'AFL_AUTORESUME': '1', 'AFL_ALLOW_TMP': '1', 'AFL_IGNORE_UNKNOWN_ENVS': '1', 'AFL_TESTCACHE_SIZE': '100',
    # A machine with other work stops a process for a second now and then.
    'AFL_HANG_TMOUT': '10000',
}
TIMEOUT_MS = '2000'

# AFL++ says of these: each finds what the others do not.
SCHEDULES = ['explore', 'fast', 'coe', 'rare', 'exploit']


def job_count(jobs):
    return int(jobs or os.cpu_count())


def variants(targets, jobs):
    """What the targets of scons build besides the chosen variant."""
    needed = {'fuzz': ['afl', 'afl-asan'] + ['afl-cmplog'] * (job_count(jobs) >= JOBS_CMPLOG), 'fuzz-mutants': ['afl-asan'],
              'fuzz-bench': ['afl', 'libfuzzer'], 'fuzz-corpus': ['afl'], 'fuzz-coverage': ['coverage']}
    return sorted({variant for target in targets for variant in needed.get(target, [])})


def has_driver(variant):
    return variant in DRIVERS


def without_instrumentation(env, variant):
    """The environment for what is no code under test: the targets themselves and their oracles."""
    env = env.Clone()
    if has_driver(variant):
        env['CC'] = 'clang'
        env['CCFLAGS'] = [flag for flag in env['CCFLAGS'] if flag not in LIBFUZZER.split()]
    return env


def path(nodes):
    return nodes[0].get_path()


# ---- instances of afl-fuzz

def _instance(number, jobs, name, built, seconds, directory):
    """The arguments of afl-fuzz, by AFL++'s advice: one under sanitizers, one with CMPLOG, the rest plain and fast. A
    single one has the sanitizers: what is fast and sees nothing finds nothing."""
    sanitized = jobs == 1 or number == 1
    build = 'afl-asan' if sanitized else 'afl'
    argv = ['afl-fuzz', '-M' if number == 0 else '-S', 'main' if number == 0 else 'secondary%d' % number,
            '-i', directory + '/seeds', '-o', directory + '/out', '-x', path(built['afl']['dictionary']),
            '-t', TIMEOUT_MS, '-m', 'none']
    argv += ['-p', SCHEDULES[number % len(SCHEDULES)]] * (number > 0)
    if number == JOBS_CMPLOG - 1:
        argv += ['-c', path(built['afl-cmplog']['fuzz'][name].program)]
    argv += ['-V', str(seconds)] * bool(seconds)
    return argv + ['--', path(built[build]['fuzz'][name].program)]


def gather(target, place):
    """The seeds: those made of the vectors, and the corpus of the tree."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    sources = seed_directories(target) + [os.path.join(tree.TOP, 'fuzz/corpus', target.name)]
    count = 0
    for source in filter(os.path.isdir, sources):
        for file in sorted(os.listdir(source)):
            shutil.copy(os.path.join(source, file), '%s/%d' % (place, count))
            count += 1
    if count == 0:
        with open(place + '/0', 'wb') as file:
            file.write(b'\0')


def _run(commands, environment, directory):
    """The first instance has the screen, where there is one. True: all came to their end."""
    quiet = not sys.stdout.isatty() or 'CI' in os.environ
    quietly = {**environment, 'AFL_NO_UI': '1'}
    processes = []
    for number, argv in reversed(list(enumerate(commands))):
        show = number == 0 and not quiet
        log = None if show else open('%s/afl-fuzz.%d.log' % (directory, number), 'w', encoding='utf-8')
        processes.append(subprocess.Popen(argv, env=environment if show else quietly, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=subprocess.STDOUT if log else None))
        if log:
            log.close()
    statuses = [process.wait() for process in processes]
    for number, status in zip(reversed(range(len(commands))), statuses):
        if status != 0 and os.path.exists('%s/afl-fuzz.%d.log' % (directory, number)):
            with open('%s/afl-fuzz.%d.log' % (directory, number), encoding='utf-8', errors='replace') as file:
                print('afl-fuzz %d ended with status %d:\n%s' % (number, status, ''.join(file.readlines()[-15:])))
    return not any(statuses)


# ---- what came of it

def statistics(directory):
    """{name of the instance: {name: text}}"""
    found = {}
    for file in sorted(glob.glob(directory + '/out/*/fuzzer_stats')):
        with open(file, encoding='utf-8') as stream:
            found[file.split('/')[-2]] = dict(re.findall(r'^(\w+)\s*: (.*)$', stream.read(), re.MULTILINE))
    return found


def _show(found):
    print('\n%-12s %12s %10s %14s %10s %8s %6s' % ('instance', 'executions', 'a second', 'edges', 'stability', 'crashes',
                                                   'hangs'))
    for name, s in found.items():
        print('%-12s %12s %10s %14s %10s %8s %6s' % (
            name, s['execs_done'], s['execs_per_sec'], '%s of %s' % (s['edges_found'], s['total_edges']), s['stability'],
            s['saved_crashes'], s['saved_hangs']))


def replay(program, file):
    """What the target says of one input: (exit status, text)."""
    options = 'symbolize=1:abort_on_error=1:handle_abort=1:detect_leaks=0'
    environment = {**os.environ, 'ASAN_OPTIONS': options, 'UBSAN_OPTIONS': 'print_stacktrace=1:' + options}
    done = subprocess.run([program, file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=environment)
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def _signature(text):
    """What tells one finding from another: the broken promise, or where the stack was."""
    broken = re.search(r'^\S+: broken: [^:]*', text, re.MULTILINE)
    frames = re.findall(r'^ *#\d+ 0x\w+ in (\S+)', text, re.MULTILINE)
    ours = [frame for frame in frames if frame.startswith('bh_') or frame.startswith('LLVMFuzzerTestOneInput')]
    return broken[0] if broken else ' '.join(ours[:3]) or 'a crash'


def _minimised(program, file, directory):
    small = os.path.join(directory, 'crashes', os.path.basename(file).split(',')[0].replace(':', '-'))
    os.makedirs(os.path.dirname(small), exist_ok=True)
    environment = {**os.environ, **ENVIRONMENT, 'AFL_QUIET': '1'}
    done = subprocess.run(['afl-tmin', '-t', TIMEOUT_MS, '-m', 'none', '-i', file, '-o', small, '--', program],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    if done.returncode != 0 or not os.path.exists(small):
        shutil.copy(file, small)
    return small


def _findings(program, plain, directory):
    """Each kind of crash, once: the smallest input, what it shows, and how to see it again. Returns how many."""
    kinds = {}
    files = sorted(glob.glob(directory + '/out/*/crashes/id:*') + glob.glob(directory + '/out/*/hangs/id:*'), key=os.path.getsize)
    for file in files:
        status, text = (1, 'a hang: it takes longer than 10 s') if '/hangs/' in file else replay(program, file)
        if status != 0:
            kinds.setdefault(_signature(text), file)
        else:
            print('%s does not show again: it was fixed since, or the machine was too slow' % file)
    for number, (kind, file) in enumerate(kinds.items(), 1):
        small = file if '/hangs/' in file else _minimised(program, file, directory)
        print('\n==== finding %d: %s\n%s' % (number, kind, replay(program, small)[1] if small != file else ''))
        print('%d octets. See it again: %s %s' % (os.path.getsize(small), program, small))
        print('without a fuzzer:        %s %s' % (plain, small))
    return len(kinds)


def _fuzz(env, built, name):
    """One run, on what an earlier one left."""
    target, jobs = built['afl']['fuzz'][name], job_count(env['jobs'])
    seconds, directory = round(float(env['minutes']) * 60), os.path.join('build/fuzz', name)
    os.makedirs(directory, exist_ok=True)
    gather(target, directory + '/seeds')
    environment = {**os.environ, **ENVIRONMENT, 'FUZZ_DIRECTORY': os.path.abspath(directory)}
    commands = [_instance(number, jobs, name, built, seconds, directory) for number in range(jobs)]
    ran = _run(commands, environment, directory)
    found = statistics(directory)
    if not found or not ran:
        return steps.complaints('fuzz', ['afl-fuzz did not come to its end'])
    _show(found)
    findings = _findings(path(built['afl-asan']['fuzz'][name].program), 'build/release/fuzz/' + name, directory)
    print('\n%d findings; what was learnt is in %s, and the next run goes on from there' % (findings, directory))
    return steps.complaints('fuzz', ['%d findings' % findings] if findings else [])


# ---- the corpus of the tree

CORPUS_SIZE_MAX = 4096


def minimise(built, name):
    """fuzz/corpus/NAME made anew: the fewest inputs, of vectors, corpus and all runs, that do what all of them do."""
    target, work, corpus = built['afl']['fuzz'][name], os.path.join('build/fuzz', name), os.path.join('fuzz/corpus', name)
    all_of_them, least = work + '/all', work + '/least'
    gather(target, all_of_them)
    for file in glob.glob(work + '/out/*/queue/id:*'):
        shutil.copy(file, os.path.join(all_of_them, os.path.basename(os.path.dirname(os.path.dirname(file))) + os.path.basename(file)))
    for file in glob.glob(all_of_them + '/*'):
        if os.path.getsize(file) > CORPUS_SIZE_MAX:
            os.remove(file)
    shutil.rmtree(least, ignore_errors=True)
    # By edges alone: by how often each is passed, too, it is three times as many, that come to no line more.
    argv = ['afl-cmin', '-e', '-m', 'none', '-t', TIMEOUT_MS, '-i', all_of_them, '-o', least, '--', path(target.program)]
    done = subprocess.run(argv, env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0 or not os.path.isdir(least) or not os.listdir(least):
        return ['%s: afl-cmin: %s' % (name, done.stdout[-500:])]
    shutil.rmtree(corpus, ignore_errors=True)
    os.makedirs(corpus)
    for file in sorted(os.listdir(least)):
        with open(os.path.join(least, file), 'rb') as stream:
            octets = stream.read()
        with open(os.path.join(corpus, hashlib.sha1(octets).hexdigest()), 'wb') as stream:
            stream.write(octets)
    sizes = [os.path.getsize(file) for file in glob.glob(corpus + '/*')]
    print('%-14s %4d inputs of %d, %d octets' % (name, len(sizes), len(os.listdir(all_of_them)), sum(sizes)), flush=True)
    return []


# ---- targets of scons

def _names(fuzz):
    return sorted(name for name in fuzz if name.startswith('fuzz_'))


def _add_fuzz(env, built):
    from SCons.Script import Exit

    target = built['afl']['fuzz'].get('fuzz_' + env['target'])
    if target is None:
        print('scons: there is no target %s: there are %s' % (
            env['target'], ', '.join(name[len('fuzz_'):] for name in _names(built['afl']['fuzz']))))
        Exit(2)
    needs = [built[variant]['fuzz'][target.name].program for variant in variants(['fuzz'], env['jobs'])]
    steps.target(env, 'fuzz', [steps.Step(target.name, needs + target.seeds + built['afl']['dictionary'],
                                          lambda: _fuzz(env, built, target.name))])


def _add_mutants(env, built):
    import fuzz_mutants
    import validators

    parts = built['afl-asan']
    fitting = validators.mutants([mutant for mutant, _ in parts['fuzz_mutants']], env['mutants'], 'fuzz/mutants.txt')
    chosen = [(mutant, program) for mutant, program in parts['fuzz_mutants'] if mutant in fitting]
    needs = [program for _, program in chosen] + [target.seeds for target in parts['fuzz'].values()]
    words = path(parts['dictionary'])
    minutes = float(env['minutes'])
    steps.target(env, 'fuzz-mutants', [steps.Step('planted faults', needs + [parts['dictionary']], lambda: fuzz_mutants.run(
        chosen, parts['fuzz'], minutes, words))])


def _add_bench(env, built):
    import fuzz_bench

    needs = [target.program + target.seeds for target in built['afl']['fuzz'].values()]
    message = built['libfuzzer']['fuzz']['fuzz_message']
    steps.target(env, 'fuzz-bench', [steps.Step('speed of the fuzz targets', needs + message.program + message.seeds,
                                                lambda: fuzz_bench.run(built))])


def _add_corpus(env, built):
    found = [built['afl']['fuzz'][name] for name in _names(built['afl']['fuzz'])]
    steps.target(env, 'fuzz-corpus', [steps.Step('corpus', [t.program + t.seeds for t in found], lambda: steps.add(
        steps.complaints(t.name, minimise(built, t.name)) for t in found))])


def _add_coverage(env, built):
    from SCons.Script import Flatten

    parts = built['coverage']
    replays = {name: path(parts['fuzz'][name].program) for name in _names(parts['fuzz'])}
    states = {name: path(program) for name, program in parts['fuzz_states'].items()}
    machines = [os.path.basename(str(machine))[:-2] for machine in Flatten(parts['machines'])]
    tests = [([path(parts['unit_tests'])], {'BH_VECTORS': os.path.join(tree.TOP, 'spec/vectors')}),
             ([path(parts['simulator']), '--seeds', '300'], {})]
    needs = [parts['fuzz'][name].program for name in replays] + list(parts['fuzz_states'].values())
    steps.target(env, 'fuzz-coverage', [steps.Step('what the corpus reaches', needs + [parts['unit_tests'], parts['simulator']],
                                                   lambda: fuzz_coverage.run(replays, states, machines, tests))])


def add(env, built):
    from SCons.Script import COMMAND_LINE_TARGETS as asked

    for name, adds in [('fuzz', _add_fuzz), ('fuzz-mutants', _add_mutants), ('fuzz-bench', _add_bench),
                       ('fuzz-corpus', _add_corpus), ('fuzz-coverage', _add_coverage)]:
        if name in asked:
            adds(env, built)
