"""What retention looks through, row after row in the order of the keys, and what it takes away.

Invariants: a statement looks at no more than `ROWS` rows of the table it goes through; what the ledger holds of a thing
is purged in the transaction that takes the thing away, and what stays in its place is noted anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec
from sqlalchemy import Connection, delete, func, select, text, tuple_, update

from federation.rules.vocabulary import Handle, MemberId
from registry.ledger import contents
from registry.ledger.leaves import StoredSignal
from registry.model import PURGED_DIGEST, Case, Gap, Ref, Statement, ref_of
from registry.store import cases as case_store
from registry.store import gaps as gap_store
from registry.store import ledger
from registry.store.bulk import among, chunks, upsert
from registry.store.schema import (
    batches,
    case_names,
    cases,
    closes,
    confirmations,
    gaps,
    mailboxes,
    notices,
    pseudonyms,
    signals,
)
from registry.store.schema_casework import case_statements
from registry.store.schema_limits import answered_pairs, openings, overlap_days, overlaps_asked
from registry.store.schema_retention import retention_round
from registry.store.signals import decode

ROWS = 500
"""Rows looked at in one transaction."""

_UNANSWERED = {"answered_on": None, "answered_since": None, "answer_member": None, "answer_handle": None}
_SAYS_NOTHING = msgspec.json.encode(Statement()).decode()


# -- how far ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """How far the newest round has come: after which close it was begun, and where it goes on (no step: it ended)."""

    closed_on: date | None = None
    step: str | None = None
    after: bytes | None = None


def keep_off_closes(tx: Connection) -> None:
    """Let no close begin or end until this transaction has. Call it first."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("LOCK TABLE closes IN ROW EXCLUSIVE MODE"))


def take_round(tx: Connection) -> Place | None:
    """The newest round, locked; None while another replica works at it."""
    upsert(tx, retention_round, [{"id": 1}])
    row = tx.execute(select(retention_round).with_for_update(skip_locked=True)).one_or_none()
    return None if row is None else Place(row.closed_on, row.step, row.after)


def write_round(tx: Connection, to: Place) -> None:
    tx.execute(update(retention_round).values(closed_on=to.closed_on, step=to.step, after=to.after))


# -- handles ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HandleRow:
    ref: Ref
    version: int
    said: Statement
    purged_on: date | None


def handles(tx: Connection, after: bytes | None) -> list[HandleRow]:
    """The next handles after one, by name."""
    query = select(signals.c.ref, signals.c.version, signals.c.statement, signals.c.purged_on)
    rows = tx.execute(query.where(signals.c.ref > (after or b"")).order_by(signals.c.ref).limit(ROWS)).all()
    return [HandleRow(Ref(row.ref), row.version, decode(row.statement), row.purged_on) for row in rows]


def lock_handles(tx: Connection, refs: Iterable[Ref]) -> set[Ref]:
    """Those of these handles that nobody else works at, locked in the order in which all writers lock them."""
    free: set[Ref] = set()
    for chunk in chunks(sorted(refs)):
        query = select(signals.c.ref).where(among(tx, signals.c.ref, chunk)).order_by(signals.c.ref)
        free.update(map(Ref, tx.scalars(query.with_for_update(skip_locked=True))))
    return free


def purge_handles(
    tx: Connection, of: Sequence[HandleRow], left: Sequence[Gap], closed: Sequence[Case], on: date
) -> None:
    """Take away what these handles say; `left` are their gaps and `closed` their cases as they stand from now on."""
    refs = sorted(row.ref for row in of)
    ledger.purge(tx, refs)
    for chunk in chunks(refs):
        tx.execute(delete(pseudonyms).where(among(tx, pseudonyms.c.ref, chunk)))
        tx.execute(delete(confirmations).where(among(tx, confirmations.c.ref, chunk)))
        tx.execute(delete(answered_pairs).where(among(tx, answered_pairs.c.ref, chunk)))
        tx.execute(delete(overlap_days).where(among(tx, overlap_days.c.ref, chunk)))
        tx.execute(delete(case_statements).where(among(tx, case_statements.c.ref, chunk)))
        for column in (overlaps_asked.c.ref, overlaps_asked.c.other_ref):
            tx.execute(delete(overlaps_asked).where(among(tx, column, chunk)))
        # When an opening was first stated stays: stated again, it goes back no further than it did.
        tx.execute(update(openings).where(among(tx, openings.c.ref, chunk)).values(_UNANSWERED))
        tx.execute(
            update(signals)
            .where(among(tx, signals.c.ref, chunk))
            .values(statement=_SAYS_NOTHING, content_digest=PURGED_DIGEST, purged_on=on)
        )
    ledger.note(tx, [contents.of_signal(StoredSignal(row.ref, row.version, PURGED_DIGEST)) for row in of])
    gap_store.write(tx, left)
    case_store.write(tx, closed)


