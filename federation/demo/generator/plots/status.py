"""Histories in which the duty to attend school ends, or seems to: emigration, death, the last school year."""

from __future__ import annotations

from dataclasses import replace

from federation.demo.generator.people import Entry, Row
from federation.demo.generator.plots.moves import ANSWERED, OPEN, entry
from federation.demo.generator.schooldays import DAY
from federation.demo.generator.stage import DoesNotFitError, Gap, Stage, Story
from federation.rules.vocabulary import GapState

EMIGRATED, DECEASED = "Utvandrad", "Avliden"
EMIGRATION_DAYS = 30
"""Days from the last day in school within which the status has to appear to explain the leaving."""
SHORT_STAY, LONG_STAY = 18, 22
"""School days on both sides of the twenty under which a presence that ends in emigration answers nobody."""


def gone(number: str, status: str, *rows: Row) -> Entry:
    return Entry(number, rows, status=status)


def _ended_with(stage: Stage, status: str) -> Story:
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told)
    scenes = {0: entry(pupil.number, row), told: gone(pupil.number, status, row.ended(last))}
    return Story((stage.file(here, pupil, scenes),))


def emigrated(stage: Stage) -> Story:
    """The export that shows the end says that the pupil has emigrated."""
    return _ended_with(stage, EMIGRATED)


def deceased(stage: Stage) -> Story:
    """The export that shows the end says that the pupil has died."""
    return _ended_with(stage, DECEASED)


def _learnt_later(stage: Stage, status: str, *, within: bool) -> Story:
    """The status appears after the case was opened; `within` the days that let it explain the leaving, or not."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    learnt = stage.later(stage.open_from(last + DAY, told), least=1, most=4)
    days = (stage.term.as_of[learnt] - last).days
    if (days <= EMIGRATION_DAYS) is not within:
        raise DoesNotFitError
    file = stage.file(
        here,
        pupil,
        {
            0: entry(pupil.number, row),
            told: entry(pupil.number, row.ended(last)),
            learnt: gone(pupil.number, status, row.ended(last)),
        },
    )
    explained = within or status == DECEASED
    states = {told: OPEN, learnt: GapState.ENDED if explained else OPEN}
    return Story((file,), stage.cases(Gap(file, last + DAY, states)))


def emigrated_late(stage: Stage) -> Story:
    """The emigration appears after the case was opened, within thirty days of the last day: the gap has ended."""
    return _learnt_later(stage, EMIGRATED, within=True)


def emigrated_too_late(stage: Stage) -> Story:
    """The emigration appears after more than thirty days: it explains nothing, the case stays open."""
    return _learnt_later(stage, EMIGRATED, within=False)


def deceased_late(stage: Stage) -> Story:
    """The death appears after the case was opened, however late."""
    return _learnt_later(stage, DECEASED, within=stage.rng.random() < 0.5)


def _through(stage: Stage, status: str, *, short: bool) -> Story:
    """Moves to another member in time, which then says that the duty has ended."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.told(told, stage.open_from(last + DAY, told))
    new = stage.row(there, pupil, stage.arrival(arrived, last + DAY))
    over = stage.later(arrived, least=1, most=8)
    end = stage.day_before(over)
    length = stage.term.between(new.start, end + DAY)
    if end < new.start or (length > SHORT_STAY if short else length < LONG_STAY):
        raise DoesNotFitError
    left = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    passed = stage.file(
        there, pupil, {arrived: entry(pupil.number, new), over: gone(pupil.number, status, new.ended(end))}
    )
    states = {told: OPEN, arrived: ANSWERED}
    if short and status == EMIGRATED:
        states[over] = OPEN
    return Story((left, passed), stage.cases(Gap(left, last + DAY, states)))


def abroad_through_another(stage: Stage) -> Story:
    """Is enrolled elsewhere for a few days and then emigrated from there: that enrolment answers nothing."""
    return _through(stage, EMIGRATED, short=True)


def abroad_from_another(stage: Stage) -> Story:
    """Emigrates from the new member after having gone to school there: nothing to explain."""
    return _through(stage, EMIGRATED, short=False)


def died_at_another(stage: Stage) -> Story:
    """Dies within days of the new enrolment: that enrolment was real all the same."""
    return _through(stage, DECEASED, short=True)


def last_year_over(stage: Stage) -> Story:
    """Was in the last school year, which ended with the school year before the scenario: completed."""
    pupil, here = stage.pupil(form="GR", year=9), stage.member()
    summer = stage.summer_before()
    if summer is None:
        raise DoesNotFitError
    row = stage.row(here, pupil).ended(summer[0] - stage.rng.randint(1, 2) * DAY)
    return Story((stage.file(here, pupil, {0: entry(pupil.number, row)}),))


def last_year_ends(stage: Stage) -> Story:
    """The last school year ends within the scenario, with the start of the summer break: completed."""
    pupil = stage.pupil(form=stage.rng.choice(("GR", "GRS", "SAM")), year=9)
    here, told = stage.member(), stage.told()
    row = stage.row(here, pupil)
    summer = stage.summer_within()
    if summer is None or stage.term.as_of[told] <= summer[0]:
        raise DoesNotFitError
    last = summer[0] - stage.rng.randint(1, 2) * DAY
    scenes = {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))}
    return Story((stage.file(here, pupil, scenes),))


def over_the_summer(stage: Stage) -> Story:
    """The row ends with the school year and another begins with the next, entered only then: never away."""
    pupil, here = stage.pupil(), stage.member()
    summer = stage.summer_within()
    if summer is None:
        raise DoesNotFitError
    row = stage.row(here, pupil)
    ended = row.ended(summer[0] - DAY)
    first = stage.term.nth(summer[1] + DAY, 1)
    known, begins = stage.term.index(summer[0]), stage.term.index(first)
    if not 0 < known < begins <= stage.term.last:
        raise DoesNotFitError
    new = replace(stage.row(here, pupil, first), year=pupil.year + 1)
    scenes = {
        0: entry(pupil.number, row),
        known: entry(pupil.number, ended),
        begins: entry(pupil.number, ended, new),
    }
    return Story((stage.file(here, pupil, scenes),))


def lost_over_the_summer(stage: Stage) -> Story:
    """The row ends with the school year, not the last one, and no other begins: due in the new school year."""
    pupil, here = stage.pupil(), stage.member()
    summer = stage.summer_within()
    if summer is None:
        raise DoesNotFitError
    row = stage.row(here, pupil)
    last = summer[0] - DAY
    told = stage.term.index(summer[0])
    if not 0 < told <= stage.term.last:
        raise DoesNotFitError
    stage.leave(row, told)
    file = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN})))
