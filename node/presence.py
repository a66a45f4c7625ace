"""What a member can say about one pupil today (design §5): pure, from the pupil's history, import facts and a date.

Invariants: the same history says the same whatever the order, number or time of the runs before; nothing that is in
doubt makes a pupil accounted for. The steps are those of the design: presence, duty ended, leaving, movers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.rules.calendar import DAY, SchoolCalendar, due_day
from federation.rules.matching import REMEMBERED_MONTHS, months_before
from federation.rules.vocabulary import MAX_PRESENCES, DutyEnded, OpeningKind, Policy, Presence, Urgency
from node.coverage import (
    FOREVER,
    LONG_AGO,
    Coverage,
    Run,
    Span,
    Stretch,
    days_before,
    is_known,
    join_stretches,
)
from node.model import (
    IMMEDIATE_REASONS,
    UNMARKED,
    History,
    ImportFacts,
    Observation,
    OpeningStated,
    Reason,
    Saying,
    Statement,
    Status,
    What,
)

BASELINE_DAYS = 60
"""The baseline import tells arrivals and leavings of so many days, or since the last 1 June."""

EMIGRATION_DAYS = 30
"""An emigration explains a leaving only if the last covered day is so near the import that first showed it."""

LAST_YEAR = {"GR": 9, "GRS": 9, "GRAN": 9, "SAM": 9, "TR": 9, "SP": 10}
COMPLETION_SCHOOL_DAYS = 3
"""The last school year may end so many school days before the summer break."""


def statement(history: History, facts: ImportFacts, today: date, policy: Policy, calendar: SchoolCalendar) -> Statement:
    """All that the member can say about the pupil of `history` on `today`."""
    return _Pupil(history, facts, today, policy, calendar).statement()


def units_left(
    history: History, facts: ImportFacts, as_of: date, before: date | None, policy: Policy, calendar: SchoolCalendar
) -> frozenset[str]:
    """The school units the pupil newly leaves on the import of `as_of`; `before` is the import before, if any.

    For finding bulk leavings (design §5): ask for each pupil with a new observation or a `recheck_on` ≤ `as_of`, with
    `facts.imports` already holding `as_of` and `facts.held` not yet holding its verdicts. Empty where the pupil leaves
    none, or had left before.
    """
    now = statement(history, facts, as_of, policy, calendar)
    if now.opening is None or now.opening.kind is not OpeningKind.LEFT or before is None:
        return frozenset()
    then = History(
        tuple(seen for seen in history.observations if seen.as_of <= before),
        tuple(saying for saying in history.sayings if saying.said_on <= before),
    )
    if statement(then, facts, before, policy, calendar).opening is not None:
        return frozenset()
    return now.leaving_units


@dataclass(frozen=True, slots=True)
class _Known:
    """What one observation, with all before it, showed."""

    as_of: date
    status: str
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class _Duty:
    """An end of duty, the day it was first shown or said, and whether it is a death."""

    ended: DutyEnded
    shown_on: date
    death: bool = False


@dataclass(frozen=True, slots=True)
class _Cut:
    """A person's word against the rows: no presence in [begins, until) though rows cover it."""

    begins: date
    until: date
    said_on: date
    back_said_on: date
    opening: OpeningStated


