"""Histories about numbers, protected identities and faulty rows."""

from __future__ import annotations

from dataclasses import replace

from federation.demo.generator.people import Entry, Row
from federation.demo.generator.plots.moves import ANSWERED, OPEN, entry
from federation.demo.generator.schooldays import DAY
from federation.demo.generator.stage import DoesNotFitError, Gap, Stage, Story

MARKINGS = ("Sekretessmarkering", "Skyddad folkbokföring")


def rekey(stage: Stage) -> Story:
    """Leaves under a samordningsnummer, begins elsewhere under a personnummer; the old member learns it later."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.told(told, stage.open_from(last + DAY, told) + 1)
    learnt = stage.later(arrived, least=1)
    new = stage.row(there, pupil, stage.arrival(arrived, last + DAY))
    ended = row.ended(last)
    left = stage.file(
        here,
        pupil,
        {
            0: entry(pupil.samordning, row),
            told: entry(pupil.samordning, ended),
            learnt: entry(pupil.number, ended),
        },
    )
    found = stage.file(there, pupil, {arrived: entry(pupil.number, new)})
    return Story((left, found), stage.cases(Gap(left, last + DAY, {told: OPEN, learnt: ANSWERED})))


def rekey_lost(stage: Stage) -> Story:
    """Has a samordningsnummer, gets a personnummer while enrolled, and is lost under it."""
    pupil, here = stage.pupil(), stage.member()
    learnt = stage.told()
    told = stage.later(learnt, least=1)
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    file = stage.file(
        here,
        pupil,
        {
            0: entry(pupil.samordning, row),
            learnt: entry(pupil.number, row),
            told: entry(pupil.number, row.ended(last)),
        },
    )
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN})))


def tf(stage: Stage) -> Story:
    """Is lost under a temporary number, which is never sent: a case of the member's own."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    temporary = stage.people.temporary(pupil)
    scenes = {0: entry(temporary, row), told: entry(temporary, row.ended(last))}
    file = stage.file(here, pupil, scenes)
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN}, route="unlinkable")))


def tf_resolved(stage: Stage) -> Story:
    """Has a temporary number, gets a personnummer while enrolled, and is lost under it: sent like any other."""
    pupil, here = stage.pupil(), stage.member()
    learnt = stage.told()
    told = stage.later(learnt, least=1)
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    scenes = {
        0: entry(stage.people.temporary(pupil), row),
        learnt: entry(pupil.number, row),
        told: entry(pupil.number, row.ended(last)),
    }
    file = stage.file(here, pupil, scenes)
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN})))


def bad_number(stage: Stage) -> Story:
    """Is lost under a number whose check digit is wrong: reported, never sent, watched all the same."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    file = stage.file(here, pupil, {0: entry(pupil.invalid, row), told: entry(pupil.invalid, row.ended(last))})
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN}, route="unlinkable")), rejected=1)


def number_lost(stage: Stage) -> Story:
    """The number goes missing from a known pupil's row before the pupil is lost: the sound one is kept."""
    pupil, here = stage.pupil(), stage.member()
    broken = stage.told()
    told = stage.later(broken, least=1)
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    scenes = {
        0: entry(pupil.number, row),
        broken: Entry(None, (row,)),
        told: Entry(None, (row.ended(last),)),
    }
    file = stage.file(here, pupil, scenes)
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN})), rejected=1)


def bad_date(stage: Stage) -> Story:
    """Beside the row that counts stands one whose start is no date."""
    pupil, here = stage.pupil(), stage.member()
    row = stage.row(here, pupil)
    faulty = replace(stage.row(here, pupil), start_text="2025-13-01")
    return Story((stage.file(here, pupil, {0: entry(pupil.number, row, faulty)}),), rejected=1)


def new_uuid(stage: Stage) -> Story:
    """The school system gives the pupil a new id: the number is the same, so nobody left."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    present = entry(pupil.number, stage.row(here, pupil))
    old = stage.file(here, pupil, {0: present, told: None})
    return Story((old, stage.file(here, pupil, {told: present})))


def _marked(stage: Stage, *rows: Row, number: str) -> Entry:
    return Entry(number, rows, marking=stage.rng.choice(MARKINGS))


def _hidden(stage: Stage, gap: Gap, since: int) -> Gap:
    """The gap of a pupil who is marked from the date index `since` on: the member's own affair, and open at once.

    Under the policy `same` it is a gap like any other.
    """
    return gap if stage.protected_same else replace(gap, route="protected", at_once=since)


def protected(stage: Stage) -> Story:
    """Has a protected identity and leaves: nothing is sent, a case of the member's own is opened at once."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    marked = _marked(stage, row, number=pupil.number)
    scenes = {0: marked, told: replace(marked, rows=(row.ended(last),))}
    file = stage.file(here, pupil, scenes)
    return Story((file,), stage.cases(_hidden(stage, Gap(file, last + DAY, {told: OPEN}), told)))


