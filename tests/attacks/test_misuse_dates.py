"""A member that moves the dates of its own openings to find out when another member's presence began or ended.

Played over the real store and the real close, with the limits on and, where that shows what they are for, without.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from federation.rules.vocabulary import GapState, Opening, OpeningKind, Presence, Signal, Urgency
from registry.model import ref_of
from registry.store import gaps
from tests.attacks.conftest import LIMITS
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import DUE, SINCE, A, B, C, Scene, again, arrival, day, federation, leaving, pupil

DAY = timedelta(days=1)


def state(scene: Scene, signal: Signal) -> GapState:
    """What the registry holds of the newest opening of a handle."""

    named = {ref_of(A, signal.handle): (A, signal.handle)}
    found = scene.database.view("test_gaps", lambda tx: gaps.load(tx, named))
    return max(found.values(), key=lambda gap: gap.key.number).state


def restated(signal: Signal, since: date, **changes: object) -> Signal:
    assert signal.opening is not None
    return again(signal, opening=replace(signal.opening, since=since, **changes))  # type: ignore[arg-type]  # fields


def ask(scene: Scene, signal: Signal, on: date) -> str:
    """Submit it and see what the close of the day tells."""
    scene.submit(A, signal, on=on)
    scene.close(on)
    return " ".join(scene.kinds(A))


def answered_by_bs_pupil(scene: Scene, presence: Presence) -> Signal:
    """A's pupil left, and B's presence accounts for it: told on the due day."""
    mine = leaving(pupil("p"), begins=date(2025, 8, 18))
    scene.submit(A, mine)
    scene.submit(B, replace(arrival(pupil("p")), presences=(presence,)))
    assert ask(scene, again(mine), DUE) == "ANSWERED"
    return again(mine)


def test_since_moved_day_by_day_tells_nothing_of_when_the_pupil_came(limited: Scene) -> None:
    """Learnt at most: nothing. B's presence lasts, so every restatement keeps the answer it has."""
    mine = answered_by_bs_pupil(limited, Presence(day("09-03"), None, day("09-03")))
    on = DUE
    for since in (day("08-20"), day("09-02"), day("09-04"), day("09-12"), day("10-20")):
        on += DAY
        mine = restated(mine, since)
        assert ask(limited, mine, on) == ""
        assert state(limited, mine) is GapState.ANSWERED


def test_an_own_begin_moved_day_by_day_tells_nothing_either(limited: Scene) -> None:
    """Learnt at most: nothing, as long as `since` moves with it: a restated opening is not matched anew at all."""
    mine = answered_by_bs_pupil(limited, Presence(day("08-24"), None, day("08-24")))
    on = DUE
    for begins in (day("08-01"), day("08-23"), day("08-25"), day("08-30")):
        on += DAY
        mine = again(restated(mine, day("09-02")), presences=(Presence(begins, day("09-02"), begins),))
        assert ask(limited, mine, on) == ""


def test_without_the_limit_each_close_tells_one_bit(empty_database: MakeDatabase) -> None:
    """What the limit is for: seven closes find the day on which an ended presence ended."""
    scene = Scene(empty_database(), federation())
    ended = day("09-28")
    mine = answered_by_bs_pupil(scene, Presence(day("09-03"), ended, day("09-03")))
    assert bisected(scene, mine, day("10-01")) == ended


def test_with_it_the_day_on_which_a_pupil_went_on_is_not_found(limited: Scene) -> None:
    """Learnt at most: one bit in 60 days, whether the presence that answered has ended by now; then nothing answers
    the gap, whatever day is said next, until the 60 days are over."""
    mine = answered_by_bs_pupil(limited, Presence(day("09-03"), day("09-28"), day("09-03")))
    mine = restated(mine, day("09-10"))
    assert ask(limited, mine, day("10-01")) == "REOPENED"
    on = day("10-01")
    for since in (day("09-05"), day("09-27"), day("09-02"), day("08-20")):
        on += DAY
        mine = restated(mine, since)
        assert "ANSWERED" not in ask(limited, mine, on)
        assert state(limited, mine) in (GapState.OPEN, GapState.WATCH)
    # After it the newest day is matched, once, and that answer is kept for as long again.
    limited.close(DUE + 59 * DAY)
    assert limited.news(A) == []
    limited.close(DUE + 60 * DAY)
    assert limited.kinds(A) == ["ANSWERED"]


def bisected(scene: Scene, mine: Signal, today: date) -> date:
    """The day that an attacker finds by halving: the first `since` that is not answered."""
    low, high = day("09-01"), day("11-01")
    while high - low > DAY:
        middle = low + (high - low) // 2
        mine = restated(mine, middle, kind=OpeningKind.LEFT)
        ask(scene, mine, today)
        if state(scene, mine) is GapState.ANSWERED:
            low = middle
        else:
            high = middle
        today += DAY
    return high


