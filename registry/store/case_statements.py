"""What members say of their case files: the highest version of each, and the mark that it changed.

Invariant: a member's statement reads and writes rows of that member alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, select

from federation.rules.vocabulary import CaseOutcome, CaseStatus, Handle, MemberId
from registry.model import CaseStated, CaseStatement, GapKey, Ref, ref_of
from registry.store import signals
from registry.store.bulk import among, chunks, upsert
from registry.store.schema import gaps
from registry.store.schema_casework import case_statements


def take(tx: Connection, member: MemberId, said: Sequence[CaseStatement], on: date) -> None:
    """Keep what is newer than what stands, of gaps that there are; the rest is passed over."""
    newest: dict[tuple[Ref, int], CaseStatement] = {}
    for each in said:
        name = (ref_of(member, each.handle), each.number)
        if name not in newest or newest[name].version < each.version:
            newest[name] = each
    refs = sorted({ref for ref, _ in newest})
    known: set[tuple[bytes, int]] = set()
    stands: dict[tuple[bytes, int], int] = {}
    for chunk in chunks(refs):
        rows = tx.execute(select(gaps.c.ref, gaps.c.number).where(among(tx, gaps.c.ref, chunk)))
        known.update((row.ref, row.number) for row in rows)
        columns = (case_statements.c.ref, case_statements.c.number, case_statements.c.version)
        for row in tx.execute(select(*columns).where(among(tx, case_statements.c.ref, chunk))):
            stands[row.ref, row.number] = row.version
    fresh = {
        name: each for name, each in sorted(newest.items()) if name in known and stands.get(name, 0) < each.version
    }
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
            for (ref, number), each in fresh.items()
        ],
        update=("version", "status", "until", "outcome", "offers_lead", "takes_lead", "stated_on"),
    )
    signals.mark(tx, {ref for ref, _ in fresh})


def load(tx: Connection, named: Mapping[Ref, tuple[MemberId, Handle]]) -> dict[GapKey, CaseStated]:
    """What is said of the case files of these handles' gaps."""
    found: dict[GapKey, CaseStated] = {}
    for chunk in chunks(sorted(named)):
        for row in tx.execute(select(case_statements).where(among(tx, case_statements.c.ref, chunk))):
            found[GapKey(*named[Ref(row.ref)], row.number)] = CaseStated(
                CaseStatus(row.status),
                row.until,
                None if row.outcome is None else CaseOutcome(row.outcome),
                row.offers_lead,
                row.takes_lead,
            )
    return found
