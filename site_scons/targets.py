# SPDX-License-Identifier: MIT
"""What `scons test`, `lint` and the others run."""
import functools
import os
import re
import subprocess
import sys

import addon
import addon_importer
import browser
import checks
import fuzzing
import killing
import live_fuzz
import model
import oss_fuzz
import package
import platforms
import steps
import traceability
import tree

HUB = ('%s serve --endpoint {endpoint} --port {port} --state {state} --spool {spool} --group {group} '
       '--also-port {also_port} --heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms}')

CLIENT = ('%s client --endpoint {endpoint} --port {port} --group {group} --name {name} --timeout-ms {timeout_ms} '
          '--window 4')

# The suite's exit status where the host was too slow to tell, and nothing failed: it counts such cases as skipped.
INCONCLUSIVE = 2

# A worker of Criterion, or a hub that is told to end, can leave a report that its exit status does not tell: reports go to
# files, and a file is a failure.
REPORTS = os.path.join(tree.TOP, 'build/%s/results/sanitizer-%s')


def path(nodes):
    return nodes[0].get_path()


def sanitizers(reports):
    log = 'log_path=' + reports
    return {'ASAN_OPTIONS': log + ':detect_stack_use_after_return=1', 'UBSAN_OPTIONS': log + ':print_stacktrace=1',
            'TSAN_OPTIONS': log + ':halt_on_error=1'}


EXAMPLE_HUB = ('%s conformance/example/hub.py --endpoint {endpoint} --port {port} '
               '--heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms} --need {need}' % sys.executable)
EXAMPLE_CLIENT = ('%s conformance/example/client.py --endpoint {endpoint} --port {port} --name {name} '
                  '--heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms} --need {need}' % sys.executable)


def conformance(env, chosen, release):
    """The suite is always the one from the release build; hub and client are the chosen variant's."""
    report = 'build/%s/results/conformance.tap' % env['variant']
    reports = REPORTS % (env['variant'], 'conformance')
    argv = [path(release['suite']), '--jobs', str(os.cpu_count()), '--vectors', 'spec/vectors', '--tap', report,
            '--hub', HUB % path(chosen['hub']), '--client', CLIENT % path(chosen['hub'])]
    argv += ['--time-scale', '2'] * (env['variant'] in ('asan', 'tsan')) + env['cases'].split()
    return steps.Step('conformance', [release['suite'], chosen['hub']],
                      lambda: steps.program(argv, report, sanitizers(reports), reports, passing=(0, INCONCLUSIVE)))


def example(env, release):
    """The second implementation, which is the same in every variant."""
    report = 'build/%s/results/example.tap' % env['variant']
    argv = [path(release['suite']), '--jobs', str(os.cpu_count()), '--vectors', 'spec/vectors', '--tap', report,
            '--hub', EXAMPLE_HUB, '--client', EXAMPLE_CLIENT] + env['cases'].split()
    return steps.Step('the example', release['suite'], lambda: steps.program(argv, report, passing=(0, INCONCLUSIVE)))


def unit_tests(env, chosen):
    if env['variant'] == 'tsan':
        return []
    return [unit_tests_of(env, 'unit tests and vectors', 'unit-tests', chosen['unit_tests']),
            unit_tests_of(env, 'unit tests of the suite', 'harness-tests', chosen['harness_tests'])]


def unit_tests_of(env, title, name, program):
    report = 'build/%s/results/%s.tap' % (env['variant'], name)
    reports = REPORTS % (env['variant'], name)
    argv = [path(program), '-j%d' % os.cpu_count(), '--tap=' + report]
    environment = dict(sanitizers(reports), BH_VECTORS=os.path.join(tree.TOP, 'spec/vectors'))
    return steps.Step(title, program, lambda: steps.program(argv, report, environment, reports))


def reports(env, release):
    """Of real runs, by their schemas; and the page in a browser. The suite is the same in every variant."""
    if env['variant'] != 'release':
        return []
    programs = {'BH_SUITE': path(release['suite']), 'BH_HUB': path(release['hub'])}
    needs = release['suite'] + release['hub']
    argv = [sys.executable, '-m', 'unittest', 'discover', '--start-directory', 'conformance/report']
    return [steps.Step('reports', needs, lambda: steps.program(argv, None, programs)),
            steps.Step('the page in a browser', needs, lambda: browser.test(programs))]


# Stories that are always the same; under a sanitizer one takes ten times as long.
FIXED_SEEDS = {'asan': 300, 'tsan': 300, 'coverage': 300}


def simulation(env, chosen, seeds, *more):
    reports = REPORTS % (env['variant'], 'simulation')
    argv = [path(chosen['simulator']), '--seeds', str(seeds), *more]
    return steps.Step('simulation', chosen['simulator'], lambda: steps.program(argv, None, sanitizers(reports), reports))


