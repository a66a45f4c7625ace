"""What the ledger's entries say of the rows of the store. Pure.

Invariant: an entry is made by the function that writes the row, from the very values it writes, and again from the row
when the ledger is verified: a row that was changed by anyone else fits no entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

import msgspec

from federation.rules.canonical import day, joined, number
from registry.ledger.entries import Entry, EntryKind
from registry.ledger.leaves import StoredSignal
from registry.model import Case, Gap, NoticeDraft, ref_of


def of_signal(row: StoredSignal) -> Entry:
    """A version in place that no batch's leaf holds."""
    return Entry(EntryKind.SIGNAL, number(row.version) + row.content_digest, row.ref)


def of_gap(gap: Gap) -> Entry:
    """A gap as it is written."""
    opening, answer = gap.opening, gap.answer
    fields = [
        opening.kind.value.encode(),
        day(opening.since),
        opening.urgency.value.encode(),
        day(opening.planned_start),
        gap.state.value.encode(),
        day(gap.state_since),
        day(gap.due_on),
        None if answer is None else answer.member.encode(),
        None if answer is None else answer.handle,
        None if answer is None else day(answer.entered_on),
        None if gap.told is None else gap.told.value.encode(),
        gap.case_id,
        number(gap.linked),
        number(gap.leads),
        number(gap.coverage_incomplete),
        day(gap.recheck_on),
    ]
    ref = ref_of(gap.key.member, gap.key.handle)
    return Entry(EntryKind.TRANSITION, number(gap.key.number) + _digest(fields), ref)


def of_case(case: Case) -> Entry:
    """A case as it is written, with the names that its members know it by."""
    fields: list[bytes | None] = [
        case.lead.encode(),
        day(case.opened_on),
        day(case.closed_on),
        number(case.drill),
        case.child_year_id,
    ]
    for member, name in sorted(case.names.items()):
        fields += [member.encode(), name]
    return Entry(EntryKind.CASE, _digest(fields), case.case_id)


def of_notice(notice: NoticeDraft, closed_on: date) -> Entry:
    """A notice as it is given, but for its numbers, which are not known before the end."""
    opening = notice.opening_number
    fields = [
        notice.member.encode(),
        notice.kind.value.encode(),
        day(closed_on),
        notice.handle,
        None if opening is None else number(opening),
        notice.case_name,
        number(notice.coverage_incomplete),
    ]
    ref = None if notice.handle is None else ref_of(notice.member, notice.handle)
    return Entry(EntryKind.NOTICE, _digest(fields), ref)


def of_close(on: date, descriptor_serial: int) -> Entry:
    """A close that ended, and by which descriptor it worked."""
    return Entry(EntryKind.CLOSE, joined([day(on), number(descriptor_serial)]))


def of_descriptor(serial: int) -> Entry:
    """A descriptor that the registry began to work by."""
    return Entry(EntryKind.DESCRIPTOR, number(serial))


class QuotaReport(msgspec.Struct, frozen=True):
    """What an evaluator reported of its quotas: a salted digest, and its signature over it."""

    evaluator: int
    on: date
    digest: bytes
    signature: bytes


def of_quota(report: QuotaReport) -> Entry:
    return Entry(EntryKind.QUOTA, msgspec.json.encode(report))


def quota_of(content: bytes) -> QuotaReport:
    """What a QUOTA entry says. Raises ValueError for one that is not understood."""
    try:
        return msgspec.json.decode(content, type=QuotaReport)
    except msgspec.MsgspecError as error:
        raise ValueError("a quota report that is not understood") from error


class Purged(msgspec.Struct, frozen=True):
    """What one purge deleted: positions by leaf index, the batches whose own content went, and how many entries of the
    running hour went before they had a leaf."""

    signals: dict[int, list[int]] = {}
    entries: dict[int, list[int]] = {}
    batches: list[int] = []
    pending: int = 0

    def __bool__(self) -> bool:
        return bool(self.signals or self.entries or self.batches or self.pending)


def of_purge(purged: Purged) -> Entry:
    return Entry(EntryKind.PURGE, msgspec.json.encode(purged))


def purged_of(content: bytes) -> Purged:
    """What a PURGE entry says. Raises ValueError for one that is not understood."""
    try:
        return msgspec.json.decode(content, type=Purged)
    except msgspec.MsgspecError as error:
        raise ValueError("a purge that is not understood") from error


def _digest(fields: Iterable[bytes | None]) -> bytes:
    return hashlib.sha256(joined(fields)).digest()
