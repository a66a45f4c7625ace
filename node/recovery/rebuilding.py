"""A pupil's history made anew from what the registry last heard, so that the same rules go on saying the same: pure.

Of a pupil the registry has what the member said: presences, opening, end of duty. What it does not have is why: rows
and people's words. Here they are made up again, dated before the first import of the new store, such that
`node.presence.statement` over them and over that import says what was said. From then on nothing is special about the
pupil: what imports and people say differently becomes the next version.

Why the old presences have to be taken over, and are not just stated anew from the fresh import
    - A fresh import would affirm every presence on its own day. A presence that some school forgot to end would then
      answer gaps that it never answered: a child counted as accounted for by a row in a list.
    - A fresh import shows no presence whose row has gone from the export. Ended presences answer gaps of others: told
      no longer, those gaps would open again.
    - A presence starts when its rows start, and rows of earlier years go from exports. A later start makes the member's
      own next gap harder to answer, and its presence answer more.
    - A gap that a person stated (gone though enrolled, no-show, not placed) is in no row at all.

Where an import can be read in two ways it is read towards an open gap: a row that covers the day since which a gap
stands urgently, or could stand by a person's word, does not take the gap back. Only where no word could have made the
gap is it the row that was corrected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from federation.rules.calendar import DAY, SchoolCalendar
from federation.rules.matching import REMEMBERED_MONTHS, months_before
from federation.rules.vocabulary import Opening, OpeningKind, Policy, Presence, Signal, Urgency
from node.coverage import FOREVER, LONG_AGO, Coverage, Run, counts, is_void
from node.model import (
    UNMARKED,
    History,
    ImportFacts,
    Observation,
    Row,
    Saying,
    Statement,
    Status,
    What,
)
from node.presence import statement
from node.timeline import Timeline

FORGOTTEN_UNIT = "-"
"""Stands for the school unit of rows that no import shows any more."""

FORGOTTEN_FORM = "GR"
"""Their school type: one that counts, since it was said."""


@dataclass(frozen=True, slots=True)
class Window:
    """The days of which the store knows nothing: after `after`, its newest import from before the loss (None: it has
    none), and before `before`, its first import since.

    `reported`: the registry had been told of the import of `before`, so that what was said last rests on it too.
    """

    after: date | None
    before: date
    reported: bool = False

    def holds(self, day: date) -> bool:
        return (self.after is None or self.after < day) and day < self.before


@dataclass(frozen=True, slots=True)
class Rules:
    """What statements rest on beside the pupil's own history."""

    facts: ImportFacts
    policy: Policy
    calendar: SchoolCalendar


def rebuilt(signal: Signal, history: History, window: Window, rules: Rules) -> History:
    """`history` with what lies in the window made up from `signal`, the newest version that the registry has."""
    if signal.retracted:
        return history
    work = _Rebuilding(signal, history, window, rules)
    work.add_observations()
    work.add_words()
    return History(tuple(work.observations), tuple(work.sayings))


def never_said(history: History, window: Window, rules: Rules) -> History:
    """The history of a pupil of whom the registry knows nothing: what the lost baseline import must have shown, and
    that an old leaving was accounted for.
    """
    remembered = _with_baseline(history, window, rules)
    time = Timeline(remembered, rules.facts.of(remembered), window.before, rules.policy, rules.calendar)
    last = time.last_run()
    if last is None or last.until > months_before(window.before, REMEMBERED_MONTHS):
        return remembered
    # The registry forgets what was answered, and no gap that was not: this one would be known to it.
    found = Saying(What.FOUND, last.until, last.until, reviewed=True)
    return replace(remembered, sayings=(*remembered.sayings, found))


def _with_baseline(history: History, window: Window, rules: Rules) -> History:
    """The history with what the lost baseline import must have shown.

    A mover would have been said: so whoever is unknown to the registry, and whose rows reach back to the baseline, was
    there then and is no arrival of today. So would a leaver: whose end of duty the import shows had it shown by then.
    """
    baseline = rules.facts.baseline
    first = history.observations[0] if history.observations else None
    if first is None or first.rows is None or first.as_of != window.before:
        return history
    if window.after is not None or not window.holds(baseline):
        return history
    coverage = Coverage(baseline, rules.calendar, upper_secondary=rules.policy.upper_secondary)
    coverage.observe(replace(first, as_of=baseline))
    runs = [run for run in coverage.runs() if run.begins <= baseline]
    rows = [row for row in first.rows if any(_begins(row) < run.until and run.begins < _until(row) for run in runs)]
    if not rows:
        return history
    standing = tuple(replace(row, end=None) if _until(row) <= window.before else row for row in rows)
    made = [Observation(baseline, standing, Status.ACTIVE, first.marking)]
    if first.status != Status.ACTIVE and baseline < runs[-1].until < window.before:
        made.append(replace(first, as_of=runs[-1].until))
    return History((*made, *history.observations), history.sayings)


