# SPDX-License-Identifier: MIT
"""What Wine does otherwise than Windows, where a case of the suite comes to something else by it: see differences.txt.

WINEPREFIX names the drive that Wine runs on.
"""
import os
import subprocess
import tempfile
import unittest

WINE = '/usr/lib/wine/wine64'


class UnixFiles(unittest.TestCase):
    def command(self, *arguments):
        done = subprocess.run([WINE, 'cmd', '/c', *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, errors='replace', timeout=120, check=False)
        return done.stdout

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


if __name__ == '__main__':
    unittest.main()