def test_a_kept_answer_does_not_hide_a_pupil_who_is_looked_for_at_once(limited: Scene) -> None:
    """The limit withholds answers alone: an opening that becomes immediate still wants a person who saw the pupil."""
    mine = answered_by_bs_pupil(limited, Presence(day("09-03"), None, day("09-03")))
    mine = restated(mine, day("09-04"), urgency=Urgency.IMMEDIATE)
    assert ask(limited, mine, DUE + DAY) == "REOPENED"
    assert limited.kinds(B) == ["CONFIRM"]


def test_an_answer_whose_presence_is_taken_back_holds_nothing_up(limited: Scene) -> None:
    """A pupil who never came to B is missing, whatever A restated meanwhile."""
    there = replace(arrival(pupil("p")), presences=(Presence(day("09-03"), None, day("09-03")),))
    mine = leaving(pupil("p"))
    limited.submit(A, mine)
    limited.submit(B, there)
    limited.close(DUE)
    assert limited.kinds(A) == ["ANSWERED"]
    limited.submit(A, restated(mine, day("09-04")), on=DUE + DAY)
    limited.close(DUE + DAY)
    limited.submit(B, again(there, presences=()), on=DUE + 2 * DAY)
    limited.close(DUE + 10 * DAY)
    assert limited.kinds(A) == ["REOPENED"]


def test_an_unchanged_opening_is_matched_as_ever(limited: Scene) -> None:
    """The limit is on restating: who says the same as before follows the pupil from school to school."""
    there = replace(arrival(pupil("p")), presences=(Presence(day("09-03"), None, day("09-03")),))
    limited.submit(A, leaving(pupil("p")))
    limited.submit(B, there)
    limited.close(DUE)
    limited.submit(B, again(there, presences=()), on=DUE + DAY)
    limited.close(DUE + DAY)
    limited.submit(C, arrival(pupil("p"), begins=DUE + 2 * DAY), on=DUE + 2 * DAY)
    limited.close(DUE + 2 * DAY)
    assert limited.kinds(A) == ["ANSWERED", "REOPENED", "ANSWERED"]


def test_a_since_far_back_counts_as_120_days_before_its_receipt(limited: Scene, empty_database: MakeDatabase) -> None:
    """Learnt at most: of a presence that ended over 120 days ago, nothing, however far back the opening is dated."""
    ended_long_ago = Presence(day("01-12"), day("04-01"), day("01-12"))
    mine = replace(leaving(pupil("p"), since=day("03-01")), presences=())
    limited.submit(A, mine)
    limited.submit(B, replace(arrival(pupil("p")), presences=(ended_long_ago,)))
    limited.close(SINCE)
    assert limited.kinds(A) == ["OPENED"]
    # Restated a year later it still counts from its first receipt.
    later = date(2027, 9, 1)
    limited.submit(A, again(mine), on=later)
    limited.close(later)
    [opening] = openings(limited, mine)
    assert opening.since == SINCE - LIMITS.backdating_days * DAY


def test_without_that_limit_the_past_can_be_searched(empty_database: MakeDatabase) -> None:
    scene = Scene(empty_database(), federation())
    scene.submit(A, replace(leaving(pupil("p"), since=day("03-01")), presences=()))
    scene.submit(B, replace(arrival(pupil("p")), presences=(Presence(day("01-12"), day("04-01"), day("01-12")),)))
    scene.close(SINCE)
    assert scene.kinds(A) == ["ANSWERED"]


def openings(scene: Scene, signal: Signal) -> list[Opening]:

    named = {ref_of(A, signal.handle): (A, signal.handle)}
    return [gap.opening for gap in scene.database.view("test_gaps", lambda tx: gaps.load(tx, named)).values()]


@pytest.mark.parametrize("new_since", [day("09-10"), day("10-05")])
def test_an_answer_that_falls_away_is_told_at_the_next_close_and_the_gap_opens_on_its_day(
    empty_database: MakeDatabase, new_since: date
) -> None:
    """Without the limit: restated to a later day, the gap is watched anew. Its member hears that the answer is gone,
    or it would believe the pupil accounted for until the new due day.
    """
    scene = Scene(empty_database(), federation())
    mine = answered_by_bs_pupil(scene, Presence(day("09-03"), day("09-08"), day("09-03")))
    mine = restated(mine, new_since)
    assert ask(scene, mine, DUE + DAY) == "REOPENED"
    assert state(scene, mine) is GapState.WATCH
    assert ask(scene, again(mine), DUE + 2 * DAY) == ""
    scene.close(day("11-02"))
    assert scene.kinds(A) == ["REOPENED"]
    assert state(scene, mine) is GapState.OPEN
