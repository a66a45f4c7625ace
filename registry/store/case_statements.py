"""What members say of their case files: the highest version of each, and the mark that it changed.

Invariant: a member's statement reads and writes rows of that member alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from federation.rules.vocabulary import CaseOutcome, CaseStatus, Handle, MemberId
from registry.model import CaseStated, CaseStatement, GapKey, Ref, ref_of
from registry.store import members, signals
from registry.store.bulk import among, chunks, upsert
from registry.store.schema import gaps
from registry.store.schema import signals as signals_table
from registry.store.schema_casework import case_statements

Name = tuple[Ref, int]
"""Handle and number of one of a member's gaps."""


def take(tx: Connection, member: MemberId, said: Sequence[CaseStatement], on: date) -> list[CaseStatement]:
    """Keep what is newer than what stands, of openings that the member has said; the rest is passed over.

    Returns what was not kept because something else stands under its version or a higher one, with that version.
    """
    members.lock(tx, member)
    newest: dict[Name, CaseStatement] = {}
    for each in said:
        name = (ref_of(member, each.handle), each.number)
        if name not in newest or newest[name].version < each.version:
            newest[name] = each
    refs = sorted({ref for ref, _ in newest})
    known, stands = _openings(tx, refs), _standing(tx, refs)
    fresh: list[tuple[Name, CaseStatement]] = []
    kept: list[CaseStatement] = []
    for name, each in sorted(newest.items(), key=lambda item: item[0]):
        version, stated = stands.get(name, (0, None))
        if name in known and version < each.version:
            fresh.append((name, each))
        elif version > each.version or (version == each.version and stated != each.stated):
            kept.append(CaseStatement(each.handle, each.number, version, each.stated))
    upsert(
        tx,
        case_statements,
        [
            {
                "ref": ref,
                "number": number,
                "version": each.version,
                "status": each.stated.status.value,
                "until": each.stated.until,
                "outcome": None if each.stated.outcome is None else each.stated.outcome.value,
                "offers_lead": each.stated.offers_lead,
                "takes_lead": each.stated.takes_lead,
                "stated_on": on,
            }
            for (ref, number), each in fresh
        ],
        update=("version", "status", "until", "outcome", "offers_lead", "takes_lead", "stated_on"),
    )
    signals.mark(tx, {ref for (ref, _), _ in fresh})
    return kept


def _openings(tx: Connection, refs: Sequence[Ref]) -> set[Name]:
    """What there is to state a case file of: an opening may be said today that no close has seen yet."""
    found: set[Name] = set()
    for chunk in chunks(refs):
        query = select(signals_table.c.ref, signals_table.c.statement).where(among(tx, signals_table.c.ref, chunk))
        # Retention takes none of them away until this transaction ends.
        query = query.order_by(signals_table.c.ref).with_for_update(read=True, key_share=True)
        there = []
        for row in tx.execute(query.where(signals_table.c.purged_on.is_(None))):
            there.append(row.ref)
            opening = signals.decode(row.statement).opening
            if opening is not None:
                found.add((row.ref, opening.number))
        rows = tx.execute(select(gaps.c.ref, gaps.c.number).where(among(tx, gaps.c.ref, there)))
        found.update((row.ref, row.number) for row in rows)
    return found


def _standing(tx: Connection, refs: Sequence[Ref]) -> dict[Name, tuple[int, CaseStated]]:
    found: dict[Name, tuple[int, CaseStated]] = {}
    for chunk in chunks(refs):
        for row in tx.execute(select(case_statements).where(among(tx, case_statements.c.ref, chunk))):
            found[row.ref, row.number] = (row.version, _stated(row))
    return found


def load(tx: Connection, named: Mapping[Ref, tuple[MemberId, Handle]]) -> dict[GapKey, CaseStated]:
    """What is said of the case files of these handles' gaps."""
    return {GapKey(*named[ref], number): stated for (ref, number), (_, stated) in _standing(tx, sorted(named)).items()}


def _stated(row: Any) -> CaseStated:
    outcome = None if row.outcome is None else CaseOutcome(row.outcome)
    return CaseStated(CaseStatus(row.status), row.until, outcome, row.offers_lead, row.takes_lead)
