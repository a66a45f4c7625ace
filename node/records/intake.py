"""What an export changes, decided from values: what was observed, which route it goes, what is refused, what waits.

Invariants: an observation is kept only where it differs from the one before; where records or sources disagree, nothing
is taken for granted; a refusal says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from federation.errors import Code, UppropError
from federation.rules.calendar import DAY, SchoolCalendar
from federation.rules.vocabulary import Policy
from node.coverage import counts, is_void
from node.identity import Identity, Route
from node.model import UNMARKED, Observation, Row, Status
from node.records.person import PersonRecord, qualified, row_order
from node.records.resolving import Claim
from privacy.identifiers import Sound

FOREIGN_ROSTER = 20
"""Smallest roster against which an export can be told to be another municipality's."""
FOREIGN_SHARE = 10
"""Fewer than one in so many of either side known to the other: another municipality's export."""

SHRUNK_MINIMUM = 5
"""Fewer missing pupils than this are a few families, however small the roster."""
ROSTER_DAYS = 100
"""A pupil enrolled so many days before the last import belongs to its roster: longer than any summer break."""

BULK_PUPILS = 10
"""More pupils than this …"""
BULK_SHARE = 5
"""… and one in so many of a school unit leaving on one import wait for a second word (design §5, Leaving)."""
BULK_WAIT = 5
BULK_WAIT_IN_SUMMER = 20
"""School days of imports that must still say so; the longer wait for leavings dated in the summer break."""

MASS_START_SHARE = 3
"""More than one in so many of the baseline's roster starting on one day: a school year began, nobody arrived."""


def observation_of(records: Sequence[PersonRecord], as_of: date) -> Observation:
    """What all records of one pupil show together.

    Where they disagree nothing is taken for granted: an end of duty needs all of them, a marking only one.
    """
    if len(records) == 1:
        record = records[0]
        return Observation(as_of, record.rows, record.status, record.marking)
    rows = sorted({row for record in records for row in record.rows}, key=row_order)
    statuses = [record.status for record in records]
    status = Status.ACTIVE.value if len(set(statuses)) > 1 else statuses[0]
    marking = next((record.marking for record in records if record.marking != UNMARKED), UNMARKED)
    return Observation(as_of, tuple(rows), status, marking)


def identity_of(claims: Sequence[tuple[Claim, PersonRecord]], before: Identity | None) -> Identity:
    """The pupil's identity after this import; the last sound number is kept while rows are broken."""
    first = min(claims, key=lambda claim: claim[1].person_id)[1]
    numbers = before.numbers if before is not None else ()
    for claim, _ in claims:
        if claim.number is not None and claim.number not in numbers:
            numbers = (*numbers, claim.number)
    return Identity(
        person_ids=tuple(sorted({qualified(claim.system, record.person_id) for claim, record in claims})),
        numbers=numbers,
        given_name=first.given_name,
        family_name=first.family_name,
        birth_date=first.birth_date,
        sex=first.sex,
        dropped=before.dropped if before is not None else (),
    )


def with_observation(before: Sequence[Observation], seen: Observation) -> tuple[Observation, ...]:
    """The observations after `seen`; a second export of the same day takes the place of the first."""
    kept = tuple(observation for observation in before if observation.as_of < seen.as_of)
    if kept and replace(kept[-1], as_of=seen.as_of) == seen:
        return kept
    return (*kept, seen)


def vanished(before: Sequence[Observation], as_of: date) -> tuple[Observation, ...]:
    """The observations of a pupil who is not in the export of `as_of`."""
    kept = [observation for observation in before if observation.as_of < as_of]
    last = kept[-1] if kept else Observation(as_of, None)
    return with_observation(before, Observation(as_of, None, last.status, last.marking))


def merged_observations(one: Sequence[Observation], other: Sequence[Observation]) -> tuple[Observation, ...]:
    """The histories of two pupils that are one: on each day the rows of both."""
    merged: tuple[Observation, ...] = ()
    for day in sorted({seen.as_of for seen in (*one, *other)}):
        parts = [seen for seen in (_on(one, day), _on(other, day)) if seen is not None]
        shown = [seen for seen in parts if seen.rows is not None]
        newest = (shown or parts)[-1]
        rows = tuple(sorted({row for seen in shown for row in seen.rows or ()}, key=row_order)) if shown else None
        merged = with_observation(merged, replace(newest, as_of=day, rows=rows))
    return merged


def _on(observations: Sequence[Observation], day: date) -> Observation | None:
    return next((seen for seen in reversed(observations) if seen.as_of <= day), None)


def route_of(
    number: Sound | None, marking: str, policy: Policy, before: Route | None, *, replaced: bool
) -> tuple[Route, bool]:
    """(route, for the protected-identity role alone). A marking that is taken away is let go by that role, not here."""
    marked = marking != UNMARKED
    if replaced or before is Route.RENUMBERED:
        return Route.RENUMBERED, True
    if policy.protected == "local" and (marked or before is Route.PROTECTED):
        return Route.PROTECTED, True
    return (Route.UNLINKABLE if number is None else Route.REGISTRY), marked


