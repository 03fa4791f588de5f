# SPDX-License-Identifier: MIT
"""Whether all is well, as far as it can be seen from outside: judged by the ledger and the spool, at the end."""
from __future__ import annotations

import collections
import re
from dataclasses import dataclass, field

from ledger import COMPLETE, ON_PURPOSE, RESET, Export, Handing, Ledger

DEATHS_MAX = 3
SPOOL_NAME = re.compile(r'(?P<sequence>\d{20})\.(?P<import_id>[0-9a-f]{16}-\d+)\.(?P<attempt>\d+)\.(?P<deaths>\d+)'
                        r'\.(?P<holder>[A-Za-z0-9-]+|_)\.json')


@dataclass(frozen=True)
class Spooled:
    """An import that is in the spool at the end."""
    name: str
    import_id: str
    export: str
    deaths: int


@dataclass
class Verdict:
    acknowledged: int = 0
    parked: list[Spooled] = field(default_factory=list)
    waiting: list[Spooled] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # exports
    twice: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # anything else
    repeated: int = 0
    complete_parked: int = 0
    complete_waiting: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.twice or self.out_of_order or self.wrong)


def _by(handings: list[Handing], key: str) -> dict[str, list[Handing]]:
    found: dict[str, list[Handing]] = collections.defaultdict(list)
    for handing in handings:
        found[getattr(handing, key)].append(handing)
    return found


def _account(ledger: Ledger, queue: list[Spooled], parked: list[Spooled], verdict: Verdict) -> None:
    """Every complete export was acknowledged, or is in the spool."""
    acknowledged = {handing.export for handing in ledger.handings if handing.acknowledged}
    waiting = {entry.export for entry in queue}
    given_up = {entry.export for entry in parked}
    verdict.waiting, verdict.parked = queue, parked
    for export in ledger.exports.values():
        if export.outcome != COMPLETE:
            continue
        if export.id in waiting:
            verdict.complete_waiting += 1
        elif export.id in given_up:
            verdict.complete_parked += 1
        elif export.id in acknowledged:
            verdict.acknowledged += 1
        else:
            verdict.lost.append(export.id)


def _judge_imports(ledger: Ledger, verdict: Verdict) -> None:
    """One export is one import; each sending has its own number; what a living process has is given to nobody else."""
    for export, handings in _by(ledger.handings, 'export').items():
        imports = sorted({handing.import_id for handing in handings})
        if export in ledger.exports and ledger.exports[export].outcome == ON_PURPOSE:
            verdict.wrong.append('%s is an import, though its sender never sent the whole of it' % export)
        if len(imports) > 1:
            verdict.twice.append('%s came as imports %s' % (export, ', '.join(imports)))
    for import_id, handings in _by(ledger.handings, 'import_id').items():
        verdict.repeated += len(handings) > 1
        handings = sorted(handings, key=lambda handing: handing.attempt)
        for earlier, later in zip(handings, handings[1:]):
            _judge_repeat(ledger, import_id, earlier, later, verdict)


def _judge_repeat(ledger: Ledger, import_id: str, earlier: Handing, later: Handing, verdict: Verdict) -> None:
    died = ledger.lives[earlier.process].died
    what = 'import %s (%s)' % (import_id, earlier.export)
    if earlier.process == later.process and earlier.refused:
        pass  # BH-CLIENT-003: the refusal was lost with the hub
    elif earlier.process == later.process:
        verdict.twice.append('%s was handed up twice by process %d' % (what, later.process))
    elif died is None or died > later.at:
        verdict.twice.append('%s was handed up by process %d while process %d, which had it, lived' %
                             (what, later.process, earlier.process))
    if earlier.attempt == later.attempt:
        verdict.wrong.append('%s: attempt %d was made twice' % (what, later.attempt))


def _judge_order(ledger: Ledger, verdict: Verdict) -> None:
    """
    Of the first sendings to a process, none is of an import that came before that of an earlier one. Later attempts
    can be: what is given back comes when it comes. Of two imports it is known which came first if one hub made both
    (it counts them), or if the one was complete before the other's sender began.
    """
    begun: dict[int, tuple[float, str]] = {}
    counts: dict[tuple[int, str], tuple[int, str]] = {}
    for handing in ledger.handings:
        export = ledger.exports.get(handing.export)
        if export is None:
            continue
        maker, count = handing.import_id.rsplit('-', 1)
        latest_begun, after_begun = begun.get(handing.process, (0.0, ''))
        latest_count, after_count = counts.get((handing.process, maker), (0, ''))
        if handing.attempt == 1 and export.outcome == COMPLETE and export.ended < latest_begun:
            verdict.out_of_order.append('process %d was given %s after %s' % (handing.process, export.id, after_begun))
        elif handing.attempt == 1 and int(count) < latest_count:
            verdict.out_of_order.append('process %d was given %s after %s' % (handing.process, export.id, after_count))
        begun[handing.process] = max((latest_begun, after_begun), (export.begun, export.id))
        counts[handing.process, maker] = max((latest_count, after_count), (int(count), export.id))


def _judge_rest(ledger: Ledger, verdict: Verdict) -> None:
    """What is still in the spool is there for a reason, and each sender was answered as it should be."""
    acknowledged = {handing.import_id for handing in ledger.handings if handing.acknowledged}
    refused = {handing.import_id for handing in ledger.handings if handing.refused}
    for entry in verdict.parked:
        if entry.deaths < DEATHS_MAX and entry.import_id not in refused:
            verdict.wrong.append('%s is parked, and has %d deaths' % (entry.name, entry.deaths))
    for entry in verdict.waiting:
        verdict.wrong.append('%s (%s%s) still waits, though processes live that could have it' % (
            entry.name, entry.export, ', acknowledged' if entry.import_id in acknowledged else ''))
    for export in ledger.exports.values():
        if export.outcome not in (COMPLETE, RESET, ON_PURPOSE):
            verdict.wrong.append('%s: its sender says: %s' % (export.id, export.outcome or 'still under way'))


def _spooled(ledger: Ledger, files: dict[str, str | None], verdict: Verdict) -> list[Spooled]:
    """The imports in a directory of the spool: `files` has the names, and the export that each file holds."""
    found = []
    for name, export in files.items():
        match = SPOOL_NAME.fullmatch(name)
        if match and export in ledger.exports:
            found.append(Spooled(name, match['import_id'], export, int(match['deaths'])))
        elif not name.endswith('.why'):
            verdict.wrong.append('%s is in the spool, and is no export' % name)
    return found


def judge(ledger: Ledger, queue: dict[str, str | None], parked: dict[str, str | None]) -> Verdict:
    verdict = Verdict()
    verdict.wrong += ledger.faults
    _account(ledger, _spooled(ledger, queue, verdict), _spooled(ledger, parked, verdict), verdict)
    _judge_imports(ledger, verdict)
    _judge_order(ledger, verdict)
    _judge_rest(ledger, verdict)
    return verdict


def check_content(exports: dict[str, Export], export_id: str | None, size: int, crc: int) -> str | None:
    """What is wrong with the octets of an import."""
    export = exports.get(export_id or '')
    if export is None:
        return 'an import came that nobody has sent (%s, %d octets)' % (export_id, size)
    if (size, crc) != (export.size, export.crc):
        return '%s came with other octets: %d of %d, checksum %08x for %08x' % (
            export.id, size, export.size, crc, export.crc)
    return None
