"""Histories at one member: someone leaves for nowhere, seems to, changes schools, or comes back."""

from __future__ import annotations

from federation.demo.generator.people import Pupil, Row
from federation.demo.generator.plots.moves import ANSWERED, OPEN, TAKEN_BACK_WITHIN, VOID, entry
from federation.demo.generator.schooldays import DAY
from federation.demo.generator.stage import DoesNotFitError, Gap, Stage, Story
from federation.rules.vocabulary import MemberId


def stay(stage: Stage) -> Story:
    """Nothing happens."""
    pupil, here = stage.pupil(year=stage.rng.randint(1, 9)), stage.member()
    return Story((stage.file(here, pupil, {0: entry(pupil.number, stage.row(here, pupil))}),))


def ends_in_summer(stage: Stage) -> Story:
    """The row carries the end of the school year from the start: no leaving before that day."""
    pupil, here = stage.pupil(), stage.member()
    row = stage.row(here, pupil).ended(stage.term.as_of[-1] + stage.rng.randint(30, 200) * DAY)
    return Story((stage.file(here, pupil, {0: entry(pupil.number, row)}),))


def arrival(stage: Stage) -> Story:
    """Comes from outside the federation and stays."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil, stage.arrival(told, stage.settled))
    return Story((stage.file(here, pupil, {told: entry(pupil.number, row)}),))


def arrival_cancelled(stage: Stage) -> Story:
    """An arrival from outside is cancelled soon after: it never was, so nobody left."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil, stage.arrival(told, stage.settled))
    withdrawn = stage.later(told, least=1, most=2)
    if stage.term.between(stage.term.as_of[told], stage.term.as_of[withdrawn]) > TAKEN_BACK_WITHIN:
        raise DoesNotFitError
    scenes = {told: entry(pupil.number, row), withdrawn: entry(pupil.number, row.withdrawn())}
    return Story((stage.file(here, pupil, scenes),))


def inner(stage: Stage) -> Story:
    """Changes to another school of the same member, at once or over a weekend or a break."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told)
    start = stage.rng.choice((last + DAY, stage.term.nth(last + DAY, 1)))
    new = stage.row(here, pupil, start)
    scenes = {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last), new)}
    return Story((stage.file(here, pupil, scenes),))


def two_schools(stage: Stage) -> Story:
    """Is enrolled at two schools of one member and leaves one of them."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row, other = stage.row(here, pupil), stage.row(here, pupil)
    if row.unit == other.unit:
        raise DoesNotFitError
    scenes = {
        0: entry(pupil.number, row, other),
        told: entry(pupil.number, row.ended(stage.day_before(told)), other),
    }
    return Story((stage.file(here, pupil, scenes),))


def own_later_row(stage: Stage) -> Story:
    """Leaves with a later row of the same member that starts before the watch would be over: no leaving."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told)
    new = stage.row(here, pupil, stage.term.nth(last + DAY, stage.rng.randint(1, stage.term.watch)))
    scenes = {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last), new)}
    return Story((stage.file(here, pupil, scenes),))


def own_row_too_late(stage: Stage) -> Story:
    """Leaves with a later row of the same member that starts after the watch: open until that row begins."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    new = stage.row(here, pupil, stage.term.nth(last + DAY, stage.term.watch + stage.rng.randint(1, 12)))
    file = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last), new)})
    begun = max(told, stage.term.index(new.start))
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN, begun: ANSWERED})))


def lost(stage: Stage) -> Story:
    """The row ends and nobody else has the pupil: the case this project is for."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    file = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN})))


def told_late(stage: Stage) -> Story:
    """As `lost`, but the school enters the end weeks after: open at the first close that knows."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told(3)
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row) - stage.rng.randint(14, 40) * DAY
    if last < stage.term.as_of[0]:
        raise DoesNotFitError
    file = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN})))


