# SPDX-License-Identifier: MIT
"""That the judge finds what is wrong, and nothing else."""
from __future__ import annotations

import unittest

from judge import check_content, judge
from ledger import COMPLETE, ON_PURPOSE, Export, Handing, Ledger, Life
from payload import export_of

MAKER = '0123456789abcdef'
PARKED = '00000000000000000001.%s-%d.3.%d._.json'


def ledger_of(*exports: str, outcome: str = COMPLETE) -> Ledger:
    """Exports sent one after the other, each in one second, and two processes that live."""
    ledger = Ledger()
    for i, name in enumerate(exports):
        export = Export(name, 10, 0, float(i))
        ledger.begin_export(export)
        ledger.end_export(export, outcome, i + 0.5)
    ledger.lives = {number: Life(number, 100 + number, number) for number in (1, 2)}
    return ledger


def hand(ledger: Ledger, export: str, count: int, process: int = 1, attempt: int = 1, at: float = 10.0,
         maker: str = MAKER, acknowledged: bool = True) -> None:
    ledger.handings.append(Handing(export, '%s-%d' % (maker, count), attempt, process, at))
    if acknowledged:
        ledger.acknowledge(ledger.handings[-1])


class Accounting(unittest.TestCase):
    def test_all_acknowledged(self) -> None:
        ledger = ledger_of('a', 'b')
        hand(ledger, 'a', 1)
        hand(ledger, 'b', 2)
        verdict = judge(ledger, {}, {})
        self.assertTrue(verdict.is_good)
        self.assertEqual(verdict.acknowledged, 2)
        self.assertEqual(ledger.under_way(), 0)

    def test_never_handed_up(self) -> None:
        verdict = judge(ledger_of('a'), {}, {})
        self.assertEqual(verdict.lost, ['a'])
        self.assertFalse(verdict.is_good)

    def test_handed_up_and_never_acknowledged(self) -> None:
        ledger = ledger_of('a')
        hand(ledger, 'a', 1, acknowledged=False)
        self.assertEqual(judge(ledger, {}, {}).lost, ['a'])

    def test_parked_after_three_deaths(self) -> None:
        verdict = judge(ledger_of('a'), {}, {PARKED % (MAKER, 1, 3): 'a', (PARKED % (MAKER, 1, 3))[:-4] + 'why': None})
        self.assertTrue(verdict.is_good)
        self.assertEqual([entry.export for entry in verdict.parked], ['a'])

    def test_parked_too_early(self) -> None:
        self.assertTrue(judge(ledger_of('a'), {}, {PARKED % (MAKER, 1, 2): 'a'}).wrong)

    def test_parked_as_refused(self) -> None:
        ledger = ledger_of('a')
        hand(ledger, 'a', 1, acknowledged=False)
        ledger.handings[0].refused = True
        self.assertTrue(judge(ledger, {}, {PARKED % (MAKER, 1, 0): 'a'}).is_good)

    def test_waits_for_ever(self) -> None:
        verdict = judge(ledger_of('a'), {PARKED % (MAKER, 1, 0): 'a'}, {})
        self.assertEqual(verdict.lost, [])
        self.assertTrue(verdict.wrong)

    def test_no_export_in_the_spool(self) -> None:
        self.assertTrue(judge(Ledger(), {'nonsense': None}, {}).wrong)
        self.assertTrue(judge(Ledger(), {PARKED % (MAKER, 1, 0): 'unheard of'}, {}).wrong)

    def test_not_complete(self) -> None:
        self.assertTrue(judge(ledger_of('a', outcome='reset'), {}, {}).is_good)

    def test_still_being_sent(self) -> None:
        self.assertTrue(judge(ledger_of('a', outcome=''), {}, {}).wrong)

    def test_not_answered(self) -> None:
        self.assertTrue(judge(ledger_of('a', outcome='neither ended nor reset'), {}, {}).wrong)

    def test_half_an_export(self) -> None:
        ledger = ledger_of('a', outcome=ON_PURPOSE)
        hand(ledger, 'a', 1)
        self.assertTrue(judge(ledger, {}, {}).wrong)


