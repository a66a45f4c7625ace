"""Which days a pupil's enrolment rows cover, and since when the member has said so: pure, from observations alone.

A *track* is one row followed through all observations; a *run* is a maximal stretch of covered days in which uncovered
stretches without a school day are bridged. Intervals are [begins, until): `until` is the first day without, and
`date.max` stands for "no end". Design §5, Presence and Leaving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from federation.rules.calendar import DAY, SchoolCalendar
from node.model import Observation, Row

COMPULSORY_FORMS = frozenset({"FKLASS", "GR", "GRS", "GRAN", "TR", "SP", "SAM"})
UPPER_SECONDARY_FORMS = frozenset({"GY", "GYS", "GYAN"})
OTHER_FORMS = frozenset(
    {"FS", "FTH", "OPPFTH", "VUX", "VUXSFI", "VUXGR", "VUXGRU", "VUXGY", "VUXSARGR", "VUXSARTR", "VUXSARGY", "SFI"}
    | {"SARVUX", "SARVUXGR", "SARVUXGY", "SARTR", "KU", "YH", "FHS", "STF", "KKU", "HS", "ABU", "AU"}
)
"""School types of SS 12000 in which nobody attends under the duty of school attendance."""

RETURN_DAYS = 8
"""A row or person back within so many days of vanishing was never gone: exports lose rows now and then."""

STANDING_SCHOOL_DAYS = 20
"""A presence said in force for so long is not taken back by a cancelled row: it ends."""

FOREVER = date.max
LONG_AGO = date.min


@dataclass(frozen=True, slots=True)
class Span:
    """The days one row covers. `vanished`: it ends because the row left the export. `known_form`: a rule knows it."""

    begins: date
    until: date
    unit: str
    form: str
    school_year: int | None
    vanished: bool
    known_form: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A maximal stretch of covered days. `last` are the spans that reach its end."""

    begins: date
    until: date
    last: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days [begins, until) on which the member said that the pupil is in force."""

    begins: date
    until: date


def counts(form: str, *, upper_secondary: bool) -> bool:
    """Whether a row of this school type is a presence. An unknown type is one, but its end opens nothing."""
    if form in COMPULSORY_FORMS:
        return True
    if form in UPPER_SECONDARY_FORMS:
        return upper_secondary
    return form not in OTHER_FORMS


def is_known(form: str) -> bool:
    return form in COMPULSORY_FORMS or form in UPPER_SECONDARY_FORMS or form in OTHER_FORMS


class _Track:
    """One row through all observations so far."""

    __slots__ = ("absences", "first_seen", "row", "vanished_on", "voided_on")

    def __init__(self, row: Row, first_seen: date) -> None:
        self.row = row
        self.first_seen = first_seen
        self.vanished_on: date | None = None
        self.voided_on: date | None = None
        self.absences: list[tuple[date, date]] = []

    def begins(self, baseline: date) -> date:
        if self.row.start is not None:
            return self.row.start
        return LONG_AGO if self.first_seen <= baseline else self.first_seen

    def until(self) -> date:
        return FOREVER if self.row.end is None or self.row.end >= FOREVER - DAY else self.row.end + DAY

    def show(self, row: Row, as_of: date) -> None:
        if is_void(row):
            if self.voided_on is None:
                self.voided_on = as_of
            return
        if is_void(self.row):
            self.first_seen = as_of
        if self.vanished_on is not None:
            self.absences.append((self.vanished_on, as_of))
        self.row, self.vanished_on, self.voided_on = row, None, None

    def span(self, baseline: date, calendar: SchoolCalendar, *, upper_secondary: bool) -> Span | None:
        """The days it covers; None where the presence is taken back or never was."""
        row, begins, until = self.row, self.begins(baseline), self.until()
        if is_void(row) or not counts(row.form, upper_secondary=upper_secondary):
            return None
        vanished = False
        if self.voided_on is not None:
            in_force_at_baseline = self.first_seen <= baseline and begins <= baseline < until
            said = calendar.count(max(begins, self.first_seen), min(until, self.voided_on))
            if not in_force_at_baseline and said < STANDING_SCHOOL_DAYS:
                return None
            until = min(until, self.voided_on)
        if self.vanished_on is not None and self.vanished_on < until:
            until, vanished = self.vanished_on, True
        if begins >= until:
            return None
        return Span(begins, until, row.unit, row.form, row.school_year, vanished, is_known(row.form))


def is_void(row: Row) -> bool:
    """Cancelled, or with an end before its start, which means the same."""
    return row.cancelled or (row.start is not None and row.end is not None and row.end < row.start)


class Coverage:
    """Follows one pupil's rows through observations; `runs()` after each is what the member knew then."""

    def __init__(self, baseline: date, calendar: SchoolCalendar, *, upper_secondary: bool) -> None:
        self._baseline = baseline
        self._calendar = calendar
        self._upper_secondary = upper_secondary
        self._tracks: dict[tuple[str, str, date | None], _Track] = {}

    def observe(self, observation: Observation) -> None:
        seen: dict[tuple[str, str, date | None], Row] = {}
        for row in observation.rows or ():
            key = (row.unit, row.form, row.start)
            # One enrolment may stand twice in an export; what keeps the pupil enrolled longest counts.
            if key not in seen or _longer(row, seen[key]):
                seen[key] = row
        for key, row in seen.items():
            track = self._tracks.get(key)
            if track is None:
                track = self._tracks[key] = _Track(row, observation.as_of)
            track.show(row, observation.as_of)
        for key, track in self._tracks.items():
            if key not in seen and track.vanished_on is None and track.voided_on is None:
                track.vanished_on = observation.as_of

    def spans(self) -> tuple[Span, ...]:
        """What each row that counts covers, as known now."""
        return tuple(
            span
            for track in self._tracks.values()
            if (span := track.span(self._baseline, self._calendar, upper_secondary=self._upper_secondary)) is not None
        )

    def runs(self) -> tuple[Run, ...]:
        """The covered stretches as known now, oldest first, later-starting ones included."""
        return merge(self.spans(), self._calendar)

    def absences(self) -> frozenset[tuple[date, date]]:
        """(day vanished, day back) of rows that came back within `RETURN_DAYS`: they were never gone."""
        return frozenset(
            absence
            for track in self._tracks.values()
            for absence in track.absences
            if (absence[1] - absence[0]).days <= RETURN_DAYS
        )


