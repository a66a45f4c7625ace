"""Gaps as they stood at the last close that looked at them, and the confirmations asked for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, select

from federation.rules.matching import Answer
from federation.rules.vocabulary import GapState, Handle, MemberId, Opening, OpeningKind, Urgency
from registry.ledger import contents
from registry.model import Asked, Gap, GapKey, Ref, ref_of
from registry.store import ledger
from registry.store.bulk import among, chunks, upsert
from registry.store.schema import confirmations, gaps

_CHANGING = tuple(column.name for column in gaps.c if not column.primary_key)


def load(tx: Connection, named: Mapping[Ref, tuple[MemberId, Handle]], *, lock: bool = False) -> dict[GapKey, Gap]:
    """Every gap ever known of these handles; locked, in order, until the transaction ends where asked for."""
    found = {}
    for chunk in chunks(sorted(named)):
        query = select(gaps).where(among(tx, gaps.c.ref, chunk)).order_by(gaps.c.ref, gaps.c.number)
        for row in tx.execute(query.with_for_update() if lock else query).all():
            key = GapKey(*named[row.ref], row.number)
            answer = (
                Answer(MemberId(row.answer_member), Handle(row.answer_handle), row.answer_entered_on)
                if row.answer_member is not None
                else None
            )
            found[key] = Gap(
                key=key,
                opening=Opening(row.number, OpeningKind(row.kind), row.since, Urgency(row.urgency), row.planned_start),
                state=GapState(row.state),
                state_since=row.state_since,
                due_on=row.due_on,
                answer=answer,
                told=GapState(row.told) if row.told is not None else None,
                case_id=row.case_id,
                linked=row.linked,
                leads=row.leads,
                coverage_incomplete=row.coverage_incomplete,
                recheck_on=row.recheck_on,
            )
    return found


def write(tx: Connection, changed: Iterable[Gap]) -> None:
    """Put these gaps in place, and note them for the ledger."""
    changed = list(changed)
    ledger.note(tx, map(contents.of_gap, changed))
    upsert(
        tx,
        gaps,
        [
            {
                "ref": ref_of(gap.key.member, gap.key.handle),
                "number": gap.key.number,
                "kind": gap.opening.kind.value,
                "since": gap.opening.since,
                "urgency": gap.opening.urgency.value,
                "planned_start": gap.opening.planned_start,
                "state": gap.state.value,
                "state_since": gap.state_since,
                "due_on": gap.due_on,
                "answer_member": gap.answer.member if gap.answer is not None else None,
                "answer_handle": gap.answer.handle if gap.answer is not None else None,
                "answer_entered_on": gap.answer.entered_on if gap.answer is not None else None,
                "told": gap.told.value if gap.told is not None else None,
                "case_id": gap.case_id,
                "linked": gap.linked,
                "leads": gap.leads,
                "coverage_incomplete": gap.coverage_incomplete,
                "recheck_on": gap.recheck_on,
            }
            for gap in changed
        ],
        update=_CHANGING,
    )


def asked(tx: Connection, named: Mapping[Ref, tuple[MemberId, Handle]]) -> set[Asked]:
    """The confirmations asked for among these handles."""
    found: set[Asked] = set()
    for chunk in chunks(sorted(named)):
        for ref, number, other in tx.execute(select(confirmations).where(among(tx, confirmations.c.ref, chunk))):
            if other in named:
                found.add((GapKey(*named[Ref(ref)], number), *named[Ref(other)]))
    return found


def write_asked(tx: Connection, asked: Collection[Asked]) -> None:
    """Note that these confirmations have been asked for."""
    upsert(
        tx,
        confirmations,
        [
            {
                "ref": ref_of(key.member, key.handle),
                "number": key.number,
                "asked_ref": ref_of(member, handle),
            }
            for key, member, handle in asked
        ],
    )
