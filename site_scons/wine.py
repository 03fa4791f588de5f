# SPDX-License-Identifier: MIT
"""Programs for Windows, run by Wine: its drive, made for one run of scons, and the conformance suite on them.

The suite is the one of this system. It reaches the pipes of Windows by `bridgehub.exe pipe`.
"""
import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import tempfile

import steps
import tree

WINE = '/usr/lib/wine/wine64'
WINESERVER = '/usr/lib/wine/wineserver64'

# Wine starts a process in 50 ms on an idle machine, and a case starts up to some hundred.
TIME_SCALE = 4
SECONDS_MAX = 3600
AGAIN_MAX = 3
AGAIN_MAX_AFTER_CRASH = 30

# What `scons test` runs: some of every section.
SUBSET = '''names/* frame/typed-by-hand frame/break-* bodies/bad-* messages/ack-* registration/ack-* registration/newer-* active/l*
            ingest/listens-* ingest/real-payloads-* ingest/a-reset-* spool/a-* spool-trouble/who-* delivery/a-h* holders/o* crash/what-*
            election/* takeover/a-r* ending/* state/says-* state/a-file-* timing/a* hung/a-stopped-* limits/names-* limits/who-*
            contract/* client-registration/a* client-frame/a-* client-answers/t* client-bodies/a-* client-imports/o*
            client-resume/a-* client-contract/* client-active/a* client-timing/a-*'''

# Each line: a case, what it comes to in place of PASS, and why.
DIFFERENCES = 'conformance/wine/differences.txt'

# A pipe's name takes a path as it is; Wine has the root directory as drive Z:. Wine makes a Ctrl-C of SIGINT, while SIGTERM ends a
# process at once, as nothing does on Windows.
PIPE = r"'\\.\pipe\'{endpoint}"
HUB = ('%s serve --endpoint ' + PIPE + ' --port {port} --state Z:{state} --spool Z:{spool} --group {group} '
       '--also-port {also_port} --heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms}')
CLIENT = ('%s client --endpoint ' + PIPE + ' --port {port} --group {group} --name {name} --timeout-ms {timeout_ms} --window 4')
CONNECT = '%s pipe --stay ' + PIPE
LISTEN = '%s pipe --serve {relay} ' + PIPE
KILL = 'signal={signal}; [ $signal = 15 ] && signal=2; kill -$signal -{pid}'


_server = None


def _start_server(variables):
    """In a session of its own: it is no part of what is started first, and killed."""
    global _server
    _server = subprocess.Popen([WINESERVER, '--foreground', '--persistent=300'], env=variables, start_new_session=True)


def _server_has_crashed():
    """Once in some hours it does. The next program starts another, but those that ran are lost."""
    return _server.poll() is not None


def _kill_orphans(prefix):
    """Wine's own services outlive a server that has crashed."""
    wanted = b'WINEPREFIX=%s' % os.fsencode(prefix)
    for pid in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError), open('/proc/%s/environ' % pid, 'rb') as file:
            if wanted in file.read().split(b'\0'):
                os.kill(int(pid), signal.SIGKILL)


def _remove(directory, environment):
    subprocess.run([WINESERVER, '--kill'], env=environment, check=False)
    subprocess.run([WINESERVER, '--wait'], env=environment, check=False, timeout=60)
    _server.wait(60)
    _kill_orphans(environment['WINEPREFIX'])
    shutil.rmtree(directory, ignore_errors=True)


