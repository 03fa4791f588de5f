# SPDX-License-Identifier: MIT
"""What `scons test`, `lint` and the others run."""
import functools
import os
import sys

import checks
import steps
import tree

HUB = ('%s serve --endpoint {endpoint} --port {port} --state {state} --spool {spool} --group {group} '
       '--heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms}')

SANITIZERS = {
    'ASAN_OPTIONS': 'detect_stack_use_after_return=1:strict_string_checks=1',
    'LSAN_OPTIONS': 'suppressions=site_scons/lsan.supp:print_suppressions=0',
    'UBSAN_OPTIONS': 'print_stacktrace=1',
    'TSAN_OPTIONS': 'halt_on_error=1',
}


def path(nodes):
    return nodes[0].get_path()


def conformance(env, chosen, release):
    """The suite is always the one from the release build; the hub is the chosen variant's."""
    report = 'build/%s/results/conformance.tap' % env['variant']
    argv = [path(release['suite']), '--jobs', str(os.cpu_count()), '--tap=' + report, '--hub', HUB % path(chosen['hub'])]
    argv += env['cases'].split()
    return steps.Step('conformance', [release['suite'], chosen['hub']],
                      lambda: steps.program(argv, report, SANITIZERS))


def unit_tests(env, chosen):
    if env['variant'] == 'tsan':
        return []
    report = 'build/%s/results/unit-tests.tap' % env['variant']
    argv = [path(chosen['unit_tests']), '-j%d' % os.cpu_count(), '--tap=' + report]
    environment = dict(SANITIZERS, BH_VECTORS=os.path.join(tree.TOP, 'spec/vectors'))
    return [steps.Step('unit tests and vectors', chosen['unit_tests'],
                       lambda: steps.program(argv, report, environment))]


def checked(release):
    objects = [str(node) for node in release['core_objects']]
    found = [
        ('the core is pure', functools.partial(checks.core, objects)),
        ('the library exports its API alone', functools.partial(checks.exports, path(release['shared']))),
        ('licences', checks.licences),
        ('requirement ids', checks.requirement_ids),
    ]
    return [steps.Step('checks', release['core_objects'] + release['shared'], lambda: steps.together(found)),
            steps.Step('schemas', [], lambda: steps.program([sys.executable, 'spec/schema/check.py']))]


def linted(database):
    sources = [name for name in tree.c_files() if name.endswith('.c')]
    tidy = [(name, functools.partial(checks.tidy, name, os.path.dirname(str(database[0])))) for name in sources]
    return [steps.Step('clang-tidy', database, lambda: steps.together(tidy)),
            steps.Step('cppcheck', [], lambda: steps.complaints('cppcheck', checks.cppcheck(sources)))]


def coverage(env):
    if env['variant'] != 'coverage':
        return [steps.Step('coverage', [], lambda: steps.complaints(
            'coverage', ['only the coverage variant counts what runs: scons test coverage variant=coverage']))]
    page = 'build/coverage/report/index.html'
    os.makedirs(os.path.dirname(page), exist_ok=True)
    return [steps.Step('coverage', [], lambda: steps.program(
        ['gcovr', '--root', '.', '--filter', 'ref/', '--filter', 'ragel/', '--exclude', '.*/test_', '--print-summary',
         '--html-details', page, 'build/coverage']))]


def add(env, chosen, release, database):
    suite = conformance(env, chosen, release)
    steps.target(env, 'conformance', [suite])
    steps.target(env, 'test', checked(release) + unit_tests(env, chosen) + [suite])
    steps.target(env, 'lint', linted(database))
    steps.target(env, 'check-format', [steps.Step('clang-format', [], lambda: steps.complaints(
        'clang-format', checks.formatting()))])
    steps.target(env, 'coverage', coverage(env))
