# SPDX-License-Identifier: MIT
"""The figures, as text."""
from __future__ import annotations

import statistics

from judge import Verdict
from ledger import COMPLETE, Ledger

GOAL_GAP_MS, GOAL_REGISTERED_MS = 500, 300
SHOWN_MAX = 10


def _shown(what: str, entries: list[str]) -> list[str]:
    more = ['  ... and %d more' % (len(entries) - SHOWN_MAX)] if len(entries) > SHOWN_MAX else []
    return ['%s: %s' % (what, entry) for entry in entries[:SHOWN_MAX]] + more


def _ms(seconds: float) -> str:
    return '%.0f ms' % (seconds * 1000)


def _times(values: list[float]) -> str:
    return 'median %s, longest %s (%d times)' % (_ms(statistics.median(values)), _ms(max(values)), len(values))


def lines(ledger: Ledger, verdict: Verdict, held_up: float) -> list[str]:
    hubs, clients = ledger.kills()
    outcomes = ledger.outcomes()
    broken = ', '.join('%d %s' % (count, why) for why, count in outcomes.most_common() if why != COMPLETE)
    gaps = [end - begin for begin, end in ledger.gaps]
    told = [
        'kills       %d: %d of hubs, %d of clients' % (hubs + clients, hubs, clients),
        'exports     %d sent: %d complete; not complete: %s; %d times nobody was there to connect to' % (
            len(ledger.exports), outcomes[COMPLETE], broken or 'none', ledger.refused),
        'complete    %d lost; %d acknowledged, %d parked, %d waiting' % (
            len(verdict.lost), verdict.acknowledged, verdict.complete_parked, verdict.complete_waiting),
        'repeated    %d imports, handed up again after a death; %d handed up twice without' % (
            verdict.repeated, len(verdict.twice)),
        'order       %d violations within what one client was given' % len(verdict.out_of_order),
    ]
    told += ['parked      %s (%s), import %s, deaths: %d' % (
        entry.export, ledger.exports[entry.export].outcome, entry.import_id, entry.deaths)
             for entry in verdict.parked]
    if gaps:
        told.append('no hub      longest %s (goal: under %d ms), median %s (%d times)' % (
            _ms(max(gaps)), GOAL_GAP_MS, _ms(statistics.median(gaps)), len(gaps)))
    if ledger.registered_after:
        told.append('hub killed -> this client registered with the next: %s (goal: median under %d ms)' % (
            _times(ledger.registered_after), GOAL_REGISTERED_MS))
    told.append('this driver was held up by at most %s' % _ms(held_up))
    told += _shown('TWICE', verdict.twice) + _shown('OUT OF ORDER', verdict.out_of_order)
    told += _shown('WRONG', verdict.wrong) + _shown('LOST', verdict.lost)
    return told