def told_early(stage: Stage) -> Story:
    """As `lost`, but the end is entered weeks before it comes."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.term.as_of[told] + stage.rng.randint(7, 28) * DAY
    left = stage.term.index(last + DAY)
    stage.leave(row, left)
    file = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))})
    return Story((file,), stage.cases(Gap(file, last + DAY, {left: OPEN})))


def left_before(stage: Stage) -> Story:
    """Left within the sixty days before the baseline and is nowhere: the baseline itself tells it."""
    pupil, here = stage.pupil(), stage.member()
    last = stage.term.as_of[0] - stage.rng.randint(2, 50) * DAY
    row = stage.row(here, pupil)
    if last < row.start:
        raise DoesNotFitError
    file = stage.file(here, pupil, {0: entry(pupil.number, row.ended(last))})
    return Story((file,), stage.cases(Gap(file, last + DAY, {0: OPEN})))


def left_long_before(stage: Stage) -> Story:
    """Left more than a year before the baseline: of no interest any more."""
    pupil, here = stage.pupil(), stage.member()
    last = stage.term.as_of[0] - stage.rng.randint(400, 500) * DAY
    row = stage.row(here, pupil, last - 200 * DAY).ended(last)
    return Story((stage.file(here, pupil, {0: entry(pupil.number, row)}),))


def vanish_lost(stage: Stage) -> Story:
    """Is no longer in the exports; since the first that lacks the pupil."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    stage.leave(row, told)
    file = stage.file(here, pupil, {0: entry(pupil.number, row), told: None})
    return Story((file,), stage.cases(Gap(file, stage.term.as_of[told], {told: OPEN})))


def vanish_back(stage: Stage) -> Story:
    """Is no longer in the exports, long enough for a case, and then is again: it never was."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    stage.leave(row, told)
    since = stage.term.as_of[told]
    back = stage.later(stage.open_from(since, told), least=1)
    present = entry(pupil.number, row)
    file = stage.file(here, pupil, {0: present, told: None, back: present})
    return Story((file,), stage.cases(Gap(file, since, {told: OPEN, back: VOID})))


def vanish_explained(stage: Stage) -> Story:
    """Is no longer in the exports, and then is again, with an end date: that date is the one that counts."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row) - DAY
    back = stage.later(told, least=1)
    file = stage.file(
        here, pupil, {0: entry(pupil.number, row), told: None, back: entry(pupil.number, row.ended(last))}
    )
    gap = Gap(file, last + DAY, {told: OPEN}, before=(back, stage.term.as_of[told]))
    return Story((file,), stage.cases(gap))


def glitch(stage: Stage) -> Story:
    """One export lacks the pupil and the next has it again."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told(1, stage.term.last - 1)
    row = stage.row(here, pupil)
    stage.leave(row, told)
    present = entry(pupil.number, row)
    file = stage.file(here, pupil, {0: present, told: None, told + 1: present})
    return Story((file,), stage.cases(Gap(file, stage.term.as_of[told], {told: OPEN, told + 1: VOID})))


def back(stage: Stage) -> Story:
    """The end of the row is removed after the case was opened: the pupil never left."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    corrected = stage.later(stage.open_from(last + DAY, told), least=1)
    present = entry(pupil.number, row)
    file = stage.file(here, pupil, {0: present, told: entry(pupil.number, row.ended(last)), corrected: present})
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN, corrected: VOID})))


def end_taken_back(stage: Stage) -> Story:
    """The end of the row is removed on the next export."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told(1, stage.term.last - 1)
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    present = entry(pupil.number, row)
    file = stage.file(here, pupil, {0: present, told: entry(pupil.number, row.ended(last)), told + 1: present})
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN, told + 1: VOID})))


def end_corrected(stage: Stage) -> Story:
    """The end of the row is corrected to an earlier day after the case was opened: the same gap, since that day."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    corrected = stage.later(stage.open_from(last + DAY, told), least=1)
    earlier = last - stage.rng.randint(1, 10) * DAY
    file = stage.file(
        here,
        pupil,
        {
            0: entry(pupil.number, row),
            told: entry(pupil.number, row.ended(last)),
            corrected: entry(pupil.number, row.ended(earlier)),
        },
    )
    gap = Gap(file, earlier + DAY, {told: OPEN}, before=(corrected, last + DAY))
    return Story((file,), stage.cases(gap))


