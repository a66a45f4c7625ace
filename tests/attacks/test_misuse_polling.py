"""A member that asks again and again about one pupil, or about many, to learn when they turn up elsewhere.

Played over the real store and the real close, with the limits on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from federation.errors import UppropError
from federation.rules.vocabulary import OpeningKind, Presence, Signal
from registry.limits.waiting import Waitlist
from registry.store import schema_ledger
from registry.store.schema_limits import answered_pairs
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import (
    DUE,
    SINCE,
    A,
    B,
    C,
    Scene,
    again,
    arrival,
    day,
    federation,
    leaving,
    pupil,
    retracted,
)

DAY = timedelta(days=1)


def numbered(signal: Signal, number: int, since: date) -> Signal:
    assert signal.opening is not None
    return again(signal, opening=replace(signal.opening, number=number, since=since))


@pytest.fixture
def answered(limited: Scene) -> Signal:
    """A's pupil who left and whom B has: A was told so on the due day."""
    mine = leaving(pupil("p"))
    limited.submit(A, mine)
    limited.submit(B, arrival(pupil("p")))
    limited.close(DUE)
    assert limited.kinds(A) == ["ANSWERED"]
    return mine


def test_an_opening_taken_back_and_made_anew_gets_no_second_answer(limited: Scene, answered: Signal) -> None:
    """Learnt at most: nothing beyond the first answer, for 60 days. The attacker pays with a case of its own."""
    back = again(answered, opening=None, presences=(Presence(day("01-07"), None, day("01-07")),))
    limited.submit(A, back, on=DUE + DAY)
    limited.close(DUE + DAY)
    assert limited.kinds(A)[0] == "VOIDED"
    anew = numbered(replace(back, opening=answered.opening), 2, DUE)
    limited.submit(A, anew, on=DUE + 2 * DAY)
    limited.close(DUE + 30 * DAY)
    assert limited.kinds(A) == ["OPENED"]
    limited.close(DUE + 60 * DAY)
    assert limited.kinds(A) == ["ANSWERED"]


def test_a_handle_taken_back_and_a_new_one_for_the_same_pupil_get_none_either(limited: Scene, answered: Signal) -> None:
    """Learnt at most: nothing. What the handle bore is remembered for as long as the answer, and no longer."""
    limited.submit(A, retracted(answered), on=DUE + DAY)
    limited.close(DUE + DAY)
    limited.submit(A, leaving(pupil("p"), since=SINCE + DAY), on=DUE + 2 * DAY)
    limited.close(DUE + 30 * DAY)
    assert limited.kinds(A) == ["VOIDED", "OPENED"]
    limited.close(DUE + 60 * DAY)
    assert limited.kinds(A) == ["ANSWERED"]
    # The answer given now is remembered in its turn; that of the handle taken back is not any more.
    count = sa.select(sa.func.count()).select_from(answered_pairs)
    assert limited.database.view("test_pairs", lambda tx: tx.execute(count).scalar_one()) == 1


def test_of_several_handles_for_one_pupil_one_is_answered(limited: Scene) -> None:
    """Learnt at most: one answer, however many days are asked about at once, and at no later close another."""
    limited.submit(B, arrival(pupil("p")))
    asked = [leaving(pupil("p"), since=SINCE - number * DAY) for number in range(5)]
    limited.submit(A, *asked)
    limited.close(DUE)
    assert Counter(limited.kinds(A)) == {"ANSWERED": 1, "OPENED": 4}
    for days in (1, 30, 61, 90):
        asked = [again(signal) for signal in asked]
        limited.submit(A, *asked, on=DUE + days * DAY)
        limited.close(DUE + days * DAY)
        assert limited.kinds(A) == []


def test_two_records_that_turn_out_to_be_of_one_pupil_keep_their_answer(limited: Scene) -> None:
    """No misuse: each number was a handle's, B knows both, and at A one handle takes the other's number over."""
    one, other = leaving(pupil("p")), leaving(pupil("q"))
    limited.submit(A, one, other)
    limited.submit(B, arrival(pupil("p"), pupil("q")))
    limited.close(DUE)
    assert limited.kinds(A) == ["ANSWERED", "ANSWERED"]
    limited.submit(A, retracted(one), again(other, pseudonyms=(pupil("p"), pupil("q"))), on=DUE + DAY)
    limited.close(DUE + DAY)
    assert limited.kinds(A) == ["VOIDED"]


def test_a_pupil_who_was_back_in_between_is_another_matter(limited: Scene, answered: Signal) -> None:
    """The limit must cost no false alarm where a pupil comes, and leaves once more."""
    stayed = Presence(DUE + DAY, DUE + 5 * DAY, DUE + DAY)
    limited.submit(A, again(answered, opening=None, presences=(stayed,)), on=DUE + DAY)
    limited.close(DUE + DAY)
    limited.submit(C, arrival(pupil("p"), begins=DUE + 5 * DAY), on=DUE + 5 * DAY)
    left = numbered(again(answered, presences=(stayed,)), 2, DUE + 5 * DAY)
    limited.submit(A, left, on=DUE + 6 * DAY)
    limited.close(DUE + 30 * DAY)
    assert limited.kinds(A) == ["ANSWERED"]


