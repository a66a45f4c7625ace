"""What a comparison of ledger and database reads: everything, a portion at a time, in one snapshot.

Invariant: nothing is trusted but what stands in the tables; what a superuser has changed is read as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, Connection, Row, Select, func, select

from federation.rules.vocabulary import Handle, MemberId, NoticeKind, Pseudonym, Signal
from registry.ledger.contents import Purged, QuotaReport, purged_of, quota_of
from registry.ledger.entries import EntryKind
from registry.model import NoticeDraft, Ref, Statement
from registry.store.bulk import among, chunks
from registry.store.schema import batches, cases, gaps, notices, pseudonyms, sequence, signals
from registry.store.schema_ledger import (
    ledger_batches,
    ledger_entries,
    ledger_hours,
    ledger_nodes,
    ledger_pending,
    ledger_signals,
)
from registry.store.signals import decode

LEAVES = 256
"""Leaves looked at together: up to 256 000 signals of batches."""

ROWS = 1_000

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is to look at."""

    leaves: int
    signals: int
    gaps: int
    cases: int
    notices: int

    @property
    def total(self) -> int:
        return self.leaves + self.signals + self.gaps + self.cases + self.notices


def counts(tx: Connection) -> Counts:
    def of(query: Select[Any]) -> int:
        return int(tx.execute(query).scalar_one())

    return Counts(
        of(select(func.count()).select_from(ledger_nodes).where(ledger_nodes.c.level == 0)),
        *(of(select(func.count()).select_from(table)) for table in (signals, gaps, cases, notices)),
    )


def stated_head(tx: Connection) -> tuple[int, bytes]:
    """Size and frontier as the sequence row has them."""
    row = tx.execute(select(sequence.c.tree_size, sequence.c.frontier)).one()
    # The column's default, which SQLite keeps as an empty text.
    return row.tree_size, row.frontier or b""


def leaves_from(tx: Connection, first: int) -> list[tuple[int, bytes]]:
    """The next leaves from an index on: index and hash."""
    query = (
        select(ledger_nodes.c.node_index, ledger_nodes.c.hash)
        .where(ledger_nodes.c.level == 0, ledger_nodes.c.node_index >= first)
        .order_by(ledger_nodes.c.node_index)
        .limit(LEAVES)
    )
    return [(row.node_index, row.hash) for row in tx.execute(query)]


def nodes_between(tx: Connection, level: int, first: int, last: int) -> dict[int, bytes]:
    """The hashes of a level from one index to another, both included."""
    query = select(ledger_nodes.c.node_index, ledger_nodes.c.hash).where(
        ledger_nodes.c.level == level, ledger_nodes.c.node_index.between(first, last)
    )
    return {row.node_index: row.hash for row in tx.execute(query)}


def nodes_above(tx: Connection, size: int) -> list[tuple[int, int]]:
    """Nodes above the leaves, by level and index, that a tree of this size has not completed; at most `ROWS`."""
    found: list[tuple[int, int]] = []
    for level in tx.scalars(select(ledger_nodes.c.level).where(ledger_nodes.c.level > 0).distinct()):
        query = select(ledger_nodes.c.node_index).where(
            ledger_nodes.c.level == level, ledger_nodes.c.node_index >= size >> level
        )
        found += ((level, index) for index in tx.scalars(query.limit(ROWS)))
    return sorted(found)[:ROWS]


# -- what leaves were made of -----------------------------------------------------------------------------------------


def batches_between(tx: Connection, first: int, last: int) -> list[Row[Any]]:
    return list(tx.execute(select(ledger_batches).where(ledger_batches.c.leaf_index.between(first, last))).all())


def hours_between(tx: Connection, first: int, last: int) -> list[Row[Any]]:
    query = select(ledger_hours).where(ledger_hours.c.leaf_index.between(first, last))
    return list(tx.execute(query.order_by(ledger_hours.c.leaf_index)).all())


def answers_between(tx: Connection, first: int, last: int) -> dict[int, list[tuple[bytes, str]]]:
    """The answers that are kept, by the leaf they name: the batch's digest and the answer."""
    query = select(batches.c.leaf_index, batches.c.digest, batches.c.answer)
    found: dict[int, list[tuple[bytes, str]]] = {}
    for leaf_index, digest, answer in tx.execute(query.where(batches.c.leaf_index.between(first, last))):
        found.setdefault(leaf_index, []).append((digest, answer))
    return found


def signals_of(tx: Connection, bundles: Sequence[bytes]) -> dict[bytes, list[Row[Any]]]:
    """The rows of batches, by bundle, in their order."""
    return _by_bundle(tx, select(ledger_signals), ledger_signals.c.bundle, ledger_signals.c.position, bundles)


def entries_of(tx: Connection, bundles: Sequence[bytes]) -> dict[bytes, list[Row[Any]]]:
    """The entries of hours, by bundle, in their order."""
    return _by_bundle(tx, select(ledger_entries), ledger_entries.c.bundle, ledger_entries.c.position, bundles)


