"""What the registry takes into the roll call, lists and forgets, on each kind of store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.rules.vocabulary import DutyEnded, Handle, MemberId, OpeningKind, Pseudonym, Signal, Urgency
from registry.limits.waiting import Waitlist
from registry.model import ref_of
from registry.roll_call.calling import ListedPart, OfferedGap
from registry.roll_call.padding import PART, Called
from registry.roll_call.sealing import CallSealer
from registry.store import roll_call
from registry.store.roll_call import Offer
from registry.store.schema import metadata
from registry.store.schema_roll_call import roll_call_lists, roll_call_offers
from tests.store.registry.scene import DUE, KEYS, SINCE, A, B, Scene, again, arrival, day, federation, leaving, pupil
from tests.store.registry.scene import retracted as taken_back

CALLED = day("09-07")
"""Five school days before DUE, which is a Monday."""

BEGINS = date(2025, 8, 18)
DAY = timedelta(days=1)


def offer(
    scene: Scene, member: MemberId, signal: Signal, *pseudonyms: Pseudonym, number: int = 1, on: date = CALLED
) -> None:
    gap = OfferedGap(signal.handle, number, pseudonyms or signal.pseudonyms)
    scene.roll_call.offer(member, [gap], on)


def kept(scene: Scene) -> int:
    return scene.database.view(
        "test_kept", lambda tx: tx.execute(sa.select(sa.func.count()).select_from(roll_call_offers)).scalar_one()
    )


def listed(scene: Scene) -> list[Called]:
    """The whole newest list."""
    first = scene.roll_call.part(0)
    return [each for number in range(first.parts) for each in scene.roll_call.part(number).called]


def calls(scene: Scene, *pseudonyms: Pseudonym) -> set[Called]:
    """What the newest list says of these pseudonyms."""
    return {each for each in listed(scene) if each.pseudonym in pseudonyms}


def missed(scene: Scene, *names: str) -> list[Signal]:
    """Pupils who left A, offered as soon as they may be."""
    signals = [leaving(pupil(name)) for name in names]
    scene.submit(A, *signals)
    for signal in signals:
        offer(scene, A, signal)
    return signals


def test_a_gap_that_is_soon_due_is_listed_until_it_is_answered(scene: Scene) -> None:
    missed(scene, "alva", "nils")
    scene.close(CALLED)
    assert calls(scene, pupil("alva"), pupil("nils")) == {
        Called(pupil("alva"), BEGINS),
        Called(pupil("nils"), BEGINS),
    }
    scene.submit(B, arrival(pupil("alva")))
    scene.close(CALLED + DAY)
    assert calls(scene, pupil("alva"), pupil("nils")) == {Called(pupil("nils"), BEGINS)}
    assert kept(scene) == 1
    scene.close(DUE)
    assert calls(scene, pupil("nils")) == {Called(pupil("nils"), BEGINS)}


def test_a_gap_is_not_taken_before_its_day(scene: Scene) -> None:
    signal = leaving(pupil("alva"))
    scene.submit(A, signal)
    offer(scene, A, signal, on=CALLED - DAY)
    assert kept(scene) == 0
    offer(scene, A, signal, on=CALLED)
    assert kept(scene) == 1


def test_an_immediate_gap_is_called_at_once(scene: Scene) -> None:
    signal = leaving(pupil("alva"), urgency=Urgency.IMMEDIATE)
    scene.submit(A, signal)
    offer(scene, A, signal, on=SINCE)
    scene.close(SINCE)
    assert calls(scene, pupil("alva"))


def test_a_gap_put_off_again_waits_for_its_day(scene: Scene) -> None:
    [signal] = missed(scene, "alva")
    assert signal.opening is not None
    scene.submit(A, again(signal, opening=replace(signal.opening, planned_start=day("09-24"))))
    scene.close(CALLED)
    assert kept(scene) == 1
    assert not calls(scene, pupil("alva"))
    scene.close(day("09-17"))
    assert calls(scene, pupil("alva"))


def _not_the_members(signal: Signal) -> tuple[MemberId, Signal, int, tuple[Pseudonym, ...]]:
    return B, signal, 1, signal.pseudonyms


def _another_number(signal: Signal) -> tuple[MemberId, Signal, int, tuple[Pseudonym, ...]]:
    return A, signal, 2, signal.pseudonyms


def _another_pupil(signal: Signal) -> tuple[MemberId, Signal, int, tuple[Pseudonym, ...]]:
    return A, signal, 1, (pupil("somebody"),)


def _no_such_epoch(signal: Signal) -> tuple[MemberId, Signal, int, tuple[Pseudonym, ...]]:
    return A, signal, 1, (pupil("alva", epoch=9),)


def _no_such_handle(signal: Signal) -> tuple[MemberId, Signal, int, tuple[Pseudonym, ...]]:
    return A, replace(signal, handle=Handle(b"?" * 16)), 1, signal.pseudonyms


@pytest.mark.parametrize("wrong", [_not_the_members, _another_number, _another_pupil, _no_such_epoch, _no_such_handle])
def test_what_is_not_the_members_own_stated_gap_is_dropped_without_a_word(
    scene: Scene, wrong: Callable[[Signal], tuple[MemberId, Signal, int, tuple[Pseudonym, ...]]]
) -> None:
    signal = leaving(pupil("alva"))
    scene.submit(A, signal)
    # A member may not put a pupil of its own into the list under the name of another's gap either.
    scene.submit(B, arrival(pupil("somebody"), begins=day("01-10")))
    member, named, number, pseudonyms = wrong(signal)
    offer(scene, member, named, *pseudonyms, number=number)
    assert kept(scene) == 0


@pytest.mark.parametrize("drill", [True, False])
def test_neither_drills_nor_handles_taken_back_are_called(scene: Scene, drill: bool) -> None:
    signal = replace(leaving(pupil("alva")), drill=drill)
    scene.submit(A, signal)
    if not drill:
        scene.submit(A, taken_back(signal))
    offer(scene, A, signal)
    assert kept(scene) == 0


@pytest.mark.parametrize(
    "after",
    [
        lambda signal: again(signal, duty_ended=DutyEnded(SINCE)),
        lambda signal: again(signal, opening=None),
        lambda signal: again(signal, pseudonyms=(pupil("another number"),)),
        taken_back,
    ],
)
def test_what_ends_is_taken_back_or_borne_no_more_leaves_the_roll_call(
    scene: Scene, after: Callable[[Signal], Signal]
) -> None:
    [signal] = missed(scene, "alva")
    scene.close(CALLED)
    scene.submit(A, after(signal))
    assert kept(scene) == 1
    scene.close(CALLED + DAY)
    assert kept(scene) == 0
    assert not calls(scene, pupil("alva"))


def test_an_answered_gap_that_is_offered_again_costs_a_row_without_a_pseudonym(scene: Scene) -> None:
    """Its member hears of the answer on the day it is due; until then it offers, and must not be able to tell."""
    answered, missing = leaving(pupil("alva")), leaving(pupil("nils"))
    scene.submit(A, answered, missing)
    scene.submit(B, arrival(pupil("alva")))
    scene.close(CALLED)
    statements: list[list[str]] = []
    for signal in (answered, missing):
        ran: list[str] = []
        count = lambda *args, ran=ran: ran.append(args[2])  # noqa: E731 - a listener of SQLAlchemy's
        sa.event.listen(scene.database.engine, "before_cursor_execute", count)
        offer(scene, A, signal)
        sa.event.remove(scene.database.engine, "before_cursor_execute", count)
        statements.append(ran)
    assert statements[0] == statements[1]
    sealer = CallSealer(KEYS)

    def opened(signal: Signal) -> Pseudonym | None:
        [keyed] = KEYS.keyed(signal.pseudonyms)
        row = scene.database.view(
            "test_row",
            lambda tx: tx.execute(sa.select(roll_call_offers).where(roll_call_offers.c.keyed == keyed.value)).one(),
        )
        assert len(row.sealed) == 12 + 32 + 16
        return sealer.open_pseudonym(Offer(ref_of(A, signal.handle), 1, keyed, row.sealed))

    assert (opened(missing), opened(answered)) == (pupil("nils"), None)
    scene.close(CALLED + DAY)
    assert kept(scene) == 1


def test_a_gap_that_was_offered_while_answered_and_lost_its_answer_is_called_once_it_is_offered_again(
    scene: Scene,
) -> None:
    [signal] = missed(scene, "alva")
    came = arrival(pupil("alva"))
    scene.submit(B, came)
    scene.close(CALLED)
    offer(scene, A, signal, on=CALLED + DAY)
    scene.submit(B, taken_back(came))
    # The day is closed as any other; of the gap there is no pseudonym yet that could be called.
    scene.close(CALLED + DAY)
    assert not calls(scene, pupil("alva"))
    offer(scene, A, signal, on=CALLED + 2 * DAY)
    scene.close(CALLED + 2 * DAY)
    assert calls(scene, pupil("alva"))


def test_a_resident_without_a_place_is_called_with_a_begin_of_thirteen_months_before(scene: Scene) -> None:
    signal = replace(leaving(pupil("alva"), kind=OpeningKind.NOT_PLACED), presences=())
    scene.submit(A, signal)
    offer(scene, A, signal)
    scene.close(CALLED)
    assert calls(scene, pupil("alva")) == {Called(pupil("alva"), date(2025, 8, 1))}


def test_the_list_has_one_size_whatever_it_calls(scene: Scene) -> None:
    scene.close(CALLED - DAY)
    assert len(listed(scene)) == 2 * PART
    missed(scene, "alva", "nils", "siri")
    scene.close(CALLED)
    assert len(listed(scene)) == 2 * PART
    assert [scene.roll_call.part(number).parts for number in (0, 1)] == [2, 2]
    with pytest.raises(UppropError) as refused:
        scene.roll_call.part(2)
    assert refused.value.code is Code.REQUEST_INVALID


def test_a_list_longer_than_a_part_is_whole(scene: Scene) -> None:
    scene.descriptor = _with(scene.descriptor, monthly_openings=0)
    names = [f"pupil {place}" for place in range(PART + 1)]
    signals = [leaving(pupil(name)) for name in names]
    scene.submit(A, *signals[:PART])
    scene.submit(A, *signals[PART:])
    gaps = [OfferedGap(signal.handle, 1, signal.pseudonyms) for signal in signals]
    scene.roll_call.offer(A, gaps[:PART], CALLED)
    scene.roll_call.offer(A, gaps[PART:], CALLED)
    scene.close(CALLED)
    assert len(listed(scene)) == 3 * PART
    assert len(calls(scene, *(pupil(name) for name in names))) == len(names)
    assert kept(scene) == len(names)


def test_a_day_closed_again_keeps_its_list_and_the_next_day_has_another(scene: Scene) -> None:
    missed(scene, "alva")
    scene.close(CALLED)
    first = listed(scene)
    missed(scene, "nils")
    scene.close(CALLED)
    assert listed(scene) == first
    scene.close(CALLED + DAY)
    second = listed(scene)
    assert calls(scene, pupil("nils"))
    assert {each.pseudonym for each in first} & {each.pseudonym for each in second} == {pupil("alva")}
    # Of the day before nothing is left.
    days = scene.database.view("test_days", lambda tx: tx.scalars(sa.select(roll_call_lists.c.closed_on)).all())
    assert set(days) == {CALLED + DAY}


def test_what_waits_for_a_persons_word_at_the_registry_is_not_called_before(scene: Scene) -> None:
    """Else a member could have every other look for whomever it names."""
    scene.descriptor = _with(scene.descriptor, monthly_openings=1, monthly_openings_percent=0)
    names = ("alva", "nils", "siri")
    missed(scene, *names)
    scene.close(CALLED)
    assert len(calls(scene, *map(pupil, names))) == 1
    assert kept(scene) == 3
    Waitlist(scene.database, scene.clock).release(A, "Ada Berg", "A school has closed.")
    scene.close(CALLED + DAY)
    assert len(calls(scene, *map(pupil, names))) == 3


def test_nothing_is_listed_before_a_close_has_finished(scene: Scene) -> None:
    assert scene.roll_call.part(0) == ListedPart()


def test_offering_twice_is_offering_once(scene: Scene) -> None:
    [signal] = missed(scene, "alva")
    offer(scene, A, signal)
    assert kept(scene) == 1


def test_one_pupil_is_called_once_for_each_member_that_misses_it(scene: Scene) -> None:
    first, second = leaving(pupil("alva")), leaving(pupil("alva"), begins=day("02-09"))
    scene.submit(A, first)
    scene.submit(B, second)
    offer(scene, A, first)
    offer(scene, B, second)
    scene.close(CALLED)
    assert calls(scene, pupil("alva")) == {Called(pupil("alva"), BEGINS), Called(pupil("alva"), day("02-09"))}


def test_no_pseudonym_stands_in_the_store(scene: Scene) -> None:
    missed(scene, "alva")
    scene.close(CALLED)

    def values(tx: sa.Connection) -> list[object]:
        return [value for table in metadata.sorted_tables for row in tx.execute(table.select()) for value in row]

    found = scene.database.view("test_values", values)
    assert any(isinstance(value, bytes) and len(value) > PART for value in found)
    assert not [value for value in found if isinstance(value, bytes) and pupil("alva").value in value]


def test_a_federation_without_a_roll_call_holds_none_and_forgets_what_it_had(scene: Scene) -> None:
    [signal] = missed(scene, "alva")
    scene.close(CALLED)
    scene.descriptor = _with(scene.descriptor, roll_call=False)
    for refused_call in (lambda: offer(scene, A, signal), lambda: scene.roll_call.part(0)):
        with pytest.raises(UppropError) as refused:
            refused_call()
        assert refused.value.code is Code.NOT_SUPPORTED
    scene.close(CALLED + DAY)
    assert kept(scene) == 0
    assert scene.database.view("test_parts", lambda tx: roll_call.parts(tx, CALLED)) == 0


def test_with_an_epoch_its_part_of_the_roll_call_ends(scene: Scene) -> None:
    signal = leaving(pupil("alva", epoch=1), pupil("alva", epoch=2))
    scene.submit(A, signal)
    offer(scene, A, signal)
    scene.close(CALLED)
    assert len(calls(scene, *signal.pseudonyms)) == 2
    scene.descriptor = federation(serial=2, epochs=(2,))
    scene.close(CALLED + DAY)
    assert kept(scene) == 1
    assert {each.pseudonym.epoch for each in listed(scene)} == {2}
    assert len(listed(scene)) == PART


def _with(descriptor: Descriptor, **policy: int) -> Descriptor:
    return replace(descriptor, policy=replace(descriptor.policy, **policy))  # type: ignore[arg-type]  # policy values