def _longer(row: Row, other: Row) -> bool:
    if is_void(row) != is_void(other):
        return is_void(other)
    return (row.end or FOREVER) > (other.end or FOREVER)


def merge(spans: Sequence[Span], calendar: SchoolCalendar) -> tuple[Run, ...]:
    """Spans to maximal runs, bridging stretches without a school day."""
    runs: list[Run] = []
    for span in sorted(spans, key=lambda span: (span.begins, span.until)):
        if runs and _bridged(runs[-1].until, span.begins, calendar):
            before = runs[-1]
            if span.until > before.until:
                runs[-1] = Run(before.begins, span.until, (span,))
            elif span.until == before.until:
                runs[-1] = Run(before.begins, before.until, (*before.last, span))
        else:
            runs.append(Run(span.begins, span.until, (span,)))
    return tuple(runs)


def _bridged(until: date, begins: date, calendar: SchoolCalendar) -> bool:
    return begins <= until or calendar.count(until, begins) == 0


def join_stretches(stretches: Sequence[Stretch], absences: frozenset[tuple[date, date]]) -> tuple[Stretch, ...]:
    """Stretches to maximal ones, bridging absences that were none."""
    joined: list[Stretch] = []
    for stretch in sorted(stretches, key=lambda stretch: (stretch.begins, stretch.until)):
        if joined:
            before = joined[-1]
            never_gone = any(vanished <= before.until <= back == stretch.begins for vanished, back in absences)
            if stretch.begins <= before.until or never_gone:
                joined[-1] = Stretch(before.begins, max(before.until, stretch.until))
                continue
        joined.append(stretch)
    return tuple(joined)
