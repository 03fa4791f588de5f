# SPDX-License-Identifier: MIT
"""What others copy into their CI runs as it stands: its own commands, by the shell that CI has, on the reference."""
import os
import subprocess
import tempfile
import unittest

import yaml

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
PROGRAM = os.path.abspath(os.environ.get('BH_HUB', TOP + '/build/release/bridgehub'))


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as file:
        return yaml.safe_load(file)


def hub(command):
    """The user's own hub is the reference here; its arguments stay as they are in the example."""
    return command.replace('python3 my_hub.py', "'%s' serve" % PROGRAM).replace(' --need {need}', '')


class CiFiles(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir='/tmp')
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def run_script(self, script, **environment):
        return subprocess.run(['bash', '-eo', 'pipefail', '-c', script], cwd=self.directory, stdin=subprocess.DEVNULL,
                              env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=180, check=False)

    def github(self, command, options):
        steps = {step['name']: step for step in read('conformance/action.yml')['runs']['steps']}
        return self.run_script(
            steps['Run it']['run'], GITHUB_ACTION_PATH=TOP + '/conformance', GITHUB_WORKSPACE=self.directory,
            RUNNER_TEMP=self.directory, GITHUB_OUTPUT=self.directory + '/output', HUB=command, CLIENT='',
            GITHUB_STEP_SUMMARY=self.directory + '/summary', OPTIONS=options)

    def written(self, name):
        with open(os.path.join(self.directory, name), encoding='utf-8') as file:
            return file.read()

    def test_github(self):
        with_ = read('conformance/ci/github.yml')['jobs']['hub']['steps'][1]['with']
        done = self.github(hub(with_['hub']), "'registration/*' names/*")
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertRegex(self.written('summary'), r'[1-9][0-9]* passed, 0 failed')
        self.assertIn('<testsuite', self.written('conformance/conformance.xml'))
        self.assertIn(self.directory + '/conformance/conformance.html', self.written('output'))

    def test_github_fails_with_the_suite(self):
        done = self.github('exit 1', 'names/*')
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertIn('CRASH', self.written('summary'))

    def test_gitlab(self):
        job = read('conformance/ci/gitlab.yml')['conformance']
        os.symlink(TOP, self.directory + '/bridge-hub')
        done = self.run_script(job['script'][-1] + " 'names/*'", CI_BUILDS_DIR=self.directory,
                               HUB=hub(job['variables']['HUB']))
        self.assertEqual(0, done.returncode, done.stdout)
        for report in [*job['artifacts']['paths'], job['artifacts']['reports']['junit']]:
            self.assertTrue(self.written(report))


if __name__ == '__main__':
    unittest.main()
