"""Drills in the node's store, on each kind of store: one at a time, found by state, and in no list or count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from federation.database import Database
from federation.rules.vocabulary import Disposition, DispositionKind, GapState, Handle, Opening, OpeningKind, Urgency
from node.casework.parked import ParkedSignals
from node.drill.steps import Done, Failure, Fault, State, Step
from node.gaps import Gap, OpenedBy
from node.identity import Identity, Route
from node.store import Transaction
from node.store.drills import Drills
from node.store.gaps import Gaps
from node.store.outbox import Counts, VersionState
from node.store.pupils import Pupil
from node.store.schema import versions
from privacy.identifiers import NumberKind
from tests.store.node.stored import MADE_ON, OUTBOX, PUPILS, SEALER, handle, number, opened, pupil, pupil_id, version

DRILLS = Drills()
AT = datetime(2026, 9, 7, 10, tzinfo=UTC)
MADE = Done(MADE_ON, AT)


def drilled(place: int) -> Pupil:
    """The test pupil of a drill, which bears the same digits as the pupil of that place."""
    bears = replace(number(place), kind=NumberKind.DRILL)
    return Pupil(b"d" + pupil_id(place)[1:], b"d" + handle(place)[1:], Identity((), (bears,)), (), Route.REGISTRY)


def test_a_drill_comes_back_as_it_was_kept(database: Database) -> None:
    test_pupil = drilled(1)
    with opened(database, test_pupil):
        begun = database.run("test_begin", lambda tx: DRILLS.begin(tx, test_pupil.pupil_id, test_pupil.handle, MADE))
        assert database.view("test_running", DRILLS.running) == begun
        steps = {Step.PSEUDONYMISED: Done(MADE_ON, AT, "1,2"), Step.ACCEPTED: Done(MADE_ON, AT + timedelta(seconds=1))}
        database.run("test_done", lambda tx: DRILLS.done(tx, begun.drill_id, steps))
        failure = Failure(Step.OPENED, Fault.REFUSED, "EPOCH_UNKNOWN")
        database.run("test_end", lambda tx: DRILLS.end(tx, begun.drill_id, AT, failure))
        ended = replace(begun, state=State.FAILED, steps={Step.MADE: MADE, **steps}, ended_at=AT, failure=failure)
        assert database.view("test_load", lambda tx: DRILLS.load(tx, begun.drill_id)) == ended
        assert database.view("test_running", DRILLS.running) is None
        assert database.view("test_newest", lambda tx: DRILLS.newest(tx, State.FAILED)) == ended
        assert database.view("test_newest", lambda tx: DRILLS.newest(tx, State.PASSED)) is None


def test_two_drills_never_run_at_once(database: Database) -> None:
    first, second = drilled(1), drilled(2)
    with opened(database, first, second):
        begun = database.run("test_begin", lambda tx: DRILLS.begin(tx, first.pupil_id, first.handle, MADE))

        def again(tx: Transaction) -> int:
            return DRILLS.begin(tx, second.pupil_id, second.handle, MADE).drill_id

        with pytest.raises(IntegrityError):
            database.run("test_begin", again)
        database.run("test_end", lambda tx: DRILLS.end(tx, begun.drill_id, AT, None))
        assert database.run("test_begin", again) > begun.drill_id


def test_the_same_digits_are_a_pupils_and_a_drills_apart(database: Database) -> None:
    real, test_pupil = pupil(1), drilled(1)
    with opened(database, real, test_pupil):
        indexes = [PUPILS.number_index(owner.identity.numbers[0]) for owner in (real, test_pupil)]
        found = database.view("test_numbers", lambda tx: PUPILS.by_numbers(tx, indexes))
        assert [found[index] for index in indexes] == [real.pupil_id, test_pupil.pupil_id]


def test_lists_and_counts_leave_drills_out(database: Database) -> None:
    real, test_pupil = pupil(1), drilled(1)
    gap = Gap(
        handle=handle(1),
        opening=Opening(1, OpeningKind.NOT_PLACED, MADE_ON, Urgency.IMMEDIATE),
        route=Route.REGISTRY,
        stated=True,
        due_on=MADE_ON,
        said_on=MADE_ON,
        state=GapState.OPEN,
        state_since=MADE_ON,
        opened_on=MADE_ON,
        opened_by=OpenedBy.IMMEDIATE,
    )
    parked = replace(version(1), carries=())
    of_drill = replace(parked, signal=replace(parked.signal, handle=Handle(test_pupil.handle), drill=True))
    gaps = Gaps(PUPILS)

    def both(tx: Transaction) -> None:
        PUPILS.restated(tx, {real.pupil_id: (None, True), test_pupil.pupil_id: (None, True)})
        gaps.save(tx, [(real.pupil_id, gap), (test_pupil.pupil_id, replace(gap, handle=Handle(test_pupil.handle)))])
        OUTBOX.add(tx, [(real.pupil_id, parked), (test_pupil.pupil_id, of_drill)], MADE_ON)

    def seen(tx: Transaction) -> tuple[object, ...]:
        lines = [*gaps.list_cases(tx, protected=True), *gaps.list_gaps(tx, protected=True)]
        refused = ParkedSignals(PUPILS, OUTBOX).standing(tx, protected=True)
        persons = [line.person_id for line in lines] + [signal.person_id for signal in refused]
        return persons, PUPILS.roster(tx), OUTBOX.counts(tx)

    with opened(database, real, test_pupil):
        database.run("test_both", both)
        assert database.view("test_seen", seen) == (["person-1"] * 2, 1, Counts(waiting=1, parked=0))
        # Both are sent all the same; the registry takes neither.
        batch = database.run("test_batch", lambda tx: OUTBOX.make_batch(tx, b"b" * 16, [of_drill, parked], AT))
        assert len(batch.versions) == 2
        answers = [Disposition(DispositionKind.CONFLICT)] * 2
        database.run("test_settle", lambda tx: OUTBOX.settle(tx, batch, answers, MADE_ON))
        assert database.view("test_seen", seen) == (["person-1"] * 3, 1, Counts(waiting=0, parked=1))
        [made] = database.view("test_made", lambda tx: OUTBOX.made(tx, test_pupil.handle))
        assert (made.state, made.code, made.version.signal.drill) == (VersionState.PARKED, "CONFLICT", True)


def test_what_was_kept_before_there_were_drills_is_no_drills(database: Database) -> None:
    said = version(1)
    row_id = handle(1) + (1).to_bytes(4, "big")
    old = msgspec.json.decode(msgspec.json.encode(said))
    assert old["signal"].pop("drill") is False
    sealed = SEALER.seal("versions", row_id, "sealed_signal", msgspec.json.encode(old))

    def age(tx: Transaction) -> None:
        OUTBOX.add(tx, [(pupil_id(1), said)], MADE_ON)
        tx.execute(update(versions).values(sealed_signal=sealed))

    with opened(database, pupil(1)):
        database.run("test_age", age)
        [made] = database.view("test_made", lambda tx: OUTBOX.made(tx, handle(1)))
        assert made.version == said