def simulate(env, chosen):
    if not env['seed']:
        return simulation(env, chosen, env['seeds'])
    argv = [path(chosen['simulator']), '--seed', env['seed'], '--trace']
    return steps.Step('simulation of seed ' + env['seed'], chosen['simulator'], lambda: steps.program(argv))


def found(env, mutant, program):
    """The fault shows in one of the seeds."""
    argv = [path(program), '--seeds', env['seeds'], '--jobs', '1']
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    seed = re.match(r'seed (\d+): (.*)', done.stdout)
    if done.returncode != 1 or not seed:
        return ['%s: not found in %s seeds: %s' % (mutant.name, env['seeds'], mutant.what)]
    print('%-26s %5s seeds  %s\n%42s%s' % (mutant.name, seed[1], mutant.what, '', seed[2]), flush=True)
    return []


def simulated_mutants(env, release):
    programs = [program for _, program in release['simulator_mutants']]
    tries = [(mutant.name, functools.partial(found, env, mutant, program))
             for mutant, program in release['simulator_mutants']]
    return steps.Step('planted faults', programs, lambda: steps.together(tries))


def modelled(env, troubles=None):
    """`test` checks small worlds: assertions as the models have them, formulas with one trouble."""
    build = os.path.join(tree.TOP, 'build/model')
    return steps.Step('model', [], lambda: model.run(build, troubles or env['troubles'], bool(troubles)))


def model_mutants():
    return steps.Step('planted faults', [], lambda: model.run_faults(os.path.join(tree.TOP, 'build/model')))


# The same for `test`, as far as one run is like another.
FIXED_LIVE_FUZZ = {'seed': 1, 'seconds': 4}

# A short run for `test`. What is fixed are the choices, not who is faster.
FIXED_TORTURE = {'seed': 1, 'seconds': 5}


def torture_argv(chosen, seconds, seed):
    argv = [sys.executable, 'ref/torture/torture.py', '--program', path(chosen['hub']), '--seconds', str(seconds)]
    return argv + (['--seed', str(seed)] if seed else [])


def tortured(env, chosen, seconds, seed):
    reports = REPORTS % (env['variant'], 'torture')
    argv = torture_argv(chosen, seconds, seed)
    limit = float(seconds) + steps.SECONDS_MAX
    return steps.Step('torture', chosen['hub'],
                      lambda: steps.program(argv, None, sanitizers(reports), reports, seconds_max=limit))


def torture_test(env, chosen):
    judge = steps.Step('the judge of torture', [], lambda: steps.program(
        [sys.executable, '-m', 'unittest', 'discover', '--start-directory', 'ref/torture']))
    return [judge, tortured(env, chosen, **FIXED_TORTURE)]


def checked(release):
    objects = [str(node) for node in release['core_objects']]
    found = [
        ('the core is pure', functools.partial(checks.core, objects)),
        ('the library exports its API alone', functools.partial(checks.exports, path(release['shared']))),
        ('so does the add-on\'s', functools.partial(checks.exports, path(release['addon_library']))),
        ('the example of the library is a program', functools.partial(checks.library_example, path(release['shared']))),
        ('licences', checks.licences),
        ('requirement ids', checks.requirement_ids),
    ]
    return [steps.Step('checks', release['core_objects'] + release['shared'] + release['addon_library'], lambda: steps.together(found)),
            steps.Step('schemas', [], lambda: steps.program([sys.executable, 'spec/schema/check.py']))]


def linted(database):
    sources = [name for name in tree.c_files() if name.endswith('.c')]
    # What is for another system needs its headers, and is not among what is compiled here.
    compiled = [name for name in sources if platforms.is_for(name, platforms.native()) and not name.startswith('windows/')]
    tidy = [(name, functools.partial(checks.tidy, name, os.path.dirname(str(database[0])))) for name in compiled]
    # Criterion's macros are no C that cppcheck can read without all of its headers.
    plain = [name for name in sources if '/test_' not in name and not name.startswith('conformance/cases/')]
    return [steps.Step('clang-tidy', database, lambda: steps.together(tidy)),
            steps.Step('cppcheck', [], lambda: steps.complaints('cppcheck', checks.cppcheck(plain)))]


def coverage(env):
    if env['variant'] != 'coverage':
        return [steps.Step('coverage', [], lambda: steps.complaints(
            'coverage', ['only the coverage variant counts what runs: scons test coverage variant=coverage']))]
    page = 'build/coverage/report/index.html'
    os.makedirs(os.path.dirname(page), exist_ok=True)
    return [steps.Step('coverage', [], lambda: steps.program(
        ['gcovr', '--root', '.', '--filter', 'ref/', '--filter', 'ragel/', '--exclude', '.*/test_', '--print-summary',
         '--html-details', page, 'build/coverage']))]


