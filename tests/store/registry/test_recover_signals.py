"""What a member that has lost its database is told by the registry, on each kind of store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from federation.errors import Code, UppropError
from federation.rules.vocabulary import DutyEnded, Handle, Opening, OpeningKind, Presence, Pseudonym, Signal
from registry.model import Contacts, Stated
from registry.recovery import Recovery
from registry.store.schema import members, metadata
from tests.store.registry.scene import DUE, KEYS, SINCE, A, B, Scene, again, arrival, leaving, pupil, retracted


@pytest.fixture
def recovery(scene: Scene) -> Recovery:
    return Recovery(scene.database, KEYS, lambda: scene.descriptor)


def stated(recovery: Recovery, member: str = A) -> dict[Handle, Stated]:
    found, more, _ = recovery.page(member, b"", 1_000)  # type: ignore[arg-type]  # a member id
    assert not more
    assert [each.signal.handle for each in found] == sorted(each.signal.handle for each in found)
    return {each.signal.handle: each for each in found}


def as_stated(signal: Signal) -> Signal:
    """The signal without what the registry does not give back."""
    return replace(signal, pseudonyms=tuple(sorted(replace(each, value=b"") for each in signal.pseudonyms)), nonce=b"")


def test_a_member_is_given_back_what_it_said_and_nothing_else(scene: Scene, recovery: Recovery) -> None:
    gone = leaving(pupil("p"), pupil("p", 2))
    there = arrival(pupil("q"), met_on=SINCE)
    ended = replace(leaving(pupil("r")), duty_ended=DutyEnded(SINCE, SINCE + timedelta(days=90)))
    taken_back = arrival(pupil("s"))
    scene.submit(A, gone, there, ended, taken_back)
    scene.submit(A, retracted(taken_back))
    scene.submit(B, arrival(pupil("p"), begins=SINCE))
    given = stated(recovery)
    for signal in (gone, there, ended):
        assert given[signal.handle].signal == as_stated(signal)
    assert given[taken_back.handle].signal == Signal(taken_back.handle, 2, (), retracted=True)
    assert len(given) == 4
    assert len(stated(recovery, B)) == 1


def test_every_number_an_opening_ever_had_is_given_back(scene: Scene, recovery: Recovery) -> None:
    first = leaving(pupil("p"))
    scene.submit(A, first)
    scene.close(SINCE)
    back = again(first, opening=None, presences=(Presence(date(2025, 8, 18), None, date(2025, 8, 18)),))
    scene.submit(A, back)
    scene.close(DUE)
    later = SINCE + timedelta(days=30)
    second = Opening(2, OpeningKind.LEFT, later)
    scene.submit(A, again(back, opening=second, presences=(Presence(date(2025, 8, 18), later, date(2025, 8, 18)),)))
    scene.close(later)
    given = stated(recovery)[first.handle]
    assert given.signal.opening == second
    assert given.openings == (first.opening, second)


def test_what_others_say_changes_no_answer(scene: Scene, recovery: Recovery) -> None:
    gone = leaving(pupil("p"))
    scene.submit(A, gone)
    scene.close(SINCE)
    before = (recovery.page(A, b"", 9), recovery.find(A, [pupil("p"), pupil("q")]))
    scene.submit(B, arrival(pupil("p")), arrival(pupil("q")))
    scene.close(DUE, all_current=False)
    assert (recovery.page(A, b"", 9), recovery.find(A, [pupil("p"), pupil("q")])) == before
    assert before[1] == [(0, gone.handle)]


def test_pages_hold_every_handle_once(scene: Scene, recovery: Recovery) -> None:
    signals = [arrival(pupil(f"p{place}")) for place in range(7)]
    scene.submit(A, *signals)
    after, seen = b"", []
    while True:
        found, more, _ = recovery.page(A, after, 3)
        seen += [each.signal.handle for each in found]
        after = seen[-1]
        if not more:
            break
    assert seen == sorted(signal.handle for signal in signals)


def test_only_own_live_handles_are_found(scene: Scene, recovery: Recovery) -> None:
    two = arrival(pupil("p"), pupil("p", 2))
    twin, changed, gone = arrival(pupil("p")), arrival(pupil("q")), arrival(pupil("r"))
    scene.submit(A, two, twin, changed, gone)
    scene.submit(A, again(changed, pseudonyms=(pupil("new"),)), retracted(gone))
    scene.submit(B, arrival(pupil("s")))
    asked = [pupil("p"), pupil("p", 2), pupil("q"), pupil("new"), pupil("r"), pupil("s"), pupil("nobody")]
    expected = [(0, two.handle), (0, twin.handle), (1, two.handle), (3, changed.handle)]
    assert recovery.find(A, asked) == sorted(expected)
    assert recovery.find(A, []) == []


def test_drills_are_left_out(scene: Scene, recovery: Recovery) -> None:
    scene.submit(A, replace(leaving(pupil("test")), drill=True))
    assert stated(recovery) == {}
    assert recovery.find(A, [pupil("test")]) == []


def test_an_epoch_without_a_key_is_refused_whole(scene: Scene, recovery: Recovery) -> None:
    with pytest.raises(UppropError) as refused:
        recovery.find(A, [pupil("p"), pupil("p", 3)])
    assert refused.value.code is Code.EPOCH_UNKNOWN


def test_nothing_that_was_asked_for_is_kept(scene: Scene, recovery: Recovery) -> None:
    scene.submit(A, arrival(pupil("p")))

    def rows() -> list[object]:
        with scene.database.read("test") as tx:
            return [tx.execute(table.select()).all() for table in metadata.sorted_tables]

    before = rows()
    secret = Pseudonym(1, b"asked for but known to nobody...")
    assert recovery.find(A, [secret, pupil("p")]) != []
    assert rows() == before
    assert secret.value not in repr(before).encode()


def test_the_first_and_the_newest_contact_are_told(scene: Scene, recovery: Recovery) -> None:
    assert recovery.page(A, b"", 1)[2] == Contacts()
    for later in (0, 7, 21):
        scene.report(A, as_of=SINCE + timedelta(days=later))
    assert recovery.page(A, b"", 1)[2] == Contacts(SINCE, SINCE + timedelta(days=21))


def test_a_first_contact_from_before_they_were_kept_is_unknown(scene: Scene, recovery: Recovery) -> None:
    scene.report(A, as_of=SINCE)
    with scene.database.transaction("test") as tx:
        tx.execute(sa.update(members).values(first_contact=None))
    scene.report(A, as_of=DUE)
    assert recovery.page(A, b"", 1)[2] == Contacts(None, DUE)
