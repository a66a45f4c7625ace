"""What an export changes, decided from values: who is who, what was observed, what is refused, what waits.

Invariants
    - A pupil is known by canonical number, not by the school system's id: a new id with a known number is the same
      pupil. The id decides only where there is no sound number, and where a number is new.
    - A sound number is never lost to a broken row.
    - A number that is replaced by another makes the pupil `renumbered`, save samordningsnummer → personnummer.
    - An observation is kept only where it differs from the one before.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from federation.errors import Code, UppropError
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from node.coverage import counts, is_void
from node.identity import Identity, Route
from node.model import UNMARKED, Observation, Row, Status
from node.records.person import PersonRecord
from privacy.identifiers import NumberKind, Sound

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


@dataclass(frozen=True, slots=True)
class Claim:
    """A record with its keyed indexes: `person` of the school system's id, `number_index` of a sound number.

    `digest` is the keyed digest of all the record says.
    """

    record: PersonRecord
    person: bytes
    number: Sound | None
    number_index: bytes | None
    digest: bytes

    def __repr__(self) -> str:
        return f"Claim(position={self.record.position})"


@dataclass(frozen=True, slots=True)
class Known:
    """A pupil known before, as far as the question who is who needs it."""

    pupil_id: bytes
    number: Sound | None
    persons: frozenset[bytes]
    """Indexes of the ids it had in the newest export that showed it."""


class NumberChange(enum.Enum):
    NONE = enum.auto()
    GAINED = enum.auto()
    """A first sound number, or the personnummer after a samordningsnummer."""
    REPLACED = enum.auto()


@dataclass(slots=True)
class Assignment:
    """The records of one pupil in one export."""

    pupil_id: bytes
    new: bool
    claims: list[Claim] = field(default_factory=list)
    change: NumberChange = NumberChange.NONE

    @property
    def number(self) -> Sound | None:
        return next((claim.number for claim in self.claims if claim.number is not None), None)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whose the records are. `merged`: a known pupil → the known pupil that it turned out to be."""

    assignments: tuple[Assignment, ...]
    merged: Mapping[bytes, bytes]


class Resolver:
    """Decides whose each record is, numbers first, then ids. One use per export."""

    def __init__(
        self,
        by_number: Mapping[bytes, bytes],
        by_person: Mapping[bytes, bytes],
        known: Mapping[bytes, Known],
        new_pupil_id: Callable[[], bytes],
    ) -> None:
        self._by_number = dict(by_number)
        self._by_person = dict(by_person)
        self._former = {person: pupil_id for person, pupil_id in by_person.items() if pupil_id in known}
        self._known = known
        self._new_pupil_id = new_pupil_id
        self._assignments: dict[bytes, Assignment] = {}
        self._merged: dict[bytes, bytes] = {}

    def resolve(self, claims: Sequence[Claim]) -> Resolution:
        # Known numbers claim their pupils first: only then can it be told whether an id went to somebody else.
        # By number, because the order of an export's records means nothing.
        of_known: list[Claim] = []
        of_new: dict[bytes, list[Claim]] = {}
        for claim in sorted(claims, key=lambda claim: claim.number_index or b""):
            if claim.number_index in self._by_number:
                of_known.append(claim)
            elif claim.number_index is not None:
                of_new.setdefault(claim.number_index, []).append(claim)
        for claim in of_known:
            assert claim.number_index is not None
            self._assign(self._by_number[claim.number_index], claim)
        for number_index, group in of_new.items():
            self._new_number(number_index, group)
        for claim in claims:
            if claim.number_index is None:
                self._without_number(claim)
        for claim in of_known:
            self._merge_former(claim)
        return Resolution(tuple(self._assignments.values()), self._merged)

    def _assign(self, pupil_id: bytes, claim: Claim) -> Assignment:
        assignment = self._assignments.get(pupil_id)
        if assignment is None:
            assignment = self._assignments[pupil_id] = Assignment(pupil_id, pupil_id not in self._known)
        assignment.claims.append(claim)
        # A record without a number that bears the same id is the same person's.
        self._by_person.setdefault(claim.person, pupil_id)
        return assignment

    def _new_number(self, number_index: bytes, group: Sequence[Claim]) -> None:
        """A sound number nobody had: a new pupil, a first number, an added one, or a replaced one."""
        number = group[0].number
        assert number is not None
        formers = {self._former[claim.person] for claim in group if claim.person in self._former}
        pupil_id, change = self._place(number, [self._known[former] for former in sorted(formers)])
        self._by_number[number_index] = pupil_id
        for claim in group:
            assignment = self._assign(pupil_id, claim)
            if change is not NumberChange.NONE:
                assignment.change = change

    def _place(self, number: Sound, formers: Sequence[Known]) -> tuple[bytes, NumberChange]:
        """Whose a new number is, given the known pupils whose ids its records bear; a replacement goes first."""
        replaced = False
        for former in formers:
            if former.number is None or _adds(former.number, number):
                continue
            claimed = self._assignments.get(former.pupil_id)
            if claimed is None:
                return former.pupil_id, NumberChange.REPLACED
            # Another record still shows the former number. If that record had the pupil before too, this is a
            # renumbering that reached one of two duplicates; else the school system gave the id to another person.
            replaced = replaced or any(other.person in former.persons for other in claimed.claims)
        if replaced:
            return self._new_pupil_id(), NumberChange.REPLACED
        for former in formers:
            claimed = self._assignments.get(former.pupil_id)
            shown = {claim.number for claim in claimed.claims if claim.number} if claimed else set()
            if (former.number is None or _adds(former.number, number)) and shown <= {former.number}:
                return former.pupil_id, NumberChange.GAINED
        return self._new_pupil_id(), NumberChange.NONE

    def _without_number(self, claim: Claim) -> None:
        pupil_id = self._by_person.get(claim.person)
        if pupil_id is None:
            pupil_id = self._by_person[claim.person] = self._new_pupil_id()
        self._assign(pupil_id, claim)

    def _merge_former(self, claim: Claim) -> None:
        """The record's number is one pupil's and its id was another's: are they one?

        They are if the other had no number, or a samordningsnummer that this personnummer follows, and no other
        record of this export claims the other.
        """
        former_id = self._former.get(claim.person)
        if former_id is None or claim.number is None or claim.number_index is None:
            return
        former, into = self._known[former_id], self._by_number[claim.number_index]
        if former_id in (into, *self._assignments, *self._merged) or into not in self._known:
            return
        if former.number is None or _adds(former.number, claim.number):
            self._merged[former.pupil_id] = into