def protected_later(stage: Stage) -> Story:
    """Is marked while enrolled and leaves after that."""
    pupil, here = stage.pupil(), stage.member()
    marked_at = stage.told()
    told = stage.later(marked_at, least=1)
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    marked = _marked(stage, row, number=pupil.number)
    scenes = {
        0: entry(pupil.number, row),
        marked_at: marked,
        told: replace(marked, rows=(row.ended(last),)),
    }
    file = stage.file(here, pupil, scenes)
    return Story((file,), stage.cases(_hidden(stage, Gap(file, last + DAY, {told: OPEN}), told)))


def marked_after(stage: Stage) -> Story:
    """Leaves, and is marked after the opening was said: what was said stands, and the case is opened at once."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    if stage.term.nth(last + DAY, 1) > stage.term.as_of[told]:
        raise DoesNotFitError
    marked_at = stage.later(told, least=1)
    ended = row.ended(last)
    scenes = {
        0: entry(pupil.number, row),
        told: entry(pupil.number, ended),
        marked_at: _marked(stage, ended, number=pupil.number),
    }
    file = stage.file(here, pupil, scenes)
    return Story((file,), stage.cases(_hidden(stage, Gap(file, last + DAY, {told: OPEN}), marked_at)))


def marked_after_move(stage: Stage) -> Story:
    """Moves in time; then either member marks the pupil. The gap was answered, and what answered it stands."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.told(told, stage.open_from(last + DAY, told))
    if stage.term.nth(last + DAY, 1) > stage.term.as_of[told]:
        raise DoesNotFitError
    # Earlier, the member could not know yet that its gap is answered: it hears of that when the watch is over.
    marked_at = stage.later(max(arrived, stage.open_from(last + DAY, told)), most=3)
    if marked_at == told:
        raise DoesNotFitError
    new, ended = stage.row(there, pupil, stage.arrival(arrived, last + DAY)), row.ended(last)
    left = {0: entry(pupil.number, row), told: entry(pupil.number, ended)}
    found = {arrived: entry(pupil.number, new)}
    if stage.rng.random() < 0.5:
        left[marked_at] = _marked(stage, ended, number=pupil.number)
    else:
        found[marked_at] = _marked(stage, new, number=pupil.number)
        if marked_at == arrived:
            raise DoesNotFitError
    return Story((stage.file(here, pupil, left), stage.file(there, pupil, found)))


def moved_hidden(stage: Stage) -> Story:
    """Moves to where the identity is protected: that member says nothing, and the first keeps an open case."""
    pupil, here = stage.pupil(), stage.member()
    there, told = stage.member(here), stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    arrived = stage.later(told, most=1)
    new = stage.row(there, pupil, stage.arrival(arrived, last + DAY))
    left = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    hidden = stage.file(there, pupil, {arrived: _marked(stage, new, number=pupil.number)})
    states = {told: OPEN, arrived: ANSWERED} if stage.protected_same else {told: OPEN}
    return Story((left, hidden), stage.cases(Gap(left, last + DAY, states)))


def renumbered(stage: Stage) -> Story:
    """Is given another personnummer while enrolled, and leaves: taken for a protected identity, and never sent."""
    pupil, here = stage.pupil(), stage.member()
    known = stage.told()
    told = stage.later(known, least=1)
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    number = stage.people.renumbered(pupil)
    scenes = {0: entry(pupil.number, row), known: entry(number, row), told: entry(number, row.ended(last))}
    file = stage.file(here, pupil, scenes)
    # At once means here: as soon as a school day shows that the pupil stays away. Only a marking is believed before.
    shows = max(told, stage.term.index(stage.term.nth(last + DAY, 1)))
    gap = Gap(file, last + DAY, {shows: OPEN}, route="protected", at_once=shows)
    return Story((file,), stage.cases(gap))
