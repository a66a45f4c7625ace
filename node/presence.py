"""What a member can say about one pupil today (design §5): pure, from the pupil's history, import facts and a date.

Invariants: the same history says the same whatever the order, number or time of the runs before; nothing that is in
doubt makes a pupil accounted for. The steps are those of the design: presence, duty ended, leaving, movers only.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from federation.rules.calendar import DAY, SchoolCalendar, due_day
from federation.rules.matching import DUTY_ENDED_DAYS, REMEMBERED_MONTHS, months_before
from federation.rules.vocabulary import MAX_PRESENCES, OpeningKind, Policy, Presence, Urgency
from node.coverage import (
    FOREVER,
    LONG_AGO,
    Run,
    Stretch,
    is_known,
)
from node.duty import Duty, duty_of
from node.held import held
from node.model import (
    Call,
    History,
    ImportFacts,
    Observation,
    OpeningStated,
    Saying,
    Statement,
    What,
    makes_immediate,
)
from node.timeline import Timeline

BASELINE_DAYS = 60
"""The baseline import tells arrivals and leavings of so many days, or since the last 1 June."""


class NotLeft(enum.Enum):
    """Why rows show no leaving."""

    NEVER_HERE = enum.auto()
    """No row covers a day up to today."""
    IN_FORCE = enum.auto()
    """Rows cover today, or an end that waits with others of its unit lets them go on."""
    NOT_SHOWN = enum.auto()
    """Covered no longer, but no school day has come since."""
    UNKNOWN_FORM = enum.auto()
    """What ended are rows of school types that no rule knows."""
    BEFORE_BASELINE = enum.auto()
    """Left before the member had anything to say, and too long ago for the baseline import to tell."""
    LATER_ROW = enum.auto()
    """An own row begins by the day the gap would be due."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What makes and unmakes an opening today, each branch by itself.

    `stated` are the openings that rows and people give and that are not `found`; `opening` is what they come to, before
    the end of duty is asked. `explained`: the end of duty stands in the opening's place.
    """

    left: OpeningStated | NotLeft
    by_word: OpeningStated | None
    not_placed: OpeningStated | None
    waits: OpeningStated | None
    found: tuple[OpeningStated, ...]
    opening: OpeningStated | None
    duty: Duty | None
    explained: bool


def statement(history: History, facts: ImportFacts, today: date, policy: Policy, calendar: SchoolCalendar) -> Statement:
    """All that the member can say about the pupil of `history` on `today`."""
    time = Timeline(history, facts, today, policy, calendar)
    grounds = grounds_of(time)
    opening = None if grounds.explained else grounds.opening
    duty = grounds.duty
    presences = _presences(time, duty)
    answered, doubted = _called(time, presences)
    leaving = time.last_run()
    return Statement(
        presences=tuple(presence for _, presence in presences)[-MAX_PRESENCES:],
        opening=opening,
        # A death without an opening is not said: the end of the presence tells the registry enough.
        duty_ended=None if duty is None or (duty.death and opening is None) else duty.ended,
        moves=opening is not None or answered or any(_moves(time, run) for run, _ in presences),
        in_force=any(presence.until is None for _, presence in presences),
        doubted=doubted,
        recheck_on=_recheck_on(time),
        leaving_units=frozenset(span.unit for span in leaving.last) if opening and leaving else frozenset(),
        unknown_forms=_unknown_forms(time),
    )


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


def grounds_of(time: Timeline) -> Grounds:
    """What speaks for and against an opening on the timeline's day."""
    left, by_word, not_placed = _left(time), _by_word(time), _not_placed(time)
    given = [opening for opening in (left, by_word, not_placed) if isinstance(opening, OpeningStated)]
    found = tuple(opening for opening in given if _found(time, opening))
    waits = held(time)
    # A hold first: once the rows themselves end, the opening is a leaving, under the same number.
    first = [] if waits is None else [waits]
    opening = _opening(time, first + [opening for opening in given if opening not in found])
    duty = duty_of(time)
    explained = duty is not None and opening is not None and explains(duty, opening) and not _opened_before(time, duty)
    return Grounds(left, by_word, not_placed, waits, found, opening, duty, explained)


def _opening(time: Timeline, stated: Sequence[OpeningStated]) -> OpeningStated | None:
    """What the openings that rows and people give come to, the end of duty left aside."""
    if not stated:
        return None
    # Who left and is then said to be gone or to have no place is looked for since the leaving: no word postpones it.
    since = min(opening.since for opening in stated)
    urgent = any(opening.urgency is Urgency.IMMEDIATE for opening in stated)
    return _with_words(time, replace(stated[-1], since=since, urgency=Urgency.IMMEDIATE if urgent else Urgency.NORMAL))


