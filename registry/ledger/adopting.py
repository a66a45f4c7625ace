"""What stood in the database before there was a ledger is noted for its first hour, once.

Invariant: the ledger then holds every row that it is compared with; a row without an entry was slipped in.
"""

from __future__ import annotations

from collections.abc import Iterator

from federation.database import Database, Isolation
from registry.ledger import contents
from registry.ledger.entries import Entry
from registry.ledger.leaves import StoredSignal
from registry.store import Transaction, cases, gaps, ledger
from registry.store import ledger_audit as audit


def adopt(database: Database) -> None:
    """Note every row of a database whose ledger has not begun. Of several replicas that start at once, one does."""
    if not database.view("ledger_begun", ledger.begun):
        database.run("ledger_adopt", _adopt, isolation=Isolation.READ_COMMITTED)


def _adopt(tx: Transaction) -> None:
    ledger.lock(tx)
    if not ledger.begun(tx):
        for page in _rows(tx):
            ledger.note(tx, page)


def _rows(tx: Transaction) -> Iterator[list[Entry]]:
    """An entry for every row, a page at a time."""
    after = b""
    while page := audit.signals_after(tx, after):
        yield [contents.of_signal(StoredSignal(row.ref, row.signal.version, row.content_digest)) for row in page]
        after = page[-1].ref
    after = b""
    while names := audit.handles_with_gaps_after(tx, after):
        yield [contents.of_gap(gap) for gap in gaps.load(tx, names).values()]
        after = max(names)
    after = b""
    while ids := audit.case_ids_after(tx, after):
        yield [contents.of_case(case) for case in cases.load(tx, ids).values()]
        after = ids[-1]
    position = 0
    while given := audit.notices_after(tx, position):
        yield [contents.of_notice(draft, closed_on) for _, draft, closed_on in given]
        position = given[-1][0]