def _by_bundle(
    tx: Connection, query: Select[Any], bundle: Column[bytes], position: Column[int], bundles: Sequence[bytes]
) -> dict[bytes, list[Row[Any]]]:
    found: dict[bytes, list[Row[Any]]] = {name: [] for name in bundles}
    for chunk in chunks(bundles):
        for row in tx.execute(query.where(among(tx, bundle, chunk)).order_by(bundle, position)):
            found[row.bundle].append(row)
    return found


def strays(tx: Connection) -> int:
    """Rows and entries that belong to no leaf."""
    of_none = (
        select(func.count())
        .select_from(ledger_signals.outerjoin(ledger_batches, ledger_batches.c.bundle == ledger_signals.c.bundle))
        .where(ledger_batches.c.bundle.is_(None))
    )
    of_no_hour = (
        select(func.count())
        .select_from(ledger_entries.outerjoin(ledger_hours, ledger_hours.c.bundle == ledger_entries.c.bundle))
        .where(ledger_hours.c.bundle.is_(None))
    )
    return int(tx.execute(of_none).scalar_one()) + int(tx.execute(of_no_hour).scalar_one())


def purges(tx: Connection) -> Iterator[Purged]:
    """What every purge lists, those of the running hour too. Raises ValueError for one that is not understood."""
    for table in (ledger_entries, ledger_pending):
        query = select(table.c.content).where(table.c.kind == EntryKind.PURGE.value)
        yield from map(purged_of, tx.scalars(query))


def quota_reports(tx: Connection) -> Iterator[tuple[QuotaReport, int | None]]:
    """What evaluators reported, and the leaf it is in (None: it waits for the hour's), oldest leaf first."""
    sealed = (
        select(ledger_entries.c.content, ledger_hours.c.leaf_index)
        .join(ledger_hours, ledger_hours.c.bundle == ledger_entries.c.bundle)
        .where(ledger_entries.c.kind == EntryKind.QUOTA.value)
        .order_by(ledger_hours.c.leaf_index)
    )
    for content, leaf_index in tx.execute(sealed):
        yield quota_of(content), leaf_index
    waiting = select(ledger_pending.c.content).where(ledger_pending.c.kind == EntryKind.QUOTA.value)
    for content in tx.scalars(waiting):
        yield quota_of(content), None


# -- what stands ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger holds of one subject: content, and the leaf it is in (None: it waits for the hour's)."""

    content: bytes
    leaf_index: int | None


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """A version of a handle that the ledger holds, and its leaf."""

    version: int
    content_digest: bytes
    leaf_index: int | None


@dataclass(frozen=True, slots=True)
class StandingSignal:
    """A row of `signals` with its live pseudonyms."""

    ref: Ref
    member: MemberId
    signal: Signal
    content_digest: bytes
    purged: bool
    readable: bool


def signals_after(tx: Connection, ref: bytes) -> list[StandingSignal]:
    """The next signals after a name. One whose statement cannot be read is given as if it said nothing."""
    rows = tx.execute(select(signals).where(signals.c.ref > ref).order_by(signals.c.ref).limit(ROWS)).all()
    pairs: dict[bytes, list[Pseudonym]] = {row.ref: [] for row in rows}
    for chunk in chunks(pairs):
        live = select(pseudonyms).where(among(tx, pseudonyms.c.ref, chunk), pseudonyms.c.live)
        for row in tx.execute(live):
            pairs[row.ref].append(Pseudonym(row.epoch, row.keyed))
    found = []
    for row in rows:
        try:
            said, readable = decode(row.statement), True
        except msgspec.MsgspecError:
            said, readable = Statement(), False
        signal = Signal(
            Handle(row.handle),
            row.version,
            tuple(pairs[row.ref]),
            said.presences,
            said.opening,
            said.duty_ended,
            retracted=row.retracted,
            drill=row.drill,
        )
        found.append(
            StandingSignal(
                Ref(row.ref), MemberId(row.member), signal, row.content_digest, row.purged_on is not None, readable
            )
        )
    return found


def versions_of(tx: Connection, refs: Sequence[bytes]) -> dict[bytes, list[HeldVersion]]:
    """Every version that the leaves of batches hold of these handles."""
    found: dict[bytes, list[HeldVersion]] = {ref: [] for ref in refs}
    joined = ledger_signals.join(ledger_batches, ledger_batches.c.bundle == ledger_signals.c.bundle)
    query = select(
        ledger_signals.c.ref, ledger_signals.c.version, ledger_signals.c.content_digest, ledger_batches.c.leaf_index
    ).select_from(joined)
    for chunk in chunks(refs):
        for row in tx.execute(query.where(among(tx, ledger_signals.c.ref, chunk))):
            found[row.ref].append(HeldVersion(row.version, row.content_digest, row.leaf_index))
    return found