def forget_handles(tx: Connection, of: Collection[HandleRow]) -> None:
    """Take away all that is left of these handles."""
    refs = sorted(row.ref for row in of)
    ledger.purge(tx, refs)
    for chunk in chunks(refs):
        tx.execute(delete(confirmations).where(among(tx, confirmations.c.asked_ref, chunk)))
        tx.execute(delete(gaps).where(among(tx, gaps.c.ref, chunk)))
        tx.execute(delete(signals).where(among(tx, signals.c.ref, chunk)))


# -- cases ------------------------------------------------------------------------------------------------------------


def cases_after(tx: Connection, after: bytes | None) -> list[Case]:
    """The next cases after one, by id."""
    query = select(cases.c.case_id).where(cases.c.case_id > (after or b"")).order_by(cases.c.case_id).limit(ROWS)
    found = case_store.load(tx, tx.scalars(query).all())
    return [found[case_id] for case_id in sorted(found)]


def lock_cases(tx: Connection, found: Iterable[Case]) -> list[Case]:
    """Those of these cases that nobody else works at, locked."""
    by_id = {case.case_id: case for case in found}
    query = select(cases.c.case_id).where(among(tx, cases.c.case_id, sorted(by_id))).order_by(cases.c.case_id)
    return [by_id[case_id] for case_id in tx.scalars(query.with_for_update(skip_locked=True))]


def drop_names(tx: Connection, of: Sequence[Case]) -> None:
    """Take away what members know these cases by."""
    ids = [case.case_id for case in of]
    ledger.purge(tx, ids)
    tx.execute(delete(case_names).where(among(tx, case_names.c.case_id, ids)))
    case_store.write(tx, [replace(case, names={}) for case in of])


def in_gaps(tx: Connection, case_ids: Sequence[bytes]) -> set[bytes]:
    """Those of these cases that a gap still names."""
    query = select(gaps.c.case_id).where(among(tx, gaps.c.case_id, case_ids)).distinct()
    return set(tx.scalars(query))


def forget_cases(tx: Connection, of: Sequence[Case]) -> None:
    ids = [case.case_id for case in of]
    ledger.purge(tx, ids)
    tx.execute(delete(case_names).where(among(tx, case_names.c.case_id, ids)))
    tx.execute(delete(cases).where(among(tx, cases.c.case_id, ids)))


# -- notices, answers to batches, closes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """`acknowledged` by its member; `ref` names the handle it is about, if any."""

    position: int
    closed_on: date
    acknowledged: bool
    ref: Ref | None


def notices_after(tx: Connection, position: int) -> list[NoticeRow]:
    query = (
        select(notices.c.position, notices.c.member, notices.c.number, notices.c.closed_on, notices.c.handle)
        .add_columns(mailboxes.c.acked_number)
        .join(mailboxes, mailboxes.c.member == notices.c.member)
        .where(notices.c.position > position)
        .order_by(notices.c.position)
        .limit(ROWS)
    )
    return [
        NoticeRow(
            row.position,
            row.closed_on,
            row.number <= row.acked_number,
            None if row.handle is None else ref_of(MemberId(row.member), Handle(row.handle)),
        )
        for row in tx.execute(query)
    ]


def that_speak(tx: Connection, refs: Collection[Ref]) -> set[Ref]:
    """Those of these handles of which something stands."""
    query = select(signals.c.ref).where(among(tx, signals.c.ref, sorted(refs)), signals.c.purged_on.is_(None))
    return set(map(Ref, tx.scalars(query)))


def forget_notices(tx: Connection, positions: Sequence[int]) -> None:
    for chunk in chunks(positions):
        tx.execute(delete(notices).where(notices.c.position.in_(chunk)))


@dataclass(frozen=True, slots=True)
class BatchRow:
    member: str
    batch_id: bytes
    received_on: date
    leaf_index: int | None


def batches_after(tx: Connection, after: tuple[str, bytes] | None) -> list[BatchRow]:
    query = select(batches.c.member, batches.c.batch_id, batches.c.received_on, batches.c.leaf_index)
    if after is not None:
        query = query.where(tuple_(batches.c.member, batches.c.batch_id) > tuple_(*after))
    rows = tx.execute(query.order_by(batches.c.member, batches.c.batch_id).limit(ROWS))
    return [BatchRow(row.member, row.batch_id, row.received_on, row.leaf_index) for row in rows]


def forget_batches(tx: Connection, of: Sequence[BatchRow]) -> None:
    ledger.purge_batches(tx, [row.leaf_index for row in of if row.leaf_index is not None])
    for chunk in chunks((row.member, row.batch_id) for row in of):
        tx.execute(delete(batches).where(tuple_(batches.c.member, batches.c.batch_id).in_(chunk)))


def closes_after(tx: Connection, after: date | None) -> list[date]:
    """The next days that were closed, but for the newest."""
    newest = select(func.max(closes.c.closed_on)).where(closes.c.finished_at.is_not(None)).scalar_subquery()
    query = select(closes.c.closed_on).where(closes.c.closed_on < newest, closes.c.closed_on > (after or date.min))
    return list(tx.scalars(query.order_by(closes.c.closed_on).limit(ROWS)))


def forget_closes(tx: Connection, days: Sequence[date]) -> None:
    tx.execute(delete(closes).where(closes.c.closed_on.in_(days)))
