# SPDX-License-Identifier: MIT
"""The test of the suite's HTML report in headless Chromium, with what it needs from npm in build/browser."""
import os
import re
import shutil
import subprocess

import steps
import tree

SOURCE = os.path.join(tree.TOP, 'conformance/report')
BUILT = os.path.join(tree.TOP, 'build/browser')
PINS = ('package.json', 'package-lock.json', '.npmrc')
REPORT = 'build/release/results/browser.tap'

# What npm says where no registry answers, or where its certificate is one that this machine does not know.
UNREACHABLE = re.compile(r'\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|'
                         r'SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|UNABLE_TO_VERIFY_LEAF_SIGNATURE)\b')


def is_installed():
    return os.path.isdir(os.path.join(BUILT, 'node_modules')) and all(
        os.path.exists(os.path.join(BUILT, name)) and
        tree.read(os.path.join(SOURCE, name)) == tree.read(os.path.join(BUILT, name)) for name in PINS)


def install():
    """None, or what went wrong."""
    if is_installed():
        return None
    shutil.rmtree(BUILT, ignore_errors=True)
    os.makedirs(BUILT)
    for name in PINS:
        shutil.copy(os.path.join(SOURCE, name), BUILT)
    done = subprocess.run(['npm', 'ci'], cwd=BUILT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode == 0:
        return None
    shutil.rmtree(BUILT)
    return 'npm ci: status %d\n%s' % (done.returncode, done.stdout)


def test(programs):
    """The counts of test_page.mjs."""
    complaint = install()
    if complaint and UNREACHABLE.search(complaint):
        print('SKIPPED: no npm registry can be reached from here\n' + complaint)
        return steps.Counts(0, 0, len(re.findall(r'^ *test\(', tree.read('conformance/report/test_page.mjs'), re.MULTILINE)))
    if complaint:
        return steps.complaints('the page in a browser', [complaint])
    argv = ['node', '--test', '--test-reporter=tap', '--test-reporter-destination=' + REPORT, 'conformance/report/test_page.mjs']
    return steps.program(argv, REPORT, dict(programs, BH_MODULES=BUILT))
