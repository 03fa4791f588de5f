# SPDX-License-Identifier: MIT
"""What is known of an export that went wrong: the journal's and the logs' lines about it, in the order of time."""
from __future__ import annotations

import os
import re

from ledger import Ledger
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
    about = [(source, line) for source, line in lines if names.search(line)]
    told += ['  %-12s %s' % entry for entry in about[:LINES_MAX]]
    if len(about) > LINES_MAX:
        told.append('  ... and %d more lines' % (len(about) - LINES_MAX))
    return told