class _Pupil:
    """One evaluation; every attribute is set once."""

    def __init__(
        self, history: History, facts: ImportFacts, today: date, policy: Policy, calendar: SchoolCalendar
    ) -> None:
        self.history = History(
            tuple(seen for seen in history.observations if seen.as_of <= today),
            tuple(saying for saying in history.sayings if saying.said_on <= today and saying.counts),
        )
        self.facts, self.today, self.policy, self.calendar = facts, today, policy, calendar
        coverage = Coverage(facts.baseline, calendar, upper_secondary=policy.upper_secondary)
        known: list[_Known] = []
        for seen in self.history.observations:
            coverage.observe(seen)
            known.append(_Known(seen.as_of, seen.status, coverage.runs()))
        self.known = tuple(known)
        self.spans = coverage.spans()
        self.absences = coverage.absences()
        newest = self.history.observations[-1] if self.history.observations else None
        self.protected = newest is not None and newest.marking != UNMARKED and policy.protected == "local"
        self.cuts = self._cuts(known[-1].runs if known else ())
        self.runs = self._with_cuts(self._with_held(known[-1].runs, len(known) - 1) if known else ())

    # -- presence ---------------------------------------------------------------------------------------------------

    def _with_held(self, runs: tuple[Run, ...], position: int, *, spoken: bool = False) -> tuple[Run, ...]:
        """Runs whose end waits with too many others of its school unit go on; once released, it ends when it ended.

        `spoken`: as the member said it at the time, so that a released one went on until its release.
        """
        if not runs or not self.facts.held:
            return runs
        *before, last = runs
        released = self._released_on(last, position)
        if released is None or released <= last.until or not (spoken or released == FOREVER):
            return runs
        return (*before, replace(last, until=released))

    def _released_on(self, run: Run, position: int) -> date | None:
        """None: the end of `run` does not wait. `FOREVER`: it still does."""
        if run.until == FOREVER:
            return None
        known_on = self.known[position].as_of
        for earlier in reversed(self.known[:position]):
            if not earlier.runs or earlier.runs[-1].until != run.until:
                break
            known_on = earlier.as_of
        shows_from = max(self.calendar.first_on_or_after(run.until), known_on)
        appeared_on = next((as_of for as_of in self.facts.imports if as_of >= shows_from), None)
        units = {span.unit for span in run.last}
        for held in self.facts.held:
            if held.as_of == appeared_on and held.unit in units:
                released = held.released_on
                return FOREVER if released is None or released > self.today else released
        return None

    def _cuts(self, runs: Sequence[Run]) -> tuple[_Cut, ...]:
        found = sorted((saying for saying in self.history.sayings if saying.what is What.FOUND), key=lambda s: s.on)
        cuts: list[_Cut] = []
        for saying in self.history.sayings:
            run = next((run for run in runs if run.begins <= saying.on < run.until), None)
            if run is None or saying.what not in (What.GONE, What.NO_SHOW):
                continue
            if saying.what is What.GONE:
                begins = saying.on + DAY
                opening = OpeningStated(OpeningKind.LEFT, begins, Urgency.IMMEDIATE)
            else:
                # One who attended before and did not come back after a break has left; the time before stays true.
                attended = self.calendar.count(max(run.begins, self.facts.baseline), saying.on)
                begins = saying.on if attended and run.begins <= self.facts.baseline else run.begins
                opening = OpeningStated(OpeningKind.LEFT, begins)
            back = next((found_ for found_ in found if found_.on >= begins), None)
            until = run.until if back is None else min(back.on, run.until)
            back_said_on = FOREVER if back is None else back.said_on
            cuts.append(_Cut(begins, until, saying.said_on, back_said_on, opening))
        return tuple(cuts)

    def _with_cuts(self, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        for cut in self.cuts:
            left: list[Run] = []
            for run in runs:
                if run.until <= cut.begins or run.begins >= cut.until:
                    left.append(run)
                    continue
                if run.begins < cut.begins:
                    left.append(Run(run.begins, cut.begins, ()))
                if cut.until < run.until:
                    left.append(Run(cut.until, run.until, run.last))
            runs = tuple(left)
        return runs

    def _shows(self, until: date) -> bool:
        """Whether an end on `until` is visible: not before a school day, but for a protected pupil at once."""
        if until > self.today:
            return False
        return self.protected or self.calendar.first_on_or_after(until) <= self.today

    def _said(self) -> tuple[Stretch, ...]:
        """The stretches of days on which the member said that the pupil is in force."""
        stretches: list[Stretch] = []
        for position, known in enumerate(self.known):
            after = self.known[position + 1].as_of if position + 1 < len(self.known) else self.today + DAY
            for run in self._with_held(known.runs, position, spoken=True):
                begins, until = max(run.begins, known.as_of), min(run.until, after)
                if begins < until:
                    stretches.append(Stretch(begins, until))
        for cut in self.cuts:
            stretches = [
                part
                for stretch in stretches
                for part in (
                    Stretch(stretch.begins, min(stretch.until, cut.said_on)),
                    Stretch(max(stretch.begins, cut.back_said_on), stretch.until),
                )
                if part.begins < part.until
            ]
        return join_stretches(stretches, self.absences, self.calendar)

    # -- duty ended -------------------------------------------------------------------------------------------------

    def _duty(self) -> _Duty | None:
        """The end of duty that stands today, the newest first."""
        duties = [duty for duty in (self._by_status(), self._by_word(), self._by_completion()) if duty is not None]
        return max(duties, key=lambda duty: duty.ended.begins, default=None)

    def _by_status(self) -> _Duty | None:
        """Deceased or emigrated, as exports show it."""
        duty: _Duty | None = None
        before = None
        for known in self.known:
            if known.status != before and known.status in (Status.DECEASED, Status.EMIGRATED):
                duty = self._duty_shown(known.as_of, known.status)
            elif duty is not None and known.status == Status.ACTIVE and _covers(known.runs, known.as_of):
                duty = None
            before = known.status
        if duty is not None and self._begins_after(duty.ended.begins):
            return None
        return duty

    def _duty_shown(self, shown_on: date, status: str) -> _Duty | None:
        death = status == Status.DECEASED
        run = next((run for run in reversed(self.runs) if run.begins <= shown_on), None)
        if run is None:
            return _Duty(DutyEnded(shown_on), shown_on, death) if death else None
        if run.until > shown_on:
            return _Duty(DutyEnded(shown_on), shown_on, death)
        if death or (shown_on - (run.until - DAY)).days <= EMIGRATION_DAYS:
            return _Duty(DutyEnded(run.until), shown_on, death)
        return None

    def _by_word(self) -> _Duty | None:
        """Decided abroad or alternative fulfilment, as a person stated it, until its review has passed."""
        said = [saying for saying in self.history.sayings if saying.what is What.DUTY_ENDED and saying.on <= self.today]
        if not said:
            return None
        newest = max(said, key=lambda saying: (saying.said_on, saying.on))
        if newest.review is not None and newest.review < self.today:
            # A stay abroad that nobody looked at again accounts for nobody.
            return None
        if self._begins_after(newest.on) or self._shown_active_after(newest.said_on):
            return None
        return _Duty(DutyEnded(newest.on, newest.review), newest.said_on)

    def _by_completion(self) -> _Duty | None:
        """The last school year ended at the end of the spring term."""
        last = self._last_run()
        if last is None or not self._shows(last.until):
            return None
        if any(self._completes(span) for span in last.last):
            return _Duty(DutyEnded(last.until), last.until)
        return None

    def _completes(self, span: Span) -> bool:
        if LAST_YEAR.get(span.form) != span.school_year or span.school_year is None:
            return False
        day = span.until if span.vanished else span.until - DAY
        pause = self.calendar.summer_break(day.year)
        if pause is None:
            return False
        return self.calendar.last_n_before(pause.start, COMPLETION_SCHOOL_DAYS) <= day <= pause.end

    def _begins_after(self, day: date) -> bool:
        return any(day < span.begins <= self.today for span in self.spans)

    def _shown_active_after(self, day: date) -> bool:
        """Whether an export after `day` showed the pupil covered and active."""
        for as_of in self.facts.imports:
            if not day < as_of <= self.today:
                continue
            known = next((known for known in reversed(self.known) if known.as_of <= as_of), None)
            if known is not None and known.status == Status.ACTIVE and _covers(known.runs, as_of):
                return True
        return False

    # -- leaving ----------------------------------------------------------------------------------------------------

    def _last_run(self) -> Run | None:
        return next((run for run in reversed(self.runs) if run.begins <= self.today), None)

    def _opening(self, said: Sequence[Stretch]) -> OpeningStated | None:
        """The opening that rows and people give, the end of duty left aside."""
        opening = self._by_person() or self._left(said)
        if opening is None or any(
            saying.what is What.FOUND and saying.on >= opening.since for saying in self.history.sayings
        ):
            return None
        last = self._last_run()
        return self._with_words(opening, LONG_AGO if last is None else last.begins)

    def _left(self, said: Sequence[Stretch]) -> OpeningStated | None:
        last = self._last_run()
        if last is None or not self._shows(last.until):
            return None
        if last.last and not any(span.known_form for span in last.last):
            return None
        if self._told_before_baseline(last, said):
            return None
        opening = OpeningStated(OpeningKind.LEFT, last.until)
        later = next((run for run in self.runs if run.begins > self.today), None)
        if later is not None:
            due = due_day(opening.since, opening.urgency, None, self.policy, self.calendar)
            if later.begins <= due:
                return None
        return opening

    def _by_person(self) -> OpeningStated | None:
        """Gone though enrolled, a no-show, or not placed."""
        last = self._last_run()
        for cut in self.cuts:
            no_presence_since = last is None or last.until <= cut.begins
            if cut.begins <= self.today < cut.until and no_presence_since:
                return cut.opening
        said = [saying for saying in self.history.sayings if saying.what is What.NOT_PLACED and saying.on <= self.today]
        if not said:
            return None
        newest = max(said, key=lambda saying: (saying.said_on, saying.on))
        in_force = last is not None and not self._shows(last.until)
        if in_force or (last is not None and last.begins > newest.on):
            return None
        return OpeningStated(OpeningKind.NOT_PLACED, newest.on)

    def _with_words(self, opening: OpeningStated, begins: date) -> OpeningStated:
        """What people said of this leaving: urgent, the reason, the planned start elsewhere."""
        words = [saying for saying in self.history.sayings if saying.said_on >= begins]
        reason = _newest(words, What.REASON)
        immediate = reason is not None and reason.reason in {code.value for code in IMMEDIATE_REASONS}
        if opening.urgency is Urgency.IMMEDIATE or immediate or _newest(words, What.URGENT) is not None:
            return replace(opening, urgency=Urgency.IMMEDIATE)
        planned = _newest(words, What.PLANNED_START)
        return opening if planned is None else replace(opening, planned_start=planned.on)

    def _lookback(self) -> date:
        """The first day whose arrivals and leavings the baseline import tells."""
        baseline = self.facts.baseline
        june = date(baseline.year if (baseline.month, baseline.day) >= (6, 1) else baseline.year - 1, 6, 1)
        return min(days_before(baseline, BASELINE_DAYS), june)

    def _told_before_baseline(self, run: Run, said: Sequence[Stretch]) -> bool:
        """Left before the member had anything to say, and too long ago for the baseline import to tell."""
        if run.until >= self._lookback():
            return False
        return not any(stretch.begins < run.until and run.begins < stretch.until for stretch in said)

    # -- the statement ----------------------------------------------------------------------------------------------

    def statement(self) -> Statement:
        said = self._said()
        duty = self._duty()
        opening = self._opening(said)
        leaving = self._last_run()
        if duty is not None and opening is not None and not self._opened_before(duty):
            opening = None
        presences = self._presences(said, duty)
        duty_ended = None
        if duty is not None and (opening is not None or not duty.death):
            # A death without an opening is not said: the end of the presence tells the registry enough.
            duty_ended = duty.ended
        return Statement(
            presences=tuple(presence for _, presence in presences)[-MAX_PRESENCES:],
            opening=opening,
            duty_ended=duty_ended,
            moves=opening is not None or any(self._moves(run) for run, _ in presences),
            in_force=any(presence.until is None for _, presence in presences),
            recheck_on=self._recheck_on(),
            leaving_units=frozenset(span.unit for span in leaving.last) if opening and leaving else frozenset(),
            unknown_forms=self._unknown_forms(),
        )

    def _opened_before(self, duty: _Duty) -> bool:
        """Whether the opening had been said when the end of duty was first shown: then it stays beside it."""
        before = duty.shown_on - DAY
        if not self.known or before < self.known[0].as_of:
            return False
        return statement(self.history, self.facts, before, self.policy, self.calendar).opening is not None

    def _presences(self, said: Sequence[Stretch], duty: _Duty | None) -> list[tuple[Run, Presence]]:
        oldest = months_before(self.today, REMEMBERED_MONTHS)
        result: list[tuple[Run, Presence]] = []
        for run in self.runs:
            until = run.until
            if duty is not None and run.begins < duty.ended.begins <= self.today:
                until = min(until, duty.ended.begins)
            if run.begins > self.today or until <= oldest:
                continue
            # An end of duty ends the presence itself: no school day has to show that the pupil stays away.
            by_duty = duty is not None and until == duty.ended.begins
            ended = until <= self.today and (until < run.until or by_duty or self._shows(until))
            presence = Presence(
                begins=None if run.begins < oldest else run.begins,
                until=until if ended else None,
                affirmed_on=self._affirmed_on(run, until, said),
                met_on=max(
                    (s.on for s in self.history.sayings if s.what is What.MET and run.begins <= s.on < until),
                    default=None,
                ),
            )
            result.append((run, presence))
        return result

    def _affirmed_on(self, run: Run, until: date, said: Sequence[Stretch]) -> date | None:
        days = [max(stretch.begins, run.begins) for stretch in said if _overlaps(stretch, run.begins, until)]
        days += [s.on for s in self.history.sayings if s.what is What.AFFIRM and run.begins <= s.on < until]
        return max((day for day in days if day <= self.today), default=None)

    def _moves(self, run: Run) -> bool:
        """Movers only: an arrival the member tells of, not a pupil it had when it joined."""
        baseline = self.facts.baseline
        first = self.known[0]
        had = first.as_of <= baseline and any(
            before.begins <= baseline and before.begins < run.until and run.begins < before.until
            for before in first.runs
        )
        if not had:
            return True
        return self._lookback() <= run.begins <= baseline and run.begins not in self.facts.mass_start_days

    def _recheck_on(self) -> date | None:
        days = [run.begins for run in self.runs]
        for run in self.runs:
            if run.until > self.today:
                days.append(run.until)
            elif not self.protected:
                days.append(self.calendar.first_on_or_after(run.until))
        days += [saying.on for saying in self.history.sayings]
        days += [saying.review + DAY for saying in self.history.sayings if saying.review is not None]
        return min((day for day in days if self.today < day < FOREVER), default=None)

    def _unknown_forms(self) -> frozenset[str]:
        newest: Observation | None = self.history.observations[-1] if self.history.observations else None
        rows = newest.rows if newest is not None and newest.rows is not None else ()
        return frozenset(row.form for row in rows if not is_known(row.form))


def _covers(runs: Sequence[Run], day: date) -> bool:
    return any(run.begins <= day < run.until for run in runs)


def _overlaps(stretch: Stretch, begins: date, until: date) -> bool:
    return stretch.begins < until and begins < stretch.until


def _newest(sayings: Sequence[Saying], what: What) -> Saying | None:
    return max((saying for saying in sayings if saying.what is what), key=lambda saying: saying.said_on, default=None)


def reason_codes() -> tuple[str, ...]:
    """The codes `node say … reason` takes."""
    return tuple(reason.value for reason in Reason)