class _Rebuilding:
    def __init__(self, signal: Signal, history: History, window: Window, rules: Rules) -> None:
        self.signal, self.window, self.rules = signal, window, rules
        self.remembered = [seen for seen in history.observations if window.after and seen.as_of <= window.after]
        self.since = [seen for seen in history.observations if seen not in self.remembered]
        self.observations = [*self.remembered, *self.since]
        self.shown = self._shown()
        self.rows = self._rows()
        self.sayings = list(history.sayings)

    def _shown(self) -> Observation:
        """What the first import after the window shows."""
        shown = [seen for seen in self.observations if seen.as_of <= self.window.before]
        return shown[-1] if shown else Observation(self.window.before, None)

    def _rows(self) -> tuple[Row, ...]:
        """All rows that are known of the pupil and count, cancelled ones as they stood before."""
        absent = self.shown.rows is None
        later = (
            next((seen.rows for seen in self.since if seen.rows is not None), ()) if absent else self.shown.rows or ()
        )
        known = {_key(row): row for seen in self.remembered[-1:] for row in seen.rows or ()}
        known.update({_key(row): row for row in later})
        upper = self.rules.policy.upper_secondary
        return tuple(
            replace(row, cancelled=False, end=None) if is_void(row) else row
            for row in known.values()
            if counts(row.form, upper_secondary=upper)
        )

    # -- rows -------------------------------------------------------------------------------------------------------

    def add_observations(self) -> None:
        """One observation per day on which a presence was first said, or, where that is remembered, ended."""
        days: dict[date, list[Row]] = {}
        for presence in self.signal.presences:
            day = self._day_of(presence)
            if day is not None:
                days.setdefault(day, []).extend(self._rows_of(presence))
        taken_back = self._taken_back()
        if taken_back and self.window.after is not None and self.window.holds(self.window.after + DAY):
            days.setdefault(self.window.after + DAY, []).extend(taken_back)
        opening = self.signal.opening
        if opening is not None and not days and self.window.holds(self._missing_on(opening)):
            # Never here, and said to be missing: known all the same from that day on.
            days[self._missing_on(opening)] = []
        newest = self.remembered[-1] if self.remembered else None
        rows = {} if newest is None or newest.rows is None else {_key(row): row for row in newest.rows}
        made = []
        for day in sorted({*days, *self._status_days()}):
            rows.update({_key(row): row for row in days.get(day, ())})
            made.append(Observation(day, tuple(rows.values()), self._status_on(day), UNMARKED))
        made += [
            Observation(presence.until, None, self._status_on(presence.until), UNMARKED)
            for presence in self.signal.presences[-1:]
            if presence.until is not None and self._vanished_on(presence) and self.window.holds(presence.until)
        ]
        self.observations = [*self.remembered, *made, *self.since]

    def _taken_back(self) -> list[Row]:
        """Rows that were in force when the store knew of them, and of which nothing is told any more: cancelled since,
        before they had stood for so long that their end would be told."""
        shown = {_key(row): row for row in self.shown.rows or ()}
        return [
            replace(row, cancelled=True)
            for seen in self.remembered[-1:]
            for row in seen.rows or ()
            if not is_void(row) and (_key(row) not in shown or is_void(shown[_key(row)]))
            if _until(row) > seen.as_of
            and not any(
                _begins(row) < (presence.until or FOREVER) and (presence.begins or LONG_AGO) < _until(row)
                for presence in self.signal.presences
            )
        ]

    def _ended_by_word(self, presence: Presence, row: Row) -> bool:
        """Whether a person ended it though its row goes on; else the row had ended, and was corrected since."""
        opening, duty = self.signal.opening, self.signal.duty_ended
        if any(_key(other) == _key(row) and is_void(other) for other in self.shown.rows or ()):
            return False
        if presence is not self.signal.presences[-1] or (duty is not None and duty.begins == presence.until):
            return True
        if opening is None or opening.since != presence.until:
            return False
        return opening.urgency is Urgency.IMMEDIATE or self._may_be_no_show(_begins(row))

    def _may_be_no_show(self, begins: date) -> bool:
        # A no-show takes a presence back as a whole, unless it was there when the member joined. What the import shows
        # was known when the leaving was last said: then it is no correction of it.
        return self.window.reported or begins <= self.rules.facts.baseline

    def _vanished_on(self, presence: Presence) -> bool:
        """Whether the pupil went from the exports when the presence ended: rows that came back go on past its end."""
        if presence.until is None or self.shown.rows is not None or presence is not self.signal.presences[-1]:
            return False
        return any(_begins(row) < presence.until < _until(row) for row in self.rows)

    def _day_of(self, presence: Presence) -> date | None:
        """The day on which to show it for the first time, or with its end; None where the store knows all of it."""
        day = presence.affirmed_on
        if day is not None and self.window.holds(day):
            return day
        if presence.until is None and self.window.after is not None and self._is_gone_from_memory():
            # Back soon after the store last knew of the pupil, or it would have been affirmed anew.
            return self.window.after + DAY if self.window.holds(self.window.after + DAY) else None
        if presence.until is None or (day is not None and day >= self.window.before):
            return None
        # Told when it had ended already, or begun in days that are remembered: what is new is the end.
        shown = self.rules.calendar.first_on_or_after(presence.until)
        day = min(
            max(shown if day is None else presence.until, (self.window.after or LONG_AGO) + DAY),
            self.window.before - DAY,
        )
        return day if self.window.holds(day) else None

    def _is_gone_from_memory(self) -> bool:
        newest = self.remembered[-1] if self.remembered else None
        return newest is not None and newest.rows is None

    def _rows_of(self, presence: Presence) -> list[Row]:
        """The rows of the import that are this presence, as they stood; what they leave out is filled in."""
        begins = presence.begins or months_before(self.window.before, REMEMBERED_MONTHS) - DAY
        last = None if presence.until is None else presence.until - DAY
        rows = []
        covered_from = FOREVER
        for row in self.rows:
            if _begins(row) >= (presence.until or FOREVER) or _until(row) <= (presence.begins or LONG_AGO):
                continue
            end = row.end
            if last is None:
                # In force when it was last said: whatever ends before the import, ended since.
                end = None if end is not None and end < self.window.before else end
            elif (end is None or end > last) and not (
                self._vanished_on(presence) or self._ended_by_word(presence, row)
            ):
                end = last
            if row.start is None or end is None or row.start <= end:
                rows.append(replace(row, end=end))
                covered_from = min(covered_from, begins if row.start is None else row.start)
        if covered_from > begins:
            end = last if covered_from == FOREVER else covered_from - DAY
            like = rows[0] if rows else Row(FORGOTTEN_UNIT, FORGOTTEN_FORM)
            rows.insert(0, Row(FORGOTTEN_UNIT, like.form, begins, end))
        return rows

    def _status_days(self) -> dict[date, str]:
        """The day on which a death or an emigration that the import shows was shown first, if it was."""
        status, duty = self.shown.status, self.signal.duty_ended
        if status not in (Status.DECEASED, Status.EMIGRATED):
            return {}
        last = self.signal.presences[-1] if self.signal.presences else None
        if duty is not None:
            day = duty.begins
            if self.signal.opening is not None:
                # It was said that the pupil is missing before it was shown why.
                day = max(day, self._missing_on(self.signal.opening) + DAY)
        elif last is not None and last.until is not None and self.signal.opening is None:
            day = last.until  # a death without an opening is not said
        else:
            return {}
        return {day: status} if self.window.holds(day) else {}

    def _missing_on(self, opening: Opening) -> date:
        """The first day on which the opening was stated: none is while a presence is in force."""
        ends = [presence.until for presence in self.signal.presences if presence.until is not None]
        return self.rules.calendar.first_on_or_after(max((opening.since, *ends)))

    def _status_on(self, day: date) -> str:
        newest = self.remembered[-1].status if self.remembered else Status.ACTIVE
        return next((status for shown, status in self._status_days().items() if shown <= day), newest)

    # -- words ------------------------------------------------------------------------------------------------------

    def add_words(self) -> None:
        """What people must have said, since rows do not show it."""
        for presence in self.signal.presences:
            if presence.met_on is not None:
                self._say(What.MET, presence.met_on)
        self._add_returns()
        opening = self.signal.opening
        if opening is None:
            self._add_found()
        elif opening.kind is OpeningKind.NOT_PLACED:
            self._say(What.NOT_PLACED, opening.since)
        else:
            self._add_leaving(opening)
        self._add_duty()
        if opening is not None:
            self._add_manner(opening)

    def _say(self, what: What, on: date, said_on: date | None = None, review: date | None = None) -> None:
        if not any((said.what, said.on) == (what, on) and said.counts for said in self.sayings):
            self.sayings.append(Saying(what, on, said_on or on, review=review, reviewed=True))

    def _add_returns(self) -> None:
        """Presences that rows let go on: a person had said gone and, where they show the next as one with it, found."""
        for before, after in zip(self.signal.presences, self.signal.presences[1:], strict=False):
            if before.until is None or after.begins is None:
                continue
            run = self._run_over(before.until)
            if run is not None and run.begins < before.until:
                self._say(What.GONE, before.until - DAY, before.until)
                if run.until > after.begins:
                    self._say(What.FOUND, after.begins, max(after.begins, after.affirmed_on or after.begins))

    def _add_leaving(self, opening: Opening) -> None:
        if self.window.reported:
            # A return that was known, and not told: a person had stated that the pupil did not come.
            for run in self._time().runs:
                if opening.since < run.begins <= self.window.before:
                    self._say(What.NO_SHOW, run.begins)
        self._add_found_before(opening)
        stated = self._now().opening
        if opening.urgency is Urgency.IMMEDIATE and not self._begins_on(opening.since):
            # Whether it was the leaving itself that a person stated, or only that it is urgent, nobody can tell.
            self._say(What.GONE, opening.since - DAY, opening.since)
        elif (stated is None or stated.since > opening.since) and not self._shown_as_left(opening.since):
            self._say(What.NO_SHOW, opening.since)
        self._add_found_before(opening)

    def _add_found_before(self, opening: Opening) -> None:
        """Earlier leavings that were known of and are not told: what stands is a later word."""
        for presence in self.signal.presences:
            stated, until = self._now().opening, presence.until
            if until is None or until >= opening.since or self._run_over(until) is not None:
                continue
            # None: explained by an end of duty, which does not explain a word long after it.
            if stated is None or stated.since == until:
                self._say(What.FOUND, until)

    def _begins_on(self, day: date) -> bool:
        return any(run.begins == day for run in self._time().runs)

    def _shown_as_left(self, since: date) -> bool:
        """Whether rows alone make, or made, the leaving: then rows alone say that it is taken back."""
        ended = next((run for run in self._time().runs if run.until == since), None)
        if ended is not None:
            # The end of a row of an unknown form opens nothing: a person must have.
            return not ended.last or any(span.known_form for span in ended.last)
        run = self._run_over(since)
        return run is not None and run.begins < since and not self._may_be_no_show(run.begins)

    def _add_found(self) -> None:
        """The member knew of the leaving and stated no opening: a person had found the pupil."""
        stated = self._now().opening
        last = self.signal.presences[-1] if self.signal.presences else None
        if stated is not None and last is not None and last.until == stated.since and self.signal.duty_ended is None:
            self._say(What.FOUND, stated.since)

    def _add_duty(self) -> None:
        duty = self.signal.duty_ended
        if duty is None or self._now().duty_ended == duty:
            return
        opening = self.signal.opening
        said_on = duty.begins
        if opening is not None:
            said_on = max(said_on, self._missing_on(opening) + DAY)
        if self.window.reported and self._run_over(self.window.before) is not None:
            # An import after the word that shows the pupil active in school would end it: it came after this one.
            said_on = self.window.before
        self._say(What.DUTY_ENDED, duty.begins, said_on, duty.review)

    def _add_manner(self, opening: Opening) -> None:
        """That it is urgent, and where the pupil was to start."""
        stated = self._now().opening
        if stated is None:
            return
        if opening.urgency is Urgency.IMMEDIATE and stated.urgency is Urgency.NORMAL:
            self._say(What.URGENT, opening.since)
        if opening.planned_start is not None and stated.planned_start != opening.planned_start:
            self._say(What.PLANNED_START, opening.planned_start, opening.since)

    def _run_over(self, day: date) -> Run | None:
        """The covered days that hold `day`, as the import shows them."""
        time = self._time()
        return next((run for run in time.runs if run.begins <= day < run.until), None)

    def _time(self) -> Timeline:
        history = History(tuple(self.observations), tuple(self.sayings))
        return Timeline(
            history, self.rules.facts.of(history), self.window.before, self.rules.policy, self.rules.calendar
        )

    def _now(self) -> Statement:
        history = History(tuple(self.observations), tuple(self.sayings))
        return statement(history, self.rules.facts, self.window.before, self.rules.policy, self.rules.calendar)


def _key(row: Row) -> tuple[str, str, date | None]:
    return row.unit, row.form, row.start


def _begins(row: Row) -> date:
    return LONG_AGO if row.start is None else row.start


def _until(row: Row) -> date:
    return FOREVER if row.end is None or row.end >= FOREVER - DAY else row.end + DAY
