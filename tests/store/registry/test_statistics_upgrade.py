"""A store from before the statistics: the cases it holds are counted as if they had been written down as they opened,
as far as that is known."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import sqlalchemy as sa

from federation.database import Database
from federation.migration import migrate
from federation.rules.vocabulary import Handle, MemberId
from registry.model import ref_of
from registry.store import schema
from registry.store.schema_statistics import statistics_cases
from tests.store.registry.scene import A, B
from tests.store.registry.test_limits_upgrade import at_revision, old, signal

__all__ = ["old"]

_numbers = itertools.count(1)

LAST_YEAR, THIS_YEAR = date(2025, 11, 3), date(2026, 1, 7)


def case(number: int, lead: MemberId, opened_on: date, *, drill: bool = False) -> dict[str, Any]:
    key = number.to_bytes(16, "big")
    return {"case_id": key, "lead": lead, "opened_on": opened_on, "drill": drill, "child_year_id": key}


def gap(case_id: int, member: MemberId, kind: str, since: date) -> tuple[dict[str, Any], dict[str, Any]]:
    """The signal and the gap of a handle that nobody else has."""
    handle = Handle(next(_numbers).to_bytes(16, "big"))
    row = {
        "ref": ref_of(member, handle),
        "number": 1,
        "kind": kind,
        "since": since,
        "urgency": "NORMAL",
        "state": "OPEN",
        "state_since": since,
        "due_on": since,
        "told": "OPEN",
        "case_id": case_id.to_bytes(16, "big"),
        "linked": False,
        "leads": False,
        "coverage_incomplete": False,
    }
    return signal(member, handle, "{}"), row


def test_cases_of_before_are_written_down(old: Database) -> None:
    at_revision(old, "0011")
    rows = [
        # Alone; two members, of which the one that leads said less urgent things; a drill; one of long ago.
        gap(1, A, "LEFT", LAST_YEAR),
        gap(2, A, "LEFT", THIS_YEAR),
        gap(2, B, "NOT_PLACED", LAST_YEAR),
        gap(3, B, "LEFT", THIS_YEAR),
        gap(4, A, "NOT_PLACED", THIS_YEAR),
        gap(6, B, "LEFT", THIS_YEAR),
        gap(6, B, "NOT_PLACED", LAST_YEAR),
    ]
    with old.transaction("test_rows") as tx:
        tx.execute(
            sa.insert(schema.cases),
            [
                case(1, A, LAST_YEAR),
                case(2, B, THIS_YEAR),
                case(3, B, THIS_YEAR),
                case(4, A, THIS_YEAR, drill=True),
                case(5, A, LAST_YEAR),
                case(6, B, THIS_YEAR),
            ],
        )
        for said, row in rows:
            tx.execute(sa.insert(schema.signals).values(said))
            tx.execute(sa.insert(schema.gaps).values(row))
    migrate(old, "registry.store")

    def look(tx: sa.Connection) -> list[tuple[Any, ...]]:
        of = statistics_cases.c
        query = sa.select(of.case_id, of.year, of.lead, of.kind, of.described_on, of.year_release)
        return [(int.from_bytes(row[0], "big"), *row[1:]) for row in tx.execute(query.order_by(of.case_id))]

    assert old.view("test_look", look) == [
        (1, 2025, A, "LEFT", None, None),
        (2, 2026, B, "NOT_PLACED", None, None),
        (3, 2026, B, "LEFT", None, None),
        (6, 2026, B, "NOT_PLACED", None, None),
    ]