@functools.lru_cache(maxsize=None)
def environment():
    """What programs are started with. The first call makes Wine's drive C:, which is removed when scons ends."""
    directory = tempfile.mkdtemp(prefix='bh-wine-')
    variables = dict(os.environ, WINEPREFIX=directory + '/prefix', WINEDEBUG='-all', WINEDLLOVERRIDES='mscoree,mshtml=')
    atexit.register(_remove, directory, variables)
    os.mkdir(variables['WINEPREFIX'])
    _start_server(variables)
    subprocess.run([WINE, 'wineboot', '--init'], env=variables, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
    return variables


# ---- the suite

def listed(text):
    """Of each case that differs: the verdict and the reason."""
    lines = [line.split(None, 2) for line in text.splitlines() if line and not line.startswith('#')]
    return {slug: (verdict, reason) for slug, verdict, reason in lines}


def differences(report, known):
    """What of a JSON report is neither PASS nor as it is listed, and what is listed and passes."""
    for case in report['cases']:
        slug, verdict = case['slug'], case['verdict']
        expected = known[slug][0] if slug in known else 'PASS'
        if verdict == 'INCONCLUSIVE':
            continue
        if verdict != expected:
            yield '%s: %s, where %s has %s' % (slug, verdict, DIFFERENCES if slug in known else 'Linux', expected)
        elif case['breaches']:
            yield '%s: %s, with a breach of something else' % (slug, verdict)


def _not_started(case):
    """Wine itself has ended at once, as it does once in some thousand times: a program of ours that ends with 1 says why."""
    return case['verdict'] == 'CRASH' and 'exit status 1' in (case['came'] or '') and not case['log']


def _killed(case):
    """Wine has killed a program that took longer than half a second to exit."""
    return any('was ended by signal 9' in came for came in [case['came'] or ''] + [breach['came'] for breach in case['breaches']])


def broken_off(report):
    """Cases that tell nothing, as Wine has ended a program in them."""
    return [case['slug'] for case in report['cases'] if _not_started(case) or _killed(case)]


def to_repeat(report, known, crashed):
    """The cases to run once more. After a crash of Wine's server, all that are not as they should be."""
    again = broken_off(report)
    return [case['slug'] for case in report['cases']
            if case['slug'] in again or crashed and list(differences({'cases': [case]}, known))]


def replaced(report, other):
    """With the cases of another report in place of its own."""
    newer = {case['slug']: case for case in other['cases']}
    return dict(report, cases=[newer.get(case['slug'], case) for case in report['cases']])


def _judge(report):
    found = list(differences(report, listed(tree.read(DIFFERENCES))))
    for line in found:
        print(line)
    told = [case for case in report['cases'] if case['verdict'] != 'INCONCLUSIVE']
    return steps.Counts(len(told) - len(found), len(found), len(report['cases']) - len(told))


def _report(argv, cases, path):
    """Of a run; None: it has left none."""
    argv = argv + ['--json', path] + cases
    if os.path.exists(path):
        os.remove(path)
    print('$ ' + ' '.join("'%s'" % a.replace("'", "'\\''") if set(a) & set(" '{") else a for a in argv), flush=True)
    subprocess.run(argv, stdin=subprocess.DEVNULL, env=environment(), check=False, timeout=SECONDS_MAX)
    if not os.path.exists(path):
        return None
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def _run(argv, cases, path):
    report = _report(argv, cases, path)
    if report is None:
        return steps.Counts(0, 1, 0)
    crashed = _server_has_crashed()
    again = to_repeat(report, listed(tree.read(DIFFERENCES)), crashed)
    if crashed:
        print("Wine's server has ended with %d" % _server.returncode, flush=True)
    if 0 < len(again) <= (AGAIN_MAX_AFTER_CRASH if crashed else AGAIN_MAX):
        print('Wine itself has ended a program in %s: once more' % ', '.join(again), flush=True)
        report = replaced(report, _report(argv, again, path + '.again') or {'cases': []})
    return _judge(report)


def tests():
    """What Wine does otherwise than Windows."""
    argv = ['python3', '-m', 'unittest', 'discover', '--start-directory', 'conformance/wine']
    return steps.Step('what Wine does otherwise', [], lambda: steps.program(argv, environment=environment()))


def conformance(env, name, suite, program, cases):
    """The suite on a hub and a client for Windows. What does not pass is listed with its reason, or fails."""
    report = 'build/windows/results/%s-report.json' % name
    wine = '%s %s' % (WINE, program[0].get_path())
    # Wine's server works for each of them: half of the processors are the suite's.
    argv = [suite[0].get_path(), '--jobs', str(max(1, os.cpu_count() // 2)), '--time-scale', str(TIME_SCALE), '--vectors', 'spec/vectors',
            '--quiet', '--hub', HUB % wine, '--client', CLIENT % wine, '--connect', CONNECT % wine,
            '--listen', LISTEN % wine, '--kill', KILL]
    return steps.Step('conformance of the programs for Windows', suite + program, lambda: _run(argv, cases.split(), report))