def enrolled_until(rows: Iterable[Row], policy: Policy) -> date | None:
    """The last day the rows cover; `date.max` without an end, None where they cover none."""
    ends = [
        row.end or date.max
        for row in rows
        if not is_void(row) and counts(row.form, upper_secondary=policy.upper_secondary)
    ]
    return max(ends, default=None)


# -- refusals -------------------------------------------------------------------------------------------------------


def check_days(as_of: date, newest: date | None, today: date) -> None:
    """An export is of today or earlier, and not older than the last one."""
    if as_of > today:
        raise UppropError(
            Code.INPUT_REFUSED,
            f"The export is said to be of {as_of}, which is after today ({today}). Give the day it was made.",
        )
    if newest is not None and as_of < newest:
        raise UppropError(
            Code.EXPORT_OLDER,
            f"An export of {newest} has been imported already; one of {as_of} is older. Nothing was changed. "
            f"Import a newer export.",
        )


def check_begun(*, begun: bool, whole: bool) -> None:
    """A first delivery is the baseline: were it of changes alone, everyone who came after it would pass for new."""
    if not begun and not whole:
        raise UppropError(
            Code.INPUT_REFUSED,
            "This delivery holds changes alone, but the node has no roster of this school system yet. Nothing was "
            "changed. Import everyone first.",
        )


def check_foreign(roster: int, recurring: int, persons: int, known: int) -> None:
    """Another municipality's export shares next to nobody with ours, seen from either side.

    `roster`: pupils of the newest export; `recurring`: those of them in this one; `persons`: persons in this one;
    `known`: those of them ever known here. Both shares are asked for, so that neither a fragment of our own export
    (all known, few recurring) nor the first year of a growing school (all recurring, few known) is taken for foreign.
    Units are not asked: a change of school system renames them all.
    """
    if roster < FOREIGN_ROSTER or persons == 0:
        return
    if recurring * FOREIGN_SHARE < roster and known * FOREIGN_SHARE < persons:
        raise UppropError(
            Code.EXPORT_FOREIGN,
            f"Only {recurring} of the {roster} pupils of the last import are in this file, and {persons - known} of "
            f"its {persons} persons have never been seen here: it looks like another municipality's export. "
            "Nothing was changed. Check which file was given.",
        )


def check_shrunk(roster: int, missing: int, *, accept_shrink: bool) -> None:
    """`missing` of the `roster` pupils enrolled up to the last import have no enrolment in this export."""
    if accept_shrink or missing < SHRUNK_MINIMUM or missing * 2 < roster:
        return
    raise UppropError(
        Code.EXPORT_SHRUNK,
        f"{missing} of the {roster} pupils enrolled at the last import have no enrolment in this file. Nothing was "
        "changed. Export again; if they have really left, import with --accept-shrink.",
    )


# -- what waits -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaving:
    """A leaving first seen on this import: the units whose rows end with it, and its first day."""

    units: frozenset[str]
    since: date


@dataclass(frozen=True, slots=True)
class Bulk:
    """The leavings of one unit that wait."""

    unit: str
    pupils: int
    wait_school_days: int


def bulk_leavings(leavings: Iterable[Leaving], sizes: Mapping[str, int], calendar: SchoolCalendar) -> tuple[Bulk, ...]:
    """The units that too many leave at once. `sizes`: pupils of each unit at the import before."""
    by_unit: dict[str, list[date]] = {}
    for leaving in leavings:
        for unit in leaving.units:
            by_unit.setdefault(unit, []).append(leaving.since)
    return tuple(
        Bulk(unit, len(since), BULK_WAIT_IN_SUMMER if _mostly_in_summer(since, calendar) else BULK_WAIT)
        for unit, since in sorted(by_unit.items())
        if len(since) > BULK_PUPILS and len(since) * BULK_SHARE >= sizes.get(unit, 0)
    )


def _mostly_in_summer(days: Sequence[date], calendar: SchoolCalendar) -> bool:
    inside = 0
    for day in days:
        summer = calendar.summer_break(day.year)
        inside += summer is not None and summer.start <= day <= summer.end
    return inside * 2 > len(days)


def may_have_left(rows: Sequence[Row], since: date, as_of: date, calendar: SchoolCalendar) -> bool:
    """Whether unchanged rows may show a leaving on `as_of` that they did not show on `since`, the import before."""
    left = False
    for row in rows:
        if row.end is None or row.end >= as_of:
            if not is_void(row) and (row.start is None or row.start <= as_of):
                return False
        elif row.end >= since - timedelta(days=ROSTER_DAYS):
            left = left or since < calendar.first_on_or_after(row.end + DAY) <= as_of
    return left


def mass_start_days(starts: Mapping[date, int], roster: int) -> tuple[date, ...]:
    """Days on which over a third of the `roster` of a baseline starts. `starts`: how many start on each day."""
    return tuple(sorted(day for day, number in starts.items() if number * MASS_START_SHARE > roster))


def covers(row: Row, day: date, policy: Policy) -> bool:
    """Whether the row covers the day, as its own dates say."""
    return (
        not is_void(row)
        and (row.start is None or row.start <= day)
        and (row.end is None or day <= row.end)
        and counts(row.form, upper_secondary=policy.upper_secondary)
    )
