# SPDX-License-Identifier: MIT
"""How a run on the programs for Windows is judged: site_scons/wine.py and conformance/wine/differences.txt."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../../site_scons'))

import tree
import wine


def report(**verdicts):
    return {'cases': [{'slug': slug.replace('_', '/', 1), 'verdict': verdict, 'came': None, 'log': [], 'breaches': []}
                      for slug, verdict in verdicts.items()]}


class Differences(unittest.TestCase):
    LISTED = '# why\n\na/listed UNIMPLEMENTED there is none\n'

    def judged(self, of):
        return list(wine.differences(of, wine.listed(self.LISTED)))

    def test_what_passes_and_what_is_listed_is_well(self):
        self.assertEqual([], self.judged(report(a_listed='UNIMPLEMENTED', a_other='PASS')))

    def test_what_is_not_listed_is_a_difference(self):
        self.assertEqual(['a/other: FAIL, where Linux has PASS'], self.judged(report(a_other='FAIL')))

    def test_a_listed_one_that_passes_is_stale(self):
        found = self.judged(report(a_listed='PASS'))
        self.assertEqual(1, len(found))
        self.assertIn('a/listed: PASS, where', found[0])

    def test_another_verdict_than_the_listed_one_is_a_difference(self):
        self.assertEqual(1, len(self.judged(report(a_listed='FAIL'))))

    def test_a_breach_in_passing_is_a_difference(self):
        of = report(a_other='PASS')
        of['cases'][0]['breaches'] = ['BH-IUT-003']
        self.assertEqual(1, len(self.judged(of)))

    def test_what_could_not_be_told_is_none(self):
        self.assertEqual([], self.judged(report(a_other='INCONCLUSIVE')))

    def test_where_wine_has_not_started_a_program_it_runs_again(self):
        of = report(a_silent='CRASH', a_told='CRASH', a_fault='CRASH', a_other='PASS')
        for case, came, log in zip(of['cases'], ('exit status 1 before', 'exit status 1 before', 'exit status 5'), ([], ['why'], [])):
            case.update(came='the hub ended with ' + came, log=log)
        self.assertEqual(['a/silent'], wine.broken_off(of))
        self.assertEqual(['a/told', 'a/fault'], [line.split(':')[0] for line in self.judged(wine.replaced(of, report(a_silent='PASS')))])

    def test_where_wine_has_killed_what_was_slow_to_exit_it_runs_again(self):
        killed = 'SIGTERM did not end the client cleanly: it was ended by signal 9 (Killed)'
        of = report(a_slow='PASS', a_late='FAIL', a_wrong='PASS', a_other='PASS')
        for case, came, breach in zip(of['cases'], ('', killed, '', ''), (killed, '', 'it ended with exit status 5', '')):
            case.update(came=came or None, log=['INFO: as it should'], breaches=[{'id': 'BH-IUT-003', 'came': breach}] if breach else [])
        self.assertEqual(['a/slow', 'a/late'], wine.broken_off(of))
        after = wine.replaced(of, report(a_slow='PASS', a_late='PASS'))
        self.assertEqual(['a/wrong'], [line.split(':')[0] for line in self.judged(after)])

    def test_after_a_crash_of_wines_server_what_differs_runs_again(self):
        of = report(a_listed='UNIMPLEMENTED', a_lost='FAIL', a_fault='CRASH', a_other='PASS')
        self.assertEqual(['a/lost', 'a/fault'], wine.to_repeat(of, wine.listed(self.LISTED), crashed=True))
        self.assertEqual([], wine.to_repeat(of, wine.listed(self.LISTED), crashed=False))

    def test_every_listed_case_has_a_reason(self):
        for slug, (verdict, reason) in wine.listed(tree.read(wine.DIFFERENCES)).items():
            with self.subTest(slug):
                self.assertIn(verdict, ('UNIMPLEMENTED', 'FAIL', 'SKIP'))
                self.assertGreater(len(reason), 10)


if __name__ == '__main__':
    unittest.main()