def _found(time: Timeline, opening: OpeningStated) -> bool:
    return any(saying.what is What.FOUND and saying.on >= opening.since for saying in time.history.sayings)


def _left(time: Timeline) -> OpeningStated | NotLeft:
    last = time.last_run()
    if last is None:
        return NotLeft.NEVER_HERE
    if not time.shows(last.until):
        return NotLeft.IN_FORCE if last.until > time.today else NotLeft.NOT_SHOWN
    if last.last and not any(span.known_form for span in last.last):
        return NotLeft.UNKNOWN_FORM
    if _told_before_baseline(time, last):
        return NotLeft.BEFORE_BASELINE
    opening = OpeningStated(OpeningKind.LEFT, last.until)
    later = next((run for run in time.runs if run.begins > time.today), None)
    if later is not None:
        told = _with_words(time, opening)
        if later.begins <= due_day(told.since, told.urgency, told.planned_start, time.policy, time.calendar):
            return NotLeft.LATER_ROW
    return opening


def _by_word(time: Timeline) -> OpeningStated | None:
    """Gone though enrolled, or a no-show, until found or until a presence begins after it."""
    last = time.last_run()
    standing = [
        cut.opening
        for cut in time.cuts
        # What ended by the day the word is about is what the word is about, and answers nothing.
        if cut.begins <= time.today < cut.back_said_on and (last is None or last.until <= max(cut.begins, cut.on))
    ]
    return min(standing, key=lambda opening: (opening.urgency is Urgency.NORMAL, opening.since), default=None)


def _not_placed(time: Timeline) -> OpeningStated | None:
    said = [saying for saying in time.history.sayings if saying.what is What.NOT_PLACED and saying.on <= time.today]
    if not said:
        return None
    newest = max(said, key=lambda saying: (saying.said_on, saying.on))
    last = time.last_run()
    in_force = last is not None and not time.shows(last.until)
    if in_force or (last is not None and last.begins > newest.on):
        return None
    return OpeningStated(OpeningKind.NOT_PLACED, newest.on)


def _with_words(time: Timeline, opening: OpeningStated) -> OpeningStated:
    """What people said of this leaving: urgent, the reason, the planned start elsewhere."""
    if opening.urgency is Urgency.IMMEDIATE or pressing_words(time):
        return replace(opening, urgency=Urgency.IMMEDIATE)
    planned = _newest(_words(time), What.PLANNED_START)
    return opening if planned is None else replace(opening, planned_start=planned.on)


def pressing_words(time: Timeline) -> tuple[Saying, ...]:
    """What people said that makes an opening immediate."""
    words = _words(time)
    newest = (_newest(words, What.REASON), _newest(words, What.URGENT))
    return tuple(word for word in newest if word is not None and makes_immediate(word))


def _words(time: Timeline) -> list[Saying]:
    """What was said since the last presence began; before it, it was about another leaving."""
    last = time.last_run()
    begins = LONG_AGO if last is None else last.begins
    return [saying for saying in time.history.sayings if saying.said_on >= begins]


def first_day_told(facts: ImportFacts) -> date:
    """The first day whose arrivals and leavings the baseline import tells."""
    baseline = facts.baseline
    june = date(baseline.year if (baseline.month, baseline.day) >= (6, 1) else baseline.year - 1, 6, 1)
    return min(baseline - timedelta(days=BASELINE_DAYS), june)


def _told_before_baseline(time: Timeline, run: Run) -> bool:
    """Left before the member had anything to say, and too long ago for the baseline import to tell."""
    if run.until >= first_day_told(time.facts):
        return False
    return not any(stretch.begins < run.until and run.begins < stretch.until for stretch in time.said)


def explains(duty: Duty, opening: OpeningStated) -> bool:
    """An end of duty does not explain what a person says long after it."""
    return opening.since <= duty.ended.begins + timedelta(days=DUTY_ENDED_DAYS)


def _opened_before(time: Timeline, duty: Duty) -> bool:
    """Whether the opening had been said when the end of duty was first shown: then it stays beside it."""
    before = duty.shown_on - DAY
    if not time.known or before < time.known[0].as_of:
        return False
    return statement(time.history, time.facts, before, time.policy, time.calendar).opening is not None


