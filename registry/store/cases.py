"""Cases and the name each member knows one by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from federation.rules.vocabulary import MemberId
from registry.ledger import contents
from registry.model import Case
from registry.store import ledger
from registry.store.bulk import among, chunks, upsert
from registry.store.schema import case_names, cases


def load(tx: Connection, case_ids: Collection[bytes], *, lock: bool = False) -> dict[bytes, Case]:
    """These cases with all their names; locked, in order, until the transaction ends where asked for."""
    names: dict[bytes, dict[MemberId, bytes]] = {}
    found = {}
    for chunk in chunks(sorted(case_ids)):
        query = select(cases).where(among(tx, cases.c.case_id, chunk)).order_by(cases.c.case_id)
        rows = tx.execute(query.with_for_update() if lock else query).all()
        for row in tx.execute(select(case_names).where(among(tx, case_names.c.case_id, chunk))):
            names.setdefault(row.case_id, {})[MemberId(row.member)] = row.name
        for row in rows:
            found[row.case_id] = Case(
                row.case_id,
                MemberId(row.lead),
                row.opened_on,
                row.closed_on,
                names.get(row.case_id, {}),
                row.drill,
                child_year_id=row.child_year_id,
                handed_to=None if row.handed_to is None else MemberId(row.handed_to),
                lead_since=row.lead_since,
            )
    return found


def write(tx: Connection, changed: Iterable[Case]) -> None:
    """Put these cases in place, and note them for the ledger; a name once given stays."""
    changed = list(changed)
    ledger.note(tx, map(contents.of_case, changed))
    upsert(
        tx,
        cases,
        [
            {
                "case_id": case.case_id,
                "lead": case.lead,
                "opened_on": case.opened_on,
                "closed_on": case.closed_on,
                "drill": case.drill,
                "child_year_id": case.child_year_id,
                "handed_to": case.handed_to,
                "lead_since": case.lead_since,
            }
            for case in changed
        ],
        update=("lead", "closed_on", "child_year_id", "handed_to", "lead_since"),
    )
    upsert(
        tx,
        case_names,
        [
            {"case_id": case.case_id, "member": member, "name": name}
            for case in changed
            for member, name in sorted(case.names.items())
        ],
    )


def follow(tx: Connection, joined: Mapping[bytes, bytes]) -> None:
    """Give the cases that still bear the first of two child-year ids the second: their children turned out to be one.

    A case whose gaps have gone over to another one is in no group any more, and would be counted as a child of its own.
    """
    left: set[bytes] = set()
    for chunk in chunks(sorted(joined)):
        left.update(tx.scalars(select(cases.c.case_id).where(among(tx, cases.c.child_year_id, chunk))))
    found = load(tx, left, lock=True).values()
    # Locked, one of them may be another child-year's by now.
    theirs = [case for case in found if case.child_year_id in joined]
    write(tx, [replace(case, child_year_id=joined[case.child_year_id]) for case in theirs])
