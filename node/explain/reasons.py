"""Why a pupil is, or is not, a gap: pure, from the very grounds on which `node.presence` decides.

Invariant: what is yielded follows the branch that the rules took, never a second judgement of the rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.rules.calendar import DAY, due_day
from federation.rules.vocabulary import Urgency
from node.coverage import FOREVER, Run, Span, is_void
from node.duty import EMIGRATION_DAYS, LAST_YEAR, Cause, Duty
from node.explain.findings import Finding, Why, finding
from node.explain.rows import is_span_of, taken_back
from node.model import HAND_MADE_OPENINGS, HeldLeavings, OpeningStated, Saying, Status, What
from node.presence import Grounds, NotLeft, explains, first_day_told, pressing_words
from node.timeline import Timeline

_DUTY = {
    Cause.DECEASED: Why.DUTY_DECEASED,
    Cause.EMIGRATED: Why.DUTY_EMIGRATED,
    Cause.COMPLETED: Why.DUTY_COMPLETED,
    Cause.DECIDED: Why.DUTY_DECIDED,
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A leaving that waits with too many others of its school unit: since when, and until which import at the latest.

    `ended_on` is the first day without the pupil, as rows show it.
    """

    held: HeldLeavings
    ended_on: date
    released_on: date


def reasons(
    time: Timeline, grounds: Grounds, held: Waiting | None, units: Mapping[str, str], said: Sequence[Saying]
) -> Iterator[Finding]:
    """`units`: id → name; `said`: words that wait for a second person."""
    if grounds.opening is not None and not grounds.explained:
        yield from _for(time, grounds, grounds.opening)
    elif grounds.duty is not None:
        yield _duty(grounds.duty)
    else:
        yield from _against(time, grounds, held, units)
    for word in said:
        if word.what in HAND_MADE_OPENINGS:
            yield finding(Why.WORD_WAITS, what=word.what.value, on=word.on, said_on=word.said_on)


def waiting(time: Timeline, wait_school_days: Mapping[tuple[date, str], int]) -> Waiting | None:
    """Whether the newest leaving waits. `wait_school_days`: (import, unit) → school days it waits at the most."""
    shown = [run for run in time.known[-1].runs if run.begins <= time.today] if time.known else []
    last = time.last_run()
    if not shown or last is None or not shown[-1].until <= time.today < last.until == FOREVER:
        return None
    units = {span.unit for span in shown[-1].last}
    standing = [
        held
        for held in time.facts.held
        if held.unit in units and (held.released_on is None or held.released_on > time.today)
    ]
    if not standing:
        return None
    held = max(standing, key=lambda each: each.as_of)
    days = wait_school_days.get((held.as_of, held.unit), 1)
    return Waiting(held, shown[-1].until, time.calendar.nth_on_or_after(held.as_of, days) + DAY)


# -- a gap ------------------------------------------------------------------------------------------------------------


def _for(time: Timeline, grounds: Grounds, opening: OpeningStated) -> Iterator[Finding]:
    given = (grounds.left, grounds.by_word, grounds.not_placed)
    stated = [each for each in given if isinstance(each, OpeningStated) and each not in grounds.found]
    if grounds.waits is not None:
        stated.insert(0, grounds.waits)
    for each in stated:
        if each is grounds.waits:
            yield finding(Why.WITHDRAWAL_WAITS, last_day=each.since - DAY)
        elif each is grounds.left:
            yield from _left(time, opening)
        elif each is grounds.not_placed:
            yield finding(Why.NOT_PLACED, since=each.since)
        elif each.urgency is Urgency.IMMEDIATE:
            yield finding(Why.GONE, last_day=each.since - DAY)
        else:
            yield finding(Why.NO_SHOW, since=each.since)
    if stated[-1].since > opening.since:
        yield finding(Why.LOOKED_FOR_SINCE, since=opening.since)
    for word in pressing_words(time):
        if word.what is What.REASON:
            yield finding(Why.URGENT_BY_REASON, reason=word.reason or "", said_on=word.said_on)
        else:
            yield finding(Why.URGENT_BY_WORD, said_on=word.said_on)
    if opening.planned_start is not None:
        due, unplanned = _due(time, opening), _due(time, replace(opening, planned_start=None))
        kind = Why.POSTPONED if due > unplanned else Why.NOT_POSTPONED
        yield finding(kind, planned_start=opening.planned_start, due_on=due)
    yield from _unexplained(time, grounds, opening)


def _left(time: Timeline, opening: OpeningStated) -> Iterator[Finding]:
    last = time.last_run()
    assert last is not None
    if not last.last:
        # No row ends here: a person's word ends the presence, and is told as such.
        return
    if any(_cancelled(time, span) for span in last.last):
        yield finding(Why.LEFT_CANCELLED, as_of=last.until)
    elif any(span.vanished for span in last.last):
        yield finding(Why.LEFT_VANISHED, as_of=last.until)
    else:
        yield finding(Why.LEFT_ENDED, last_day=last.until - DAY)
    later = _later_run(time)
    if later is not None:
        yield finding(Why.LATER_ROW_TOO_LATE, begins=later.begins, due_on=_due(time, opening))
    for span in last.last:
        if span.school_year is not None and LAST_YEAR.get(span.form) == span.school_year:
            yield finding(Why.LAST_YEAR_ENDED_EARLY, school_year=span.school_year, last_day=last.until - DAY)
            break


