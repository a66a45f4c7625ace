"""What the node's store shows of work that has not come through. The counts are for the municipality's own eyes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from federation.doctor.findings import Finding, Topic, warning, well
from node.doctor.texts import DoctorText
from node.store import Transaction
from node.store.backlog import last_fetch, oldest_waiting
from node.store.imports import Imports
from node.store.outbox import Outbox
from node.store.sealing import Sealer
from node.store.subjects import Subjects

WAITS_LONG = timedelta(days=1)
FETCHED_LONG_AGO = timedelta(days=2)
IMPORTED_LONG_AGO = timedelta(days=4)
"""A weekend and a day: exports come every night that somebody works."""


def backlog(tx: Transaction, sealer: Sealer, today: date) -> Iterator[Finding]:
    counts = Outbox(sealer).counts(tx)
    oldest = oldest_waiting(tx)
    if counts.waiting and oldest is not None and today - oldest > WAITS_LONG:
        yield warning(Topic.BACKLOG, DoctorText.WAITS_LONG, waiting=counts.waiting, oldest=oldest)
    elif counts.waiting:
        yield well(Topic.BACKLOG, DoctorText.WAITS, waiting=counts.waiting)
    else:
        yield well(Topic.BACKLOG, DoctorText.NOTHING_WAITS)
    if counts.parked:
        yield warning(Topic.BACKLOG, DoctorText.PARKED, parked=counts.parked)
    yield from erasures(tx, sealer, today)


def erasures(tx: Transaction, sealer: Sealer, today: date) -> Iterator[Finding]:
    """Those of data subjects that wait for the registry; nothing where none does."""
    found = Subjects(sealer).waiting(tx)
    waiting = [each.asked_on for each in found if each.not_taken is None]
    refused = [each.not_taken for each in found if each.not_taken is not None]
    if waiting and today - min(waiting) > WAITS_LONG:
        yield warning(Topic.BACKLOG, DoctorText.ERASURES_WAIT_LONG, erasures=len(waiting), oldest=min(waiting))
    elif waiting:
        yield well(Topic.BACKLOG, DoctorText.ERASURES_WAIT, erasures=len(waiting))
    if refused:
        codes = ", ".join(sorted(set(refused)))
        yield warning(Topic.BACKLOG, DoctorText.ERASURES_NOT_TAKEN, erasures=len(refused), codes=codes)


def notices(tx: Transaction, today: date) -> Iterator[Finding]:
    fetched = last_fetch(tx)
    if fetched is None:
        yield warning(Topic.FETCHES, DoctorText.NEVER_FETCHED)
    elif today - fetched > FETCHED_LONG_AGO:
        yield warning(Topic.FETCHES, DoctorText.FETCHED_LONG_AGO, day=fetched)
    else:
        yield well(Topic.FETCHES, DoctorText.FETCHED, day=fetched)


def imported(tx: Transaction, sealer: Sealer, today: date) -> Iterator[Finding]:
    newest = {name: record for name, record in Imports(sealer).newest_of_each(tx).items() if not record.retired}
    if not newest:
        yield warning(Topic.IMPORT, DoctorText.NEVER_IMPORTED)
    for name, record in newest.items():
        if today - record.as_of > IMPORTED_LONG_AGO:
            yield warning(Topic.IMPORT, DoctorText.IMPORTED_LONG_AGO, name, day=record.as_of)
        else:
            yield well(Topic.IMPORT, DoctorText.IMPORTED, name, day=record.as_of)
