"""Histories between two members: someone moves, in time or late, or seems to.

`last` is the last day in school, `since` the day after, `told` the date index at which an export first shows something.
"""

from __future__ import annotations

from federation.demo.generator.people import Entry, Row
from federation.demo.generator.schooldays import DAY
from federation.demo.generator.stage import DoesNotFitError, Gap, Stage, Story
from federation.rules.vocabulary import GapState

OPEN, ANSWERED, VOID = GapState.OPEN, GapState.ANSWERED, GapState.VOID

TAKEN_BACK_WITHIN = 18
SETTLED_IN_AFTER = 22
"""School days on both sides of the twenty at which a presence stops being taken back by a cancelled row."""


def entry(number: str, *rows: Row) -> Entry:
    return Entry(number, rows)


def move_ok(stage: Stage, form: str | None = None) -> Story:
    """Leaves one member and is shown by the next, in `form`, before the watch is over."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    answered = stage.told(max(1, told - 1), stage.open_from(last + DAY, told))
    new = stage.row(there, pupil, stage.arrival(answered, last + DAY), form=form)
    return Story(
        (
            stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))}),
            stage.file(there, pupil, {answered: entry(pupil.number, new)}),
        )
    )


def move_late(stage: Stage) -> Story:
    """The next member shows the pupil only after the case was opened."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    answered = stage.later(stage.open_from(last + DAY, told), least=1)
    new = stage.row(there, pupil, stage.arrival(answered, last + DAY))
    left = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    found = stage.file(there, pupil, {answered: entry(pupil.number, new)})
    return Story((left, found), stage.cases(Gap(left, last + DAY, {told: OPEN, answered: ANSWERED})))


def vanish_ok(stage: Stage) -> Story:
    """Vanishes from one member's exports and is shown by the next in time."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    stage.leave(row, told)
    since = stage.term.as_of[told]
    answered = stage.told(told, stage.open_from(since, told))
    new = stage.row(there, pupil, stage.arrival(answered, since - 6 * DAY))
    return Story(
        (
            stage.file(here, pupil, {0: entry(pupil.number, row), told: None}),
            stage.file(there, pupil, {answered: entry(pupil.number, new)}),
        )
    )


def overlap(stage: Stage) -> Story:
    """The new school begins a few days before the old one ends."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    start = last - stage.rng.randint(1, 5) * DAY
    shown = stage.term.index(start)
    return Story(
        (
            stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))}),
            stage.file(there, pupil, {shown: entry(pupil.number, stage.row(there, pupil, start))}),
        )
    )


