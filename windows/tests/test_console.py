# SPDX-License-Identifier: MIT
"""What a console does to a hub, and a program that has none."""
import os
import subprocess
import unittest

import programs


class Console(programs.Case):
    def ends(self, way):
        """What in_console.exe says of a hub, and whether that has removed its state file, as it does at a clean end."""
        hub = subprocess.list2cmdline([programs.HUB, 'serve', '--endpoint', self.pipe, '--port', self.port, '--state', self.state,
                                       '--spool', self.spool])
        user = self.start(programs.CONSOLE_USER, way, self.state, hub)
        user.end()
        said = []
        while (line := user.out.get(timeout=programs.SECONDS_MAX)) is not None:
            said.append(line)
        return said, not os.path.exists(self.state[2:])

    def test_control_c_ends_a_hub_cleanly(self):
        self.assertEqual(self.ends('c'), (['ended with 0'], True))

    def test_wine_has_no_control_break(self):
        """Windows has. When Wine learns it, this fails: what it then says belongs to the test above, and no more to docs/windows.md."""
        self.assertEqual(self.ends('break'), (['the system does not tell it', 'ended with 1'], False))

    def test_wine_does_not_tell_that_a_console_is_closed(self):
        """It ends the program at once, which Windows does after some seconds. As above."""
        self.assertEqual(self.ends('close'), (['ended with 0'], False))


class NoConsole(programs.Case):
    def test_the_library_opens_no_window(self):
        user = subprocess.list2cmdline([programs.LIBRARY_USER, 'Z:' + programs.LIBRARY, self.pipe, self.port, self.state, self.spool])
        user = self.start(programs.CONSOLE_USER, 'without', '-', user)
        for _ in range(2):
            user.wait_for(user.out, lambda line: line == 'console window: none')
            self.send([{'id': 'x'}])
            user.wait_for(user.out, lambda line: line == 'unloaded')
        user.wait_for(user.out, lambda line: line == 'ended with 0')

    def test_a_client_without_standard_input_stays(self):
        self.hub()
        client = self.start(programs.CONSOLE_USER, 'without', '-', subprocess.list2cmdline(
            [programs.HUB, 'client', '--endpoint', self.pipe, '--port', self.port, '--name', 'x']))
        pid = self.stays(client)
        self.start('taskkill', '/f', '/pid', str(pid)).end()


if __name__ == '__main__':
    unittest.main()
