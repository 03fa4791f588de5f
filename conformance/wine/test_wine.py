# SPDX-License-Identifier: MIT
"""What Wine does otherwise than Windows, where a case of the suite comes to something else by it: see differences.txt, and
broken_off() in site_scons/wine.py.

WINEPREFIX names the drive that Wine runs on.
"""
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

WINE = '/usr/lib/wine/wine64'


def run(*argv):
    return subprocess.run([WINE, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          errors='replace', timeout=120, check=False).stdout


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
    def test_what_does_not_exit_soon_once_it_is_to_is_ended_by_sigkill(self):
        """Here it cannot, as it is stopped; on a busy machine it does not come to it."""
        shells = glob.glob('/usr/lib/*/wine/x86_64-windows/cmd.exe')
        with tempfile.TemporaryDirectory() as directory:
            slow = shutil.copy(shells[0], directory + '/slow.exe')
            process = subprocess.Popen([WINE, slow], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            with process.stdin, process.stdout:
                process.stdin.write(b'echo it runs\r\n')
                process.stdin.flush()
                while b'it runs' not in process.stdout.readline():
                    pass
                process.send_signal(signal.SIGSTOP)
                run('taskkill', '/f', '/im', 'slow.exe')
                self.assertEqual(-signal.SIGKILL, process.wait(120))


if __name__ == '__main__':
    unittest.main()