def _unexplained(time: Timeline, grounds: Grounds, opening: OpeningStated) -> Iterator[Finding]:
    """Ends of duty that do not stand in this opening's place."""
    duty = grounds.duty
    if duty is not None:
        kind = Why.DUTY_ENDED_AFTERWARDS if explains(duty, opening) else Why.DUTY_ENDED_LONG_BEFORE
        yield finding(kind, cause=duty.cause.value, on=duty.ended.begins, shown_on=duty.shown_on)
    elif time.known and time.known[-1].status == Status.EMIGRATED:
        shown = itertools.takewhile(lambda known: known.status == Status.EMIGRATED, reversed(time.known))
        yield finding(Why.EMIGRATION_TOO_LATE, shown_on=min(known.as_of for known in shown), days=EMIGRATION_DAYS)
    decided = [saying for saying in time.history.sayings if saying.what is What.DUTY_ENDED]
    if decided:
        newest = max(decided, key=lambda saying: (saying.said_on, saying.on))
        if newest.review is not None and newest.review < time.today:
            yield finding(Why.REVIEW_PASSED, review=newest.review)


# -- no gap -----------------------------------------------------------------------------------------------------------


def _duty(duty: Duty) -> Finding:
    return finding(_DUTY[duty.cause], on=duty.ended.begins, shown_on=duty.shown_on, review=duty.ended.review or "–")


def _against(time: Timeline, grounds: Grounds, held: Waiting | None, units: Mapping[str, str]) -> Iterator[Finding]:
    for opening in grounds.found:
        found = max(
            (s for s in time.history.sayings if s.what is What.FOUND and s.on >= opening.since), key=lambda s: s.on
        )
        yield finding(Why.FOUND, on=found.on, said_on=found.said_on, since=opening.since)
    for row, as_of in taken_back(time):
        yield finding(Why.TAKEN_BACK, unit=units.get(row.unit, row.unit), as_of=as_of)
    last, later = time.last_run(), _later_run(time)
    match grounds.left:
        case NotLeft.NEVER_HERE:
            yield from _never_here(time, later)
        case NotLeft.IN_FORCE:
            assert last is not None
            if held is not None:
                yield finding(
                    Why.HELD,
                    unit=units.get(held.held.unit, held.held.unit),
                    as_of=held.held.as_of,
                    last_day=held.ended_on - DAY,
                    released_on=held.released_on,
                )
            else:
                yield from _in_force(time, last, units)
        case NotLeft.NOT_SHOWN:
            assert last is not None
            yield finding(Why.NOT_SHOWN, last_day=last.until - DAY, shown_on=time.shown_on(last.until))
        case NotLeft.UNKNOWN_FORM:
            assert last is not None
            forms = sorted({span.form for span in last.last})
            yield finding(Why.UNKNOWN_FORM, form=", ".join(forms), last_day=last.until - DAY)
        case NotLeft.BEFORE_BASELINE:
            assert last is not None
            yield finding(
                Why.BEFORE_BASELINE,
                last_day=last.until - DAY,
                baseline=time.facts.baseline,
                first_day=first_day_told(time.facts),
            )
        case NotLeft.LATER_ROW:
            assert last is not None
            assert later is not None
            yield finding(Why.LATER_ROW, last_day=last.until - DAY, begins=later.begins)


def _never_here(time: Timeline, later: Run | None) -> Iterator[Finding]:
    if later is not None:
        yield finding(Why.BEGINS_LATER, begins=later.begins)
    elif not any(seen.rows for seen in time.history.observations):
        yield finding(Why.NEVER_HERE)
    elif not any(True for _ in taken_back(time)):
        yield finding(Why.NOTHING_COUNTS)


def _in_force(time: Timeline, last: Run, units: Mapping[str, str]) -> Iterator[Finding]:
    covering = [span for span in time.spans if span.begins <= time.today < span.until]
    if covering:
        names = {units.get(span.unit, span.unit) for span in covering}
        forms = {span.form for span in covering}
        yield finding(Why.IN_FORCE, unit=", ".join(sorted(names)), form=", ".join(sorted(forms)))
    else:
        before = max((span.until for span in time.spans if span.until <= time.today), default=last.begins)
        after = min((span.begins for span in time.spans if span.begins > time.today), default=last.until)
        yield finding(Why.BRIDGED, last_day=before - DAY, begins=after)
    if any(last.begins > cut.begins for cut in time.cuts):
        yield finding(Why.BACK, begins=last.begins)
    if any(saying.what is What.NOT_PLACED for saying in time.history.sayings):
        yield finding(Why.PLACED, begins=last.begins)


# -- shared -----------------------------------------------------------------------------------------------------------


def _later_run(time: Timeline) -> Run | None:
    return next((run for run in time.runs if run.begins > time.today), None)


def _cancelled(time: Timeline, span: Span) -> bool:
    newest = time.history.observations[-1].rows or () if time.history.observations else ()
    return not span.vanished and any(is_void(row) and is_span_of(row, span) for row in newest)


def _due(time: Timeline, opening: OpeningStated) -> date:
    return due_day(opening.since, opening.urgency, opening.planned_start, time.policy, time.calendar)