def mutated(env, release):
    """Only the release build has them: what is planted is the same in every variant."""
    planted = release.get('mutants', [])
    return steps.Step('mutants', [release['suite']] + [program for _, program in planted],
                      lambda: killing.run(path(release['suite']), {'hub': HUB, 'client': CLIENT}, [(m, path(p)) for m, p in planted],
                                          whole=not env['mutants']))


def fuzz_replay(env, chosen):
    """Each fuzz target on its corpus: cut at every place, in every variant."""
    def step(target):
        corpus = ['fuzz/corpus/' + target.name] * os.path.isdir(os.path.join(tree.TOP, 'fuzz/corpus', target.name))
        argv = [path(target.program)] + fuzzing.seed_directories(target) + corpus
        reports = REPORTS % (env['variant'], target.name)
        return steps.Step(target.name, target.program + target.seeds,
                          lambda: steps.program(argv, None, sanitizers(reports), reports))
    return [step(target) for name, target in sorted(chosen['fuzz'].items()) if name.startswith('fuzz_')]


def live_fuzzed(env, chosen, release, seconds, seed):
    """As conformance(): the suite is the release's, the hub the variant's."""
    reports = REPORTS % (env['variant'], 'live-fuzz')
    argv = live_fuzz.arguments(path(release['suite']), HUB % path(chosen['hub']), seconds)
    argv += ['--time-scale', '2'] * (env['variant'] in ('asan', 'tsan')) + (['--seed', str(seed)] if seed else [])
    limit = float(seconds) + live_fuzz.SECONDS_MORE
    return steps.Step('live fuzzing', release['suite'] + chosen['hub'],
                      lambda: steps.program(argv, None, sanitizers(reports), reports, (0, INCONCLUSIVE), limit))


def live_fuzz_mutants(release):
    planted = release.get('live_fuzz_mutants', [])
    return steps.Step('planted faults', release['suite'] + [program for _, program in planted],
                      lambda: live_fuzz.mutants_step(path(release['suite']), HUB, [(m, path(p)) for m, p in planted]))


def suite_tests(release):
    """The suite itself, as a CI meets it."""
    environment = {'BH_SUITE': path(release['suite']), 'BH_HUB': path(release['hub'])}
    return [steps.Step('the suite itself', release['suite'] + release['hub'], lambda: steps.program(
        [sys.executable, '-m', 'unittest', 'discover', '--start-directory', 'conformance/tests'],
        environment=environment))]


def traced(release):
    return steps.Step('traceability', [release['suite']], lambda: traceability.run(path(release['suite']), 'build/trace.md'))


def add(env, chosen, release, database):
    suite = conformance(env, chosen, release)
    steps.target(env, 'conformance', [suite])
    steps.target(env, 'example', [example(env, release)])
    steps.target(env, 'mutants', [mutated(env, release)])
    steps.target(env, 'live-fuzz', [live_fuzzed(env, chosen, release, env['seconds'], env['seed'])])
    short = live_fuzzed(env, chosen, release, **FIXED_LIVE_FUZZ)
    steps.target(env, 'live-fuzz-mutants', [live_fuzz_mutants(release)])
    steps.target(env, 'trace', [traced(release)])
    steps.target(env, 'simulate', [simulate(env, chosen)])
    steps.target(env, 'simulate-mutants', [simulated_mutants(env, release)])
    fixed = simulation(env, chosen, FIXED_SEEDS.get(env['variant'], 2000))
    steps.target(env, 'model', [modelled(env)])
    steps.target(env, 'model-mutants', [model_mutants()])
    # The model is the same in every variant.
    small = [modelled(env, '1')] if env['variant'] == 'release' else []
    # So is what OSS-Fuzz builds for itself.
    outside = [steps.Step('build.sh of OSS-Fuzz', [], oss_fuzz.run)] if env['variant'] == 'release' else []
    # And so is the suite, which is always the one of the release.
    itself = suite_tests(release) + [example(env, release)] if env['variant'] == 'release' else []
    imports = addon_importer.test() + addon.test(release) if env['variant'] == 'release' else []
    steps.target(env, 'torture', [tortured(env, chosen, env['seconds'], env['seed'])])
    static = [traced(release)] if env['variant'] == 'release' else []
    steps.target(env, 'test', checked(release) + static + unit_tests(env, chosen) + small + [fixed] + torture_test(env, chosen) +
                 fuzz_replay(env, chosen) + [short] + outside + itself + reports(env, release) + [suite], beside=imports)
    steps.target(env, 'lint', linted(database))
    steps.target(env, 'check-format', [steps.Step('clang-format', [], lambda: steps.complaints(
        'clang-format', checks.formatting()))])
    steps.target(env, 'coverage', coverage(env))
    steps.target(env, 'package', package.steps_of())
    addon.add(env, release)