def held_of(tx: Connection, kind: EntryKind, subjects: Sequence[bytes]) -> dict[bytes, list[Held]]:
    """Every entry of a kind about these subjects, sealed or waiting."""
    found: dict[bytes, list[Held]] = {subject: [] for subject in subjects}
    sealed = select(ledger_entries.c.subject, ledger_entries.c.content, ledger_hours.c.leaf_index).select_from(
        ledger_entries.join(ledger_hours, ledger_hours.c.bundle == ledger_entries.c.bundle)
    )
    waiting = select(ledger_pending.c.subject, ledger_pending.c.content)
    for chunk in chunks(subjects):
        own = among(tx, ledger_entries.c.subject, chunk)
        for subject, content, leaf_index in tx.execute(sealed.where(own, ledger_entries.c.kind == kind.value)):
            found[subject].append(Held(content, leaf_index))
        own = among(tx, ledger_pending.c.subject, chunk)
        for subject, content in tx.execute(waiting.where(own, ledger_pending.c.kind == kind.value)):
            found[subject].append(Held(content, None))
    return found


def signals_gone(tx: Connection) -> Iterator[int]:
    """The leaf of each version whose handle has no signal any more."""
    query = (
        select(ledger_batches.c.leaf_index)
        .select_from(
            ledger_signals.join(ledger_batches, ledger_batches.c.bundle == ledger_signals.c.bundle).outerjoin(
                signals, signals.c.ref == ledger_signals.c.ref
            )
        )
        .where(ledger_signals.c.ref.is_not(None), signals.c.ref.is_(None))
    )
    yield from tx.scalars(query)
    yield from (leaf for leaf in _subjects_gone(tx, EntryKind.SIGNAL, signals.c.ref) if leaf is not None)


def gaps_gone(tx: Connection) -> Iterator[int | None]:
    """The leaf of each transition whose handle has no gap at all any more; None where it waits for the hour's."""
    return _subjects_gone(tx, EntryKind.TRANSITION, gaps.c.ref)


def cases_gone(tx: Connection) -> Iterator[int | None]:
    """The same of cases."""
    return _subjects_gone(tx, EntryKind.CASE, cases.c.case_id)


def _subjects_gone(tx: Connection, kind: EntryKind, key: Column[bytes]) -> Iterator[int | None]:
    stands = select(key)
    sealed = (
        select(ledger_hours.c.leaf_index)
        .join(ledger_entries, ledger_entries.c.bundle == ledger_hours.c.bundle)
        .where(ledger_entries.c.kind == kind.value, ~stands.where(key == ledger_entries.c.subject).exists())
    )
    yield from tx.scalars(sealed)
    waiting = select(ledger_pending.c.kind).where(
        ledger_pending.c.kind == kind.value, ~stands.where(key == ledger_pending.c.subject).exists()
    )
    yield from (None for _ in tx.scalars(waiting))


def handles_with_gaps_after(tx: Connection, ref: bytes) -> dict[Ref, tuple[MemberId, Handle]]:
    """The next handles, by name, that have a gap."""
    query = (
        select(signals.c.ref, signals.c.member, signals.c.handle)
        .where(signals.c.ref > ref, select(gaps.c.ref).where(gaps.c.ref == signals.c.ref).exists())
        .order_by(signals.c.ref)
        .limit(ROWS)
    )
    return {Ref(row.ref): (MemberId(row.member), Handle(row.handle)) for row in tx.execute(query)}


def case_ids_after(tx: Connection, case_id: bytes) -> list[bytes]:
    query = select(cases.c.case_id).where(cases.c.case_id > case_id).order_by(cases.c.case_id)
    return list(tx.scalars(query.limit(ROWS)))


def notices_after(tx: Connection, position: int) -> list[tuple[int, NoticeDraft, Any]]:
    """The next notices: position, what was given, and the day of the close that gave it."""
    query = select(notices).where(notices.c.position > position).order_by(notices.c.position).limit(ROWS)
    return [
        (
            row.position,
            NoticeDraft(
                MemberId(row.member),
                NoticeKind(row.kind),
                row.handle,
                row.opening_number,
                row.case_name,
                row.coverage_incomplete,
            ),
            row.closed_on,
        )
        for row in tx.execute(query)
    ]


def notices_held(tx: Connection) -> Iterator[Held]:
    """Every notice that the ledger holds."""
    sealed = (
        select(ledger_entries.c.content, ledger_hours.c.leaf_index)
        .join(ledger_hours, ledger_hours.c.bundle == ledger_entries.c.bundle)
        .where(ledger_entries.c.kind == EntryKind.NOTICE.value)
    )
    for row in tx.execute(sealed):
        yield Held(row.content, row.leaf_index)
    waiting = select(ledger_pending.c.content).where(ledger_pending.c.kind == EntryKind.NOTICE.value)
    for content in tx.scalars(waiting):
        yield Held(content, None)


def speaking(tx: Connection, refs: Sequence[bytes]) -> set[bytes]:
    """Those of these handles of which something stands that retention has not taken away."""
    found: set[bytes] = set()
    for chunk in chunks(refs):
        query = select(signals.c.ref).where(among(tx, signals.c.ref, chunk), signals.c.purged_on.is_(None))
        found.update(tx.scalars(query))
    return found