def reopened_row(stage: Stage) -> Story:
    """Comes back to the same member with a new row."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    back = stage.later(told, least=2, most=5)
    new = stage.row(here, pupil, stage.arrival(back, last + DAY))
    file = stage.file(
        here,
        pupil,
        {
            0: entry(pupil.number, row),
            told: entry(pupil.number, row.ended(last)),
            back: entry(pupil.number, row.ended(last), new),
        },
    )
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN, back: ANSWERED})))


def lost_twice(stage: Stage) -> Story:
    """Goes missing, comes back with a new row, and goes missing again: two gaps."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    back = stage.later(stage.open_from(last + DAY, told), least=1, most=2)
    new = stage.row(here, pupil, stage.arrival(back, stage.term.nth(last + DAY, 2)))
    again = stage.later(back, least=1)
    gone = stage.day_before(again, row=new)
    if gone < new.start:
        raise DoesNotFitError
    old = row.ended(last)
    file = stage.file(
        here,
        pupil,
        {
            0: entry(pupil.number, row),
            told: entry(pupil.number, old),
            back: entry(pupil.number, old, new),
            again: entry(pupil.number, old, new.ended(gone)),
        },
    )
    return Story(
        (file,),
        stage.cases(
            Gap(file, last + DAY, {told: OPEN, back: ANSWERED}),
            Gap(file, gone + DAY, {again: OPEN}),
        ),
    )


def cancelled_here(stage: Stage) -> Story:
    """A row that stood at the baseline is cancelled: the pupil has left, on the day the export says so."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    stage.leave(row, told)
    file = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.withdrawn())})
    return Story((file,), stage.cases(Gap(file, stage.term.as_of[told], {told: OPEN})))


def preschool(stage: Stage) -> Story:
    """Leaves a preschool, which is no school."""
    pupil, here = stage.pupil(form="FS", year=0), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    scenes = {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(stage.day_before(told)))}
    return Story((stage.file(here, pupil, scenes),))


def unknown_form(stage: Stage) -> Story:
    """Leaves a school form that the federation does not know: reported, but no alarm."""
    pupil, here = stage.pupil(form="GRX"), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    scenes = {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(stage.day_before(told)))}
    return Story((stage.file(here, pupil, scenes),))


def out_of_school(stage: Stage) -> Story:
    """Leaves school for adult education, which is no school either: missing all the same."""
    pupil, here = stage.pupil(), stage.member()
    told = stage.told()
    row = stage.row(here, pupil)
    last = stage.day_before(told, row=row)
    new = stage.row(here, pupil, last + DAY, form="VUX")
    file = stage.file(here, pupil, {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last), new)})
    return Story((file,), stage.cases(Gap(file, last + DAY, {told: OPEN})))


def _whole_unit(stage: Stage) -> tuple[MemberId, list[Pupil], list[Row]]:
    """A member, and the pupils of one school unit with their rows: more than may leave at once without a question."""
    here, unit = stage.member(), stage.new_unit()
    pupils = [stage.pupil() for _ in range(stage.rng.randint(11, 14))]
    return here, pupils, [stage.row(here, pupil, unit=unit) for pupil in pupils]


def school_glitch(stage: Stage) -> Story:
    """One export lacks a whole school unit and the next has it again: nothing is ever said."""
    here, pupils, rows = _whole_unit(stage)
    told = stage.told(1, stage.term.last - 1)
    files = []
    for pupil, row in zip(pupils, rows, strict=True):
        present = entry(pupil.number, row)
        files.append(stage.file(here, pupil, {0: present, told: None, told + 1: present}))
    return Story(tuple(files))


def school_closes(stage: Stage) -> Story:
    """A whole school unit leaves on one export; some pupils begin elsewhere, the others are nowhere.

    What so many do at once is only believed when exports of five school days say so, or of twenty where they are dated
    in the summer break.
    """
    here, pupils, rows = _whole_unit(stage)
    there = stage.member(here)
    told = stage.told()
    last = stage.term.as_of[told] - stage.rng.randint(1, 6) * DAY
    believed = stage.believed(told, last + DAY)
    files, gaps = [], []
    for number, (pupil, row) in enumerate(zip(pupils, rows, strict=True)):
        scenes = {0: entry(pupil.number, row), told: entry(pupil.number, row.ended(last))}
        left = stage.file(here, pupil, scenes)
        files.append(left)
        if number % 3:
            new = stage.row(there, pupil, stage.arrival(told, last + DAY))
            files.append(stage.file(there, pupil, {told: entry(pupil.number, new)}))
        else:
            gaps.append(Gap(left, last + DAY, {believed: OPEN}))
    return Story(tuple(files), stage.cases(*gaps))
