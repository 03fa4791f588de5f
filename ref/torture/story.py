# SPDX-License-Identifier: MIT
"""What the journal and the logs say of an export or of a span of time, line by line, in the order of time."""
from __future__ import annotations

import os
import re

from ledger import Ledger, stamp_of
from place import Place

IMPORT_ID = re.compile(r'\b[0-9a-f]{16}-\d+\b')
LINES_MAX = 60
CANDIDATES_MAX = 5


def _lines(place: Place) -> list[tuple[str, str]]:
    """(file, line) of all logs, by their stamps."""
    found = []
    paths = [os.path.join(place.logs, name) for name in os.listdir(place.logs)]
    for path in [os.path.join(place.directory, 'torture.log'), *paths]:
        with open(path, encoding='utf-8', errors='replace') as file:
            found += [(os.path.basename(path), line.rstrip('\n')) for line in file]
    return sorted(found, key=lambda entry: entry[1][:24])


def _of_nobody(lines: list[tuple[str, str]], ledger: Ledger) -> list[str]:
    """Imports that logs name and no process was given: an export that was never handed up is one of them."""
    handed_up = {handing.import_id for handing in ledger.handings}
    named = {found for _, line in lines for found in IMPORT_ID.findall(line)}
    return sorted(named - handed_up)[:CANDIDATES_MAX]


def tell_gap(place: Place, gap: tuple[float, float]) -> list[str]:
    """What happened while there was no hub."""
    begin, end = map(stamp_of, gap)
    during = [(source, line) for source, line in _lines(place)
              if begin <= line[:len(begin)] <= end and not IMPORT_ID.search(line)]
    return ['no hub from %s to %s:' % (begin, end)] + _shown(during)


def _shown(lines: list[tuple[str, str]]) -> list[str]:
    more = ['  ... and %d more lines' % (len(lines) - LINES_MAX)] if len(lines) > LINES_MAX else []
    return ['  %-12s %s' % entry for entry in lines[:LINES_MAX]] + more


def tell(place: Place, ledger: Ledger, export_id: str) -> list[str]:
    lines = _lines(place)
    export = ledger.exports[export_id]
    imports = sorted({h.import_id for h in ledger.handings if h.export == export_id})
    told = ['%s: %d octets, %s' % (export_id, export.size, export.outcome or 'still being sent')]
    told += ['  %s is %s' % (export_id, import_id) for import_id in imports]
    if not imports:
        imports = _of_nobody(lines, ledger)
        told.append('  nobody was given it; imports that logs name and nobody was given: %s' %
                    (', '.join(imports) or 'none'))
    names = re.compile('|'.join(r'\b%s\b' % re.escape(word) for word in [export_id, *imports]))
    return told + _shown([(source, line) for source, line in lines if names.search(line)])