def lost_by_two(stage: Stage) -> Story:
    """Goes to schools of two members for some weeks and leaves both on one day, for nowhere: a case at each."""
    pupil, here = stage.pupil(), stage.member()
    # In the first half of the term: both cases have opened by its end.
    there, told = stage.member(here), stage.told(2, stage.term.last // 2)
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    start = last - stage.rng.randint(8, 20) * DAY
    shown = stage.term.index(start)
    if start <= stage.term.as_of[0] or shown >= told:
        raise DoesNotFitError
    new = stage.row(there, pupil, start)
    stage.leave(new, told)
    first = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    second = stage.file(there, pupil, {shown: entry(pupil.number, new), told: entry(pupil.number, new.ended(last))})
    left = {told: OPEN}
    return Story((first, second), stage.cases(Gap(first, last + DAY, left), Gap(second, last + DAY, left)))


def chain(stage: Stage) -> Story:
    """Moves in time, then leaves the second member for nowhere: only the second has a case."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.told(told, stage.open_from(last + DAY, told))
    new = stage.row(there, pupil, stage.arrival(arrived, last + DAY))
    again = stage.later(arrived, least=1, most=6)
    gone = stage.day_before(again, row=new)
    if gone < new.start:
        raise DoesNotFitError
    second = stage.file(there, pupil, {arrived: entry(pupil.number, new), again: entry(pupil.number, new.ended(gone))})
    first = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    return Story((first, second), stage.cases(Gap(second, gone + DAY, {again: OPEN})))


def chain_late(stage: Stage) -> Story:
    """Is missing, is found elsewhere, and goes missing there: a case at either member, one after the other."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.later(stage.open_from(last + DAY, told), least=1)
    new = stage.row(there, pupil, stage.arrival(arrived, last + DAY))
    again = stage.later(arrived, least=1, most=6)
    gone = stage.day_before(again, row=new)
    if gone < new.start:
        raise DoesNotFitError
    first = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    second = stage.file(there, pupil, {arrived: entry(pupil.number, new), again: entry(pupil.number, new.ended(gone))})
    return Story(
        (first, second),
        stage.cases(Gap(first, last + DAY, {told: OPEN, arrived: ANSWERED}), Gap(second, gone + DAY, {again: OPEN})),
    )


def chain_back(stage: Stage) -> Story:
    """Moves in time and moves back in time, with a new row at the old school."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.told(told, stage.open_from(last + DAY, told))
    new = stage.row(there, pupil, stage.arrival(arrived, last + DAY))
    again = stage.later(arrived, least=1, most=6)
    gone = stage.day_before(again, row=new)
    if gone < new.start:
        raise DoesNotFitError
    home = stage.told(again, stage.open_from(gone + DAY, again))
    back = stage.row(here, pupil, stage.arrival(home, gone + DAY))
    if stage.term.between(last + DAY, back.start) == 0:
        # Away for days without school alone: at the old member that is one presence, which answers nothing newer.
        raise DoesNotFitError
    old = row.ended(last)
    return Story(
        (
            stage.file(
                here,
                pupil,
                {0: entry(pupil.number, row), told: entry(pupil.number, old), home: entry(pupil.number, old, back)},
            ),
            stage.file(there, pupil, {arrived: entry(pupil.number, new), again: entry(pupil.number, new.ended(gone))}),
        )
    )


def cancelled_there(stage: Stage) -> Story:
    """The new member cancels the enrolment soon after: it never was, and the first member's gap counts again."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.told(told, stage.open_from(last + DAY, told))
    new = stage.row(there, pupil, stage.arrival(arrived, last + DAY))
    withdrawn = stage.later(arrived, least=1)
    if stage.term.between(stage.term.as_of[arrived], stage.term.as_of[withdrawn]) > TAKEN_BACK_WITHIN:
        raise DoesNotFitError
    left = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    never = stage.file(
        there, pupil, {arrived: entry(pupil.number, new), withdrawn: entry(pupil.number, new.withdrawn())}
    )
    states = {told: OPEN, arrived: ANSWERED, withdrawn: OPEN}
    return Story((left, never), stage.cases(Gap(left, last + DAY, states)))


def cancelled_after_all(stage: Stage) -> Story:
    """An arrival is cancelled after more than twenty school days: the pupil has left, on the day the export says so."""
    pupil, there = stage.pupil(), stage.member()
    arrived = stage.told()
    new = stage.row(there, pupil, stage.arrival(arrived, stage.settled))
    withdrawn = stage.later(arrived, least=4, most=8)
    if stage.term.between(stage.term.as_of[arrived], stage.term.as_of[withdrawn]) < SETTLED_IN_AFTER:
        raise DoesNotFitError
    stage.leave(new, withdrawn)
    file = stage.file(
        there, pupil, {arrived: entry(pupil.number, new), withdrawn: entry(pupil.number, new.withdrawn())}
    )
    return Story((file,), stage.cases(Gap(file, stage.term.as_of[withdrawn], {withdrawn: OPEN})))


def never_came(stage: Stage) -> Story:
    """The new member's row ends before it starts, which means it was cancelled from the first."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    shown = stage.later(told, most=1)
    new = stage.row(there, pupil, stage.arrival(shown, last + DAY))
    left = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    never = stage.file(there, pupil, {shown: entry(pupil.number, new.ended(new.start - DAY))})
    return Story((left, never), stage.cases(Gap(left, last + DAY, {told: OPEN})))


def end_taken_back_late(stage: Stage) -> Story:
    """Moves in time; weeks later the move is undone at both ends: the old row runs on, the new one ends."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.told(told, stage.open_from(last + DAY, told))
    new = stage.row(there, pupil, stage.arrival(arrived, last + DAY))
    undone = stage.later(arrived, least=2, most=5)
    if stage.term.index(stage.term.nth(last + DAY, 1)) >= undone:
        # Undone within a break: the old member never said that the pupil had left, so it has nothing to affirm.
        raise DoesNotFitError
    gone = stage.day_before(undone, days=5, row=new)
    ended = entry(pupil.number, row.ended(last))
    return Story(
        (
            stage.file(here, pupil, {0: entry(pupil.number, row), told: ended, undone: entry(pupil.number, row)}),
            stage.file(there, pupil, {arrived: entry(pupil.number, new), undone: entry(pupil.number, new.ended(gone))}),
        )
    )


def moved_before(stage: Stage) -> Story:
    """Left one member shortly before the baseline and began at another; both baselines tell it."""
    pupil, here = stage.pupil(), stage.member()
    there = stage.member(here)
    baseline = stage.term.as_of[0]
    last = baseline - stage.rng.randint(20, 50) * DAY
    start = baseline - stage.rng.randint(1, 15) * DAY
    row, new = stage.row(here, pupil).ended(last), stage.row(there, pupil, start)
    if last < row.start:
        raise DoesNotFitError
    return Story(
        (
            stage.file(here, pupil, {0: entry(pupil.number, row)}),
            stage.file(there, pupil, {0: entry(pupil.number, new)}),
        )
    )


def unknown_form_there(stage: Stage) -> Story:
    """The new member enrols in a school form the federation does not know, which counts as presence."""
    return move_ok(stage, form="GRX")


def enrolled_twice(stage: Stage) -> Story:
    """Was on two members' rolls when both began and leaves one: the other never had an arrival to tell of."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    left = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    stays = stage.file(there, pupil, {0: entry(pupil.number, stage.row(there, pupil))})
    return Story((left, stays), stage.cases(Gap(left, last + DAY, {told: OPEN})))