def test_another_members_opening_about_the_pupil_is_answered_all_the_same(limited: Scene, answered: Signal) -> None:
    limited.submit(C, leaving(pupil("p"), since=SINCE - DAY), on=DUE + DAY)
    limited.close(DUE + 30 * DAY)
    assert limited.kinds(C) == ["ANSWERED"]


def test_probing_with_not_placed_gets_one_answer_in_60_days(limited: Scene, answered: Signal) -> None:
    """Learnt at most: one bit in 60 days, whether some member has the pupil now; and at the node two persons, by name,
    have to say that the pupil is a resident without a place (see test_misuse_one_person)."""
    probe = replace(leaving(pupil("p"), since=DUE, kind=OpeningKind.NOT_PLACED), presences=())
    for number in (2, 3, 4):
        probe = numbered(probe, number, DUE + number * DAY)
        limited.submit(A, probe, on=DUE + number * DAY)
        limited.close(DUE + number * DAY)
        assert "ANSWERED" not in limited.kinds(A)
    limited.close(DUE + 40 * DAY)
    assert limited.kinds(A) == ["OPENED"]


# -- mass openings --------------------------------------------------------------------------------------------------


def many(count: int, since: date = SINCE) -> list[Signal]:
    return [leaving(pupil(f"p{place}"), since=since) for place in range(count)]


def test_openings_beyond_a_months_are_watched_and_open_but_are_not_answered(limited: Scene) -> None:
    """Learnt at most: for the first 20 of a month (or a tenth of the roster) what any opening tells; for all others
    nothing until a person at the registry lets them, but that another member has an open gap about the pupil too."""
    limited.submit(A, *many(30))
    limited.submit(B, *(arrival(pupil(f"p{place}")) for place in range(30)))
    limited.close(SINCE)
    limited.close(DUE)
    told = limited.kinds(A)
    assert (told.count("ANSWERED"), told.count("OPENED")) == (20, 10)
    # And stay so, however often they are said again.
    limited.close(DUE + 10 * DAY)
    assert limited.news(A) == []


def test_what_waits_is_answered_at_the_close_after_a_person_let_it(limited: Scene) -> None:
    limited.submit(A, *many(25))
    limited.submit(B, *(arrival(pupil(f"p{place}")) for place in range(25)))
    limited.close(DUE)
    assert limited.kinds(A).count("OPENED") == 5
    waitlist = Waitlist(limited.database, limited.clock)
    [waits] = waitlist.waiting()
    # In words: how many children a municipality misses is nothing that an operator learns.
    assert (waits.member, waits.month, waits.openings) == (A, "2026-09", "a few")
    for by, reason in (("", "a school was closed"), ("Ada Berg", " "), ("x" * 101, "a school was closed")):
        with pytest.raises(UppropError):
            waitlist.release(A, by, reason)
    with pytest.raises(UppropError, match="No opening"):
        waitlist.release(B, "Ada Berg", "a school was closed")
    assert waitlist.release(A, "Ada Berg", "a school was closed") == (waits,)
    assert waitlist.waiting() == ()
    pending = sa.select(schema_ledger.ledger_pending.c.kind).where(schema_ledger.ledger_pending.c.kind == "RELEASE")
    assert limited.database.view("test_ledger", lambda tx: tx.scalars(pending).all()) == ["RELEASE"]
    limited.close(DUE + DAY)
    assert limited.kinds(A) == ["ANSWERED"] * 5


def test_a_large_member_has_a_tenth_of_its_roster(limited: Scene) -> None:
    limited.intake.report_roster(A, SINCE, 300, SINCE)
    limited.submit(A, *many(31))
    limited.submit(B, *(arrival(pupil(f"p{place}")) for place in range(31)))
    limited.report(B, C, as_of=DUE)
    limited.close(DUE, all_current=False)
    assert limited.kinds(A).count("OPENED") == 1


def test_every_month_has_its_own(limited: Scene) -> None:
    limited.submit(A, *many(20))
    limited.close(SINCE)
    more = [leaving(pupil(f"q{place}"), since=day("10-01")) for place in range(20)]
    limited.submit(A, *more, on=day("10-01"))
    limited.submit(B, *(arrival(pupil(f"q{place}"), begins=day("10-01")) for place in range(20)))
    limited.close(day("10-30"))
    assert limited.kinds(A).count("ANSWERED") == 20


def test_closing_twice_on_a_day_decides_once(limited: Scene) -> None:
    limited.submit(A, *many(15))
    limited.close(SINCE)
    limited.submit(A, *(leaving(pupil(f"q{place}")) for place in range(10)))
    limited.submit(B, *(arrival(pupil(f"q{place}")) for place in range(10)))
    limited.close(SINCE)
    limited.close(SINCE)
    limited.close(DUE)
    assert limited.kinds(A).count("ANSWERED") == 5


def test_without_the_limit_any_number_is_answered(empty_database: MakeDatabase) -> None:
    scene = Scene(empty_database(), federation())
    scene.submit(A, *many(30))
    scene.submit(B, *(arrival(pupil(f"p{place}")) for place in range(30)))
    scene.close(DUE)
    assert scene.kinds(A) == ["ANSWERED"] * 30
