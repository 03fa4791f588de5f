# SPDX-License-Identifier: MIT
"""What `scons platform=windows test` and the others run: programs for Windows, under Wine."""
import steps
import wine


def add(env, parts, release):
    suite, program = release['suite'], parts['hub']
    steps.target(env, 'conformance', [wine.conformance(env, 'conformance', suite, program, env['cases'])])
    steps.target(env, 'test', [wine.tests(), wine.conformance(env, 'conformance-subset', suite, program, env['cases'] or wine.SUBSET)])
