"""Cases and the name each member knows one by."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select

from federation.rules.vocabulary import MemberId
from registry.model import Case
from registry.store.bulk import chunks, upsert
from registry.store.schema import case_names, cases


def load(tx: Connection, case_ids: Collection[bytes]) -> dict[bytes, Case]:
    """These cases with all their names."""
    names: dict[bytes, dict[MemberId, bytes]] = {}
    found = {}
    for chunk in chunks(sorted(case_ids)):
        for row in tx.execute(select(case_names).where(case_names.c.case_id.in_(chunk))):
            names.setdefault(row.case_id, {})[MemberId(row.member)] = row.name
        for row in tx.execute(select(cases).where(cases.c.case_id.in_(chunk))):
            found[row.case_id] = Case(
                row.case_id, MemberId(row.lead), row.opened_on, row.closed_on, names.get(row.case_id, {}), row.drill
            )
    return found


def write(tx: Connection, changed: Iterable[Case]) -> None:
    """Put these cases in place; a name once given stays."""
    changed = list(changed)
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
            }
            for case in changed
        ],
        update=("lead", "closed_on"),
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
