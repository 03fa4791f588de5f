# SPDX-License-Identifier: MIT
"""What Wine does otherwise than Windows, where a case of the suite comes to something else by it: see differences.txt, and
broken_off() in site_scons/wine.py.

WINEPREFIX names the drive that Wine runs on.
"""
import contextlib
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

WINE = '/usr/lib/wine/wine64'


# Wine ends a program at once, without a word, once in some thousand times: it is started anew.
STARTS_MAX = 3


def run(*argv):
    for _ in range(STARTS_MAX):
        done = subprocess.run([WINE, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors='replace', timeout=120, check=False)
        if done.returncode == 0 or done.stdout:
            break
    return done.stdout


class UnixFiles(unittest.TestCase):
    def command(self, *arguments):
        return run('cmd', '/c', *arguments)

    def test_a_link_of_unix_is_taken_for_the_file_that_it_names(self):
        with tempfile.TemporaryDirectory() as directory:
            with open(directory + '/victim', 'w', encoding='utf-8') as file:
                file.write('what the link names')
            os.symlink(directory + '/victim', directory + '/link')
            on_drive = 'Z:' + directory.replace('/', '\\') + '\\link'
            self.assertIn('what the link names', self.command('type', on_drive))
            listed = self.command('dir', on_drive)
            self.assertIn('link', listed)
            self.assertNotIn('SYMLINK', listed)

    def test_no_file_takes_the_place_of_a_fifo(self):
        with tempfile.TemporaryDirectory() as directory:
            on_drive = 'Z:' + directory.replace('/', '\\') + '\\'
            for name in ('file', 'other'):
                with open(directory + '/' + name, 'w', encoding='utf-8') as file:
                    file.write(name)
            os.mkfifo(directory + '/fifo')
            self.command('move', '/Y', on_drive + 'other', on_drive + 'file')
            with open(directory + '/file', encoding='utf-8') as file:
                self.assertEqual('other', file.read())
            self.command('move', '/Y', on_drive + 'file', on_drive + 'fifo')
            self.assertEqual(['fifo', 'file'], sorted(os.listdir(directory)))


class Endings(unittest.TestCase):
    def shell(self, program):
        """One that runs, and waits for a line."""
        for _ in range(STARTS_MAX):
            process = subprocess.Popen([WINE, program], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL)
            for clean_up in (process.stdin.close, process.stdout.close, process.wait, process.kill):
                self.addCleanup(clean_up)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(b'echo it runs\r\n')
            if any(b'it runs' in line for line in process.stdout):
                return process
        raise AssertionError('Wine does not start %s' % program)

    def test_what_does_not_exit_soon_once_it_is_to_is_ended_by_sigkill(self):
        """Here it cannot, as it is stopped; on a busy machine it does not come to it."""
        shells = glob.glob('/usr/lib/*/wine/x86_64-windows/cmd.exe')
        with tempfile.TemporaryDirectory() as directory:
            slow = shutil.copy(shells[0], directory + '/slow.exe')
            process = self.shell(slow)
            process.send_signal(signal.SIGSTOP)
            run('taskkill', '/f', '/im', 'slow.exe')
            self.assertEqual(-signal.SIGKILL, process.wait(120))


if __name__ == '__main__':
    unittest.main()
