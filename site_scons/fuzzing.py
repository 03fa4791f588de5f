# SPDX-License-Identifier: MIT
"""The fuzz targets: how they are built, and `scons fuzz`, which runs AFL++ on one of them."""
import collections
import glob
import os
import re
import shutil
import subprocess
import sys

import steps
import tree

Target = collections.namedtuple('Target', 'name program seeds')

# The vectors that are a target's seeds.
VECTORS = {'fuzz_message': ['frame', 'messages'], 'fuzz_bridge': ['bridge', 'json'], 'fuzz_state': ['state', 'json']}

# What makes system calls for the sake of the spool.
SPOOL_DRIVERS = ['uv_file.c', 'uv_file_posix.c', 'uv_fork_posix.c', 'uv_lock_posix.c', 'uv_parked.c', 'uv_say.c', 'uv_spool.c',
                 'uv_spool_scan.c']

# A program under one of these brings its own main().
DRIVERS = ('afl', 'afl-asan', 'afl-cmplog', 'libfuzzer')

# From this many instances on, one has CMPLOG.
JOBS_CMPLOG = 3

ENVIRONMENT = {
    # A container's host decides about both.
    'AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES': '1', 'AFL_SKIP_CPUFREQ': '1', 'AFL_NO_AFFINITY': '1',
    'AFL_AUTORESUME': '1', 'AFL_IGNORE_UNKNOWN_ENVS': '1', 'AFL_TESTCACHE_SIZE': '100',
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
    if 'fuzz' in targets:
        return ['afl', 'afl-asan'] + ['afl-cmplog'] * (job_count(jobs) >= JOBS_CMPLOG)
    return []


def has_driver(variant):
    return variant in DRIVERS


def without_instrumentation(env, variant):
    """The environment for what is no code under test: the targets themselves and their oracles."""
    env = env.Clone()
    if has_driver(variant):
        env['CC'] = 'clang'
        env['CCFLAGS'] = [flag for flag in env['CCFLAGS'] if flag != '-fsanitize=fuzzer-no-link']
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


def _gather(name, target, directory):
    """The seeds: those made of the vectors, and the corpus of the tree."""
    place = directory + '/seeds'
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    sources = [node.get_path() for node in target.seeds] + [os.path.join(tree.TOP, 'fuzz/corpus', name)]
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
    _gather(name, target, directory)
    environment = {**os.environ, **ENVIRONMENT}
    commands = [_instance(number, jobs, name, built, seconds, directory) for number in range(jobs)]
    ran = _run(commands, environment, directory)
    found = statistics(directory)
    if not found or not ran:
        return steps.complaints('fuzz', ['afl-fuzz did not come to its end'])
    _show(found)
    findings = _findings(path(built['afl-asan']['fuzz'][name].program), 'build/release/fuzz/' + name, directory)
    print('\n%d findings; what was learnt is in %s, and the next run goes on from there' % (findings, directory))
    return steps.complaints('fuzz', ['%d findings' % findings] if findings else [])


def add(env, built):
    if 'afl' not in built:
        return
    names = sorted(name for name in built['afl']['fuzz'] if name.startswith('fuzz_'))
    name = 'fuzz_' + env['target']
    if name not in names:
        raise ValueError('scons: there is no target %s: there are %s' % (
            env['target'], ', '.join(n[len('fuzz_'):] for n in names)))
    needs = [built[variant]['fuzz'][name].program for variant in variants(['fuzz'], env['jobs'])] + built['afl']['fuzz'][name].seeds
    needs += built['afl']['dictionary']
    steps.target(env, 'fuzz', [steps.Step(name, needs, lambda: _fuzz(env, built, name))])