class Repeats(unittest.TestCase):
    def setUp(self) -> None:
        self.ledger = ledger_of('a')
        hand(self.ledger, 'a', 1, at=10.0, acknowledged=False)

    def test_after_a_death(self) -> None:
        self.ledger.lives[1].died = 11.0
        hand(self.ledger, 'a', 1, process=2, attempt=2, at=12.0)
        verdict = judge(self.ledger, {}, {})
        self.assertTrue(verdict.is_good)
        self.assertEqual(verdict.repeated, 1)

    def test_while_its_holder_lives(self) -> None:
        hand(self.ledger, 'a', 1, process=2, attempt=2, at=12.0)
        self.assertTrue(judge(self.ledger, {}, {}).twice)

    def test_before_its_holder_died(self) -> None:
        self.ledger.lives[1].died = 13.0
        hand(self.ledger, 'a', 1, process=2, attempt=2, at=12.0)
        self.assertTrue(judge(self.ledger, {}, {}).twice)

    def test_to_the_same_process(self) -> None:
        hand(self.ledger, 'a', 1, attempt=2, at=12.0)
        self.assertTrue(judge(self.ledger, {}, {}).twice)

    def test_to_the_same_process_that_refused_it(self) -> None:
        self.ledger.handings[0].refused = True
        hand(self.ledger, 'a', 1, attempt=2, at=12.0)
        self.assertTrue(judge(self.ledger, {}, {}).is_good)

    def test_as_another_import(self) -> None:
        self.ledger.lives[1].died = 11.0
        hand(self.ledger, 'a', 2, process=2, at=12.0)
        self.assertTrue(judge(self.ledger, {}, {}).twice)

    def test_with_the_same_attempt(self) -> None:
        self.ledger.lives[1].died = 11.0
        hand(self.ledger, 'a', 1, process=2, at=12.0)
        self.assertTrue(judge(self.ledger, {}, {}).wrong)


class Order(unittest.TestCase):
    def setUp(self) -> None:
        self.ledger = ledger_of('a', 'b')

    def test_of_one_hub(self) -> None:
        self.ledger.exports['a'].ended = 5.0  # who was first cannot be told by the senders
        hand(self.ledger, 'b', 2)
        hand(self.ledger, 'a', 1)
        self.assertTrue(judge(self.ledger, {}, {}).out_of_order)

    def test_of_two_hubs(self) -> None:
        hand(self.ledger, 'b', 1, maker='fedcba9876543210')
        hand(self.ledger, 'a', 1)
        self.assertTrue(judge(self.ledger, {}, {}).out_of_order)

    def test_of_two_hubs_at_the_same_time(self) -> None:
        self.ledger.exports['a'].ended = 5.0
        hand(self.ledger, 'b', 1, maker='fedcba9876543210')
        hand(self.ledger, 'a', 1)
        self.assertTrue(judge(self.ledger, {}, {}).is_good)

    def test_of_what_was_given_back(self) -> None:
        self.ledger.lives[2].died = 9.0
        hand(self.ledger, 'a', 1, process=2, at=8.0, acknowledged=False)
        hand(self.ledger, 'b', 2)
        hand(self.ledger, 'a', 1, attempt=2)
        self.assertTrue(judge(self.ledger, {}, {}).is_good)

    def test_of_two_processes(self) -> None:
        hand(self.ledger, 'b', 2, process=2)
        hand(self.ledger, 'a', 1)
        self.assertTrue(judge(self.ledger, {}, {}).is_good)


class Content(unittest.TestCase):
    def test_id(self) -> None:
        self.assertEqual(export_of('[{"id":"export-0000001","name":""}]'), 'export-0000001')
        self.assertIsNone(export_of('[{"name":""}]'))

    def test_octets(self) -> None:
        exports = ledger_of('a').exports
        self.assertIsNone(check_content(exports, 'a', 10, 0))
        self.assertIsNotNone(check_content(exports, 'a', 9, 0))
        self.assertIsNotNone(check_content(exports, 'a', 10, 1))
        self.assertIsNotNone(check_content(exports, None, 10, 0))


if __name__ == '__main__':
    unittest.main()
