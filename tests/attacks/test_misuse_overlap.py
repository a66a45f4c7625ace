"""The question that an overlap raises, and a member that would use it, over the real store and the real close.

What an attacker learns at most by stating a presence it has not: whether another member has the pupil in force and
began later (then the attacker is asked, once, after ten school days); the other, if it began before, is asked, is told
nothing of whom, and its answer shows to nobody. Each number costs a lie that stands in the registry for two weeks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa

from federation.rules.vocabulary import Notice, NoticeKind, Presence, Signal
from registry.store.schema_limits import overlap_days
from tests.store.registry.scene import SINCE, A, B, C, Scene, again, arrival, pupil

DAY = timedelta(days=1)
LONG_HERE = Presence(date(2026, 1, 7), None, date(2026, 8, 24))
ELEVENTH = date(2026, 9, 15)
"""The eleventh school day from 1 September, the day on which both are present for over ten."""


def here(presence: Presence = LONG_HERE) -> Signal:
    return replace(arrival(pupil("p")), presences=(presence,))


def overlaps(scene: Scene, member: str = A) -> list[Notice]:
    return [notice for notice in scene.news(member) if notice.kind is NoticeKind.OVERLAP]  # type: ignore[arg-type]


def test_a_row_that_nobody_closed_is_asked_about_once_though_nothing_changes(limited: Scene) -> None:
    mine, theirs = here(), arrival(pupil("p"))
    limited.submit(A, mine)
    limited.submit(B, theirs)
    limited.close(SINCE)
    limited.close(ELEVENTH - DAY)
    assert overlaps(limited) == []
    report = limited.close(ELEVENTH)
    assert report.groups == 1
    [notice] = overlaps(limited)
    assert (notice.handle, notice.opening_number, notice.case_id) == (mine.handle, None, None)
    # Not the other, not again, and no group is looked at for it any more.
    for later in (1, 20, 60):
        assert limited.close(ELEVENTH + later * DAY).groups == 0
    assert overlaps(limited) == overlaps(limited, B) == []
    # Not even when somebody speaks.
    limited.submit(B, again(theirs, presences=(Presence(SINCE, None, SINCE, ELEVENTH),)), on=ELEVENTH + 61 * DAY)
    limited.close(ELEVENTH + 61 * DAY)
    assert overlaps(limited) == []


def test_who_ends_the_row_in_time_is_not_asked(limited: Scene) -> None:
    mine = here()
    limited.submit(A, mine)
    limited.submit(B, arrival(pupil("p")))
    limited.close(SINCE)
    limited.submit(A, again(mine, presences=(replace(LONG_HERE, until=SINCE + 2 * DAY),)), on=SINCE + 3 * DAY)
    limited.close(SINCE + 3 * DAY)
    limited.close(ELEVENTH + 30 * DAY)
    assert overlaps(limited) == overlaps(limited, B) == []
    rows = sa.select(sa.func.count()).select_from(overlap_days)
    assert limited.database.view("test_days", lambda tx: tx.execute(rows).scalar_one()) == 0


def test_who_affirms_is_not_asked_again_and_a_presence_that_begins_anew_is(limited: Scene) -> None:
    mine, theirs = here(), arrival(pupil("p"))
    limited.submit(A, mine)
    limited.submit(B, theirs)
    limited.close(ELEVENTH)
    assert len(overlaps(limited)) == 1
    affirmed = again(mine, presences=(replace(LONG_HERE, affirmed_on=ELEVENTH + DAY),))
    limited.submit(A, affirmed, on=ELEVENTH + DAY)
    limited.close(ELEVENTH + 40 * DAY)
    assert overlaps(limited) == []
    # B's pupil went, and comes again: another matter.
    back = ELEVENTH + 60 * DAY
    gone = Presence(SINCE, ELEVENTH + 45 * DAY, SINCE)
    limited.submit(B, again(theirs, presences=(gone, Presence(back, None, back))), on=back)
    limited.close(back)
    limited.close(back + 20 * DAY)
    assert len(overlaps(limited)) == 1


def test_a_member_is_asked_once_in_a_close_however_many_others_there_are(limited: Scene) -> None:
    """Or it could count them."""
    limited.submit(A, here())
    limited.submit(B, arrival(pupil("p")))
    limited.submit(C, arrival(pupil("p")))
    limited.close(ELEVENTH)
    assert len(overlaps(limited)) == 1


def test_the_silence_of_the_other_is_no_overlap_until_it_speaks_again(limited: Scene) -> None:
    limited.submit(A, here())
    limited.submit(B, arrival(pupil("p")))
    limited.close(SINCE)
    later = ELEVENTH + 30 * DAY
    limited.report(A, C, as_of=later)
    limited.close(later, all_current=False)
    assert overlaps(limited) == []
    limited.close(later + DAY)
    assert len(overlaps(limited)) == 1


def test_a_false_arrival_makes_the_other_look_and_tells_the_liar_nothing(limited: Scene) -> None:
    """Played to the end: A lies that it has B's pupil since today. B is asked, and says so; A hears of nothing."""
    theirs = here()
    limited.submit(B, theirs)
    limited.submit(A, arrival(pupil("p")))
    limited.close(SINCE)
    limited.close(ELEVENTH)
    assert len(overlaps(limited, B)) == 1
    affirmed = again(theirs, presences=(replace(LONG_HERE, affirmed_on=ELEVENTH),))
    limited.submit(B, affirmed, on=ELEVENTH)
    limited.close(ELEVENTH + 60 * DAY)
    assert limited.news(A) == []
