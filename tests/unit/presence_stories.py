"""Histories of one pupil in a few words, and what a member says of them, for the tests of presence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import OpeningKind, Policy, Urgency
from node.model import (
    HeldLeavings,
    History,
    ImportFacts,
    Observation,
    OpeningStated,
    Row,
    Saying,
    Statement,
    Status,
    What,
)
from node.presence import statement

BASELINE = date(2026, 8, 24)
CALENDAR = SchoolCalendar(
    [
        Break(date(2026, 6, 13), date(2026, 8, 17)),
        Break(date(2026, 10, 26), date(2026, 10, 30)),
        Break(date(2026, 12, 21), date(2027, 1, 8)),
        Break(date(2027, 6, 12), date(2027, 8, 16)),
    ]
)
ROW = Row("unit", "GR", date(2024, 8, 19), school_year=5)
"""There for longer than is told."""
NEW = Row("unit", "GR", date(2026, 9, 4), school_year=5)


def day(month: int, number: int, year: int = 2026) -> date:
    return date(year, month, number)


def seen(as_of: date, *rows: Row, status: str = Status.ACTIVE, marking: str = "Ingen") -> Observation:
    return Observation(as_of, rows, status, marking)


def gone(as_of: date) -> Observation:
    return Observation(as_of, None)


def said(what: What, on: date, said_on: date | None = None, **more: object) -> Saying:
    return replace(Saying(what, on, said_on or on, reviewed=True), **more)  # type: ignore[arg-type]  # test shorthand


def say(
    today: date,
    *observations: Observation,
    sayings: Sequence[Saying] = (),
    imports: Sequence[date] | None = None,
    held: Sequence[HeldLeavings] = (),
    mass_start_days: frozenset[date] = frozenset(),
    policy: Policy = Policy(),  # noqa: B008  # frozen
) -> Statement:
    dates = sorted({BASELINE, *(o.as_of for o in observations), *(imports or ())})
    facts = ImportFacts(BASELINE, tuple(dates), mass_start_days, tuple(held))
    return statement(History(observations, tuple(sayings)), facts, today, policy, CALENDAR)


def left(since: date, urgency: Urgency = Urgency.NORMAL, planned_start: date | None = None) -> OpeningStated:
    return OpeningStated(OpeningKind.LEFT, since, urgency, planned_start)