def _adds(before: Sound, number: Sound) -> bool:
    return before.kind is NumberKind.SAMORDNINGSNUMMER and number.kind is NumberKind.PERSONNUMMER


def identity_of(assignment: Assignment, before: Identity | None) -> Identity:
    """The pupil's identity after this export; the last sound number is kept while rows are broken."""
    first = min(assignment.claims, key=lambda claim: claim.record.person_id).record
    numbers = before.numbers if before is not None else ()
    for claim in assignment.claims:
        if claim.number is not None and claim.number not in numbers:
            numbers = (*numbers, claim.number)
    return Identity(
        person_ids=tuple(sorted({claim.record.person_id for claim in assignment.claims})),
        numbers=numbers,
        given_name=first.given_name,
        family_name=first.family_name,
        birth_date=first.birth_date,
        sex=first.sex,
        dropped=before.dropped if before is not None else (),
    )


def observation_of(claims: Sequence[Claim], as_of: date) -> Observation:
    """What all records of one pupil show together.

    Where they disagree nothing is taken for granted: an end of duty needs all of them, a marking only one.
    """
    records = [claim.record for claim in claims]
    if len(records) == 1:
        record = records[0]
        return Observation(as_of, record.rows, record.status, record.marking)
    rows = sorted({row for record in records for row in record.rows}, key=_row_order)
    statuses = [record.status for record in records]
    status = Status.ACTIVE.value if len(set(statuses)) > 1 else statuses[0]
    marking = next((record.marking for record in records if record.marking != UNMARKED), UNMARKED)
    return Observation(as_of, tuple(rows), status, marking)


def _row_order(row: Row) -> tuple[str, str, date, date, bool, int]:
    return (row.unit, row.form, row.start or date.min, row.end or date.max, row.cancelled, row.school_year or 0)


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
        rows = tuple(sorted({row for seen in shown for row in seen.rows or ()}, key=_row_order)) if shown else None
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
            left = left or since < calendar.first_on_or_after(row.end + timedelta(days=1)) <= as_of
    return left


def mass_start_days(rosters: Iterable[Sequence[Row]], as_of: date, policy: Policy) -> tuple[date, ...]:
    """Days on which over a third of the roster of the baseline starts."""
    starts: Counter[date] = Counter()
    roster = 0
    for rows in rosters:
        covering = [row for row in rows if covers(row, as_of, policy)]
        if covering:
            roster += 1
            starts.update({row.start for row in covering if row.start is not None})
    return tuple(sorted(day for day, number in starts.items() if number * MASS_START_SHARE > roster))


def covers(row: Row, day: date, policy: Policy) -> bool:
    """Whether the row covers the day, as its own dates say."""
    return (
        not is_void(row)
        and (row.start is None or row.start <= day)
        and (row.end is None or day <= row.end)
        and counts(row.form, upper_secondary=policy.upper_secondary)
    )