def _presences(time: Timeline, duty: Duty | None) -> list[tuple[Run, Presence]]:
    oldest = months_before(time.today, REMEMBERED_MONTHS)
    gone = _by_word(time) is not None
    waits = held(time)
    result: list[tuple[Run, Presence]] = []
    for run in time.runs:
        until = run.until
        if duty is not None and run.begins < duty.ended.begins <= time.today:
            until = min(until, duty.ended.begins)
        if waits is not None and run.begins < waits.since <= time.today:
            # The school still lists the pupil until the withdrawal is made: it has the pupil no more.
            until = min(until, waits.since)
        if run.begins > time.today or until <= oldest:
            continue
        # An end of duty, or a person's word, ends the presence itself: no school day has to show it.
        by_duty = duty is not None and until == duty.ended.begins
        ended = until <= time.today and (until < run.until or by_duty or gone or time.shows(until))
        presence = Presence(
            begins=None if run.begins < oldest else run.begins,
            until=until if ended else None,
            affirmed_on=_affirmed_on(time, run, until, ended=ended),
            met_on=max(
                (s.on for s in time.history.sayings if s.what is What.MET and run.begins <= s.on < until),
                default=None,
            ),
        )
        result.append((run, presence))
    return result


def _affirmed_on(time: Timeline, run: Run, until: date, *, ended: bool) -> date | None:
    days = [max(stretch.begins, run.begins) for stretch in time.said if _overlaps(stretch, run.begins, until)]
    if time.history.calls and not ended and not _moves(time, run):
        # The member had it when it joined and told of no arrival. What the roll call brings up answers by its begin:
        # that a row was still there since the baseline shows nobody to be there.
        days = [day for day in days if day > time.facts.baseline] or [run.begins]
    days += _affirmed(time, run, until)
    return max((day for day in days if day <= time.today), default=None)


def _affirmed(time: Timeline, run: Run, until: date) -> list[date]:
    """The days on which a person made sure of the presence."""
    return [s.on for s in time.history.sayings if s.what is What.AFFIRM and run.begins <= s.on < until]


def _moves(time: Timeline, run: Run) -> bool:
    """Movers only: an arrival the member tells of, not a pupil it had when it joined, unless a person affirms that."""
    if _affirmed(time, run, run.until):
        return True
    baseline = time.facts.baseline
    first = time.known[0]
    had = (
        first.as_of <= baseline
        and run.begins <= baseline
        and any(before.begins < run.until and run.begins < before.until for before in first.runs)
    )
    return not had or (first_day_told(time.facts) <= run.begins and run.begins not in time.facts.mass_start_days)


def _called(time: Timeline, presences: Sequence[tuple[Run, Presence]]) -> tuple[bool, tuple[Call, ...]]:
    """Whether the presence in force answers some call, and the calls that it does not: it began before the leaver's.

    A row that nobody closed would answer for a pupil who came through here long ago: a person has to affirm it. That
    exports have shown it since the baseline says nothing, hence no `affirmed_on`.
    """
    in_force = [run for run, presence in presences if presence.until is None]
    if not in_force:
        return False, ()
    doubted = tuple(call for call in time.history.calls if not any(_answers(time, run, call) for run in in_force))
    return len(doubted) < len(time.history.calls), doubted


def _answers(time: Timeline, run: Run, call: Call) -> bool:
    # A begin was told if it was recent on the day of the call: what has answered does not cease to by ageing.
    recent = run.begins >= months_before(call.called_on, REMEMBERED_MONTHS)
    return max((run.begins if recent else LONG_AGO, *_affirmed(time, run, run.until))) >= call.begun_since


def _recheck_on(time: Timeline) -> date | None:
    # A row that begins within a run says that the duty to attend, ended before it, is there again.
    days = [run.begins for run in time.runs] + [span.begins for span in time.spans]
    for run in time.runs:
        if run.until > time.today:
            days.append(run.until)
        elif not time.protected:
            days.append(time.calendar.first_on_or_after(run.until))
    days += [day for saying in time.history.sayings for day in (saying.on, saying.on + DAY)]
    days += [saying.review + DAY for saying in time.history.sayings if saying.review is not None]
    return min((day for day in days if time.today < day < FOREVER), default=None)


def _unknown_forms(time: Timeline) -> frozenset[str]:
    newest: Observation | None = time.history.observations[-1] if time.history.observations else None
    rows = newest.rows if newest is not None and newest.rows is not None else ()
    return frozenset(row.form for row in rows if not is_known(row.form))


def _overlaps(stretch: Stretch, begins: date, until: date) -> bool:
    return stretch.begins < until and begins < stretch.until


def _newest(sayings: Sequence[Saying], what: What) -> Saying | None:
    """Of two said on one day the later one, which corrects the earlier: sayings come in the order they were said."""
    return max(
        (saying for saying in reversed(sayings) if saying.what is what), key=lambda saying: saying.said_on, default=None
    )
