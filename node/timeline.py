"""One pupil's presences over time, as rows show them and people correct them: what was known when, and what was said.

Pure. Invariant: evaluated twice on one day it is the same; what comes after `today` is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.rules.calendar import DAY, SchoolCalendar
from federation.rules.vocabulary import OpeningKind, Policy, Urgency
from node.coverage import FOREVER, Coverage, Run, Stretch, join_stretches
from node.model import UNMARKED, History, ImportFacts, OpeningStated, What, makes_immediate


@dataclass(frozen=True, slots=True)
class Known:
    """What one observation, with all before it, showed."""

    as_of: date
    status: str
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A person's word about the day `on` against the rows: no presence in [begins, until) though rows cover it.

    It is empty, with `until` = `begins`, where rows that covered it when it was said no longer do: the school took them
    back or ended them. The word stands all the same, and so does its opening.
    """

    begins: date
    until: date
    on: date
    said_on: date
    back_said_on: date
    opening: OpeningStated


class Timeline:
    """What is known on one day; every attribute is set once."""

    def __init__(
        self, history: History, facts: ImportFacts, today: date, policy: Policy, calendar: SchoolCalendar
    ) -> None:
        self.history = History(
            tuple(seen for seen in history.observations if seen.as_of <= today),
            tuple(saying for saying in history.sayings if saying.said_on <= today and saying.counts),
            tuple(call for call in history.calls if call.called_on <= today),
        )
        facts = facts.of(self.history)
        self.facts, self.today, self.policy, self.calendar = facts, today, policy, calendar
        coverage = Coverage(facts.baseline, calendar, upper_secondary=policy.upper_secondary)
        known: list[Known] = []
        for seen in self.history.observations:
            coverage.observe(seen)
            known.append(Known(seen.as_of, seen.status, coverage.runs()))
        self.known = tuple(known)
        self.spans = coverage.spans()
        self.absences = coverage.absences()
        newest = self.history.observations[-1] if self.history.observations else None
        self.protected = newest is not None and newest.marking != UNMARKED and policy.protected == "local"
        self.cuts = self._find_cuts(known[-1].runs if known else ())
        self.runs = self._with_cuts(self._with_held(known[-1].runs, len(known) - 1) if known else ())
        self.said = self._find_said()

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
        shows_from = max(self.shown_on(run.until), known_on)
        appeared_on = next((as_of for as_of in self.facts.imports if as_of >= shows_from), None)
        units = {span.unit for span in run.last}
        for held in self.facts.held:
            if held.as_of == appeared_on and held.unit in units:
                released = held.released_on
                if released is None or released > self.today:
                    released = FOREVER
                # Whoever is looked for at once does not wait with the others of the unit.
                urgent = (
                    saying.said_on
                    for saying in self.history.sayings
                    if makes_immediate(saying) and saying.said_on >= run.begins
                )
                return min(released, max(appeared_on, min(urgent, default=FOREVER)))
        return None

    def _find_cuts(self, runs: Sequence[Run]) -> tuple[Cut, ...]:
        found = sorted((saying for saying in self.history.sayings if saying.what is What.FOUND), key=lambda s: s.on)
        cuts: list[Cut] = []
        for saying in self.history.sayings:
            if saying.what not in (What.GONE, What.NO_SHOW):
                continue
            run = _holding(runs, saying.on)
            standing = run
            if run is None:
                # What a school enters after the word, an end or a cancellation, must not make the word say nothing.
                earlier = (_holding(known.runs, saying.on) for known in reversed(self.known))
                run = next((run for run in earlier if run is not None), None)
            if saying.what is What.GONE:
                begins = saying.on + DAY
                opening = OpeningStated(OpeningKind.LEFT, begins, Urgency.IMMEDIATE)
            elif run is None:
                begins, opening = saying.on, OpeningStated(OpeningKind.LEFT, saying.on)
            else:
                # One who attended before and did not come back after a break has left; the time before stays true.
                attended = self.calendar.count(max(run.begins, self.facts.baseline), saying.on)
                begins = saying.on if attended and run.begins <= self.facts.baseline else run.begins
                opening = OpeningStated(OpeningKind.LEFT, begins)
            back = next((found_ for found_ in found if found_.on >= begins), None)
            until = begins
            if standing is not None:
                until = max(begins, standing.until if back is None else min(back.on, standing.until))
            back_said_on = FOREVER if back is None else back.said_on
            cuts.append(Cut(begins, until, saying.on, saying.said_on, back_said_on, opening))
        return tuple(cuts)

    def _with_cuts(self, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        for cut in self.cuts:
            left: list[Run] = []
            for run in runs:
                if not _cuts(cut, run):
                    left.append(run)
                    continue
                if run.begins < cut.begins:
                    left.append(Run(run.begins, cut.begins, ()))
                if cut.until < run.until:
                    left.append(Run(cut.until, run.until, run.last))
            runs = tuple(left)
        return runs

    def shown_on(self, until: date) -> date:
        """The day from which an end on `until` shows: a school day, but for a protected pupil at once."""
        return until if self.protected else self.calendar.first_on_or_after(until)

    def shows(self, until: date) -> bool:
        return until <= self.today and self.shown_on(until) <= self.today

    def _find_said(self) -> tuple[Stretch, ...]:
        """The stretches of days on which the member said that the pupil is in force."""
        stretches: list[Stretch] = []
        for position, known in enumerate(self.known):
            after = self.known[position + 1].as_of if position + 1 < len(self.known) else self.today + DAY
            for run in self._with_held(known.runs, position, spoken=True):
                # An end is said once it shows: until then the member goes on saying that the pupil is in force.
                shown = run.until if run.until >= after else self.shown_on(run.until)
                stretch = Stretch(max(run.begins, known.as_of), min(shown, after))
                stretches += _unsaid([stretch], [cut for cut in self.cuts if _cuts(cut, run)])
        return join_stretches(stretches, self.absences)

    def last_run(self) -> Run | None:
        return next((run for run in reversed(self.runs) if run.begins <= self.today), None)


def _holding(runs: Sequence[Run], day: date) -> Run | None:
    return next((run for run in runs if run.begins <= day < run.until), None)


def _cuts(cut: Cut, run: Run) -> bool:
    return cut.begins < cut.until and cut.begins < run.until and run.begins < cut.until


def _unsaid(stretches: Sequence[Stretch], cuts: Sequence[Cut]) -> list[Stretch]:
    """What is left of these stretches: from the day of a person's word the member no longer said it, until found."""
    for cut in cuts:
        stretches = [
            part
            for stretch in stretches
            for part in (
                Stretch(stretch.begins, min(stretch.until, cut.said_on)),
                Stretch(max(stretch.begins, cut.back_said_on), stretch.until),
            )
        ]
    return [stretch for stretch in stretches if stretch.begins < stretch.until]
