"""Which version comes next: repetition makes none, time alone makes none, everything else makes exactly one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.rules.calendar import SchoolCalendar
from federation.rules.matching import months_before
from federation.rules.vocabulary import (
    MAX_PRESENCES,
    DutyEnded,
    Handle,
    MemberId,
    OpeningKind,
    Policy,
    Presence,
    Urgency,
)
from node.gaps import Gap, Judge, opening_number, restated
from node.identity import Route
from node.model import OpeningStated, Statement
from node.outbox import PseudonymRef, Version, next_version, references, retraction, says_the_same

TODAY = date(2026, 10, 19)
HANDLE = Handle(bytes(range(16)))
NUMBER = b"n" * 32
CARRIES = (PseudonymRef(1, NUMBER),)
JUDGE = Judge(MemberId("0180"), Policy(), SchoolCalendar())

DAYS = st.dates(date(2026, 8, 17), date(2026, 12, 18))


def _presences(cuts: list[date], in_force: bool) -> tuple[Presence, ...]:
    """Non-overlapping presences between sorted distinct days; the last one open where `in_force`."""
    pairs = [(cuts[at], cuts[at + 1]) for at in range(0, len(cuts) - 1, 2)]
    found = [Presence(begins, until, begins) for begins, until in pairs]
    if in_force and found:
        found[-1] = replace(found[-1], until=None)
    return tuple(found)


PRESENCES = st.builds(_presences, st.lists(DAYS, min_size=2, max_size=6, unique=True).map(sorted), st.booleans())
OPENINGS = st.none() | st.builds(
    OpeningStated,
    st.sampled_from([OpeningKind.LEFT, OpeningKind.NOT_PLACED]),
    DAYS,
    st.sampled_from(Urgency),
)
STATEMENTS = st.builds(
    lambda presences, opening, ended, moves: Statement(presences, opening, ended, moves or opening is not None),
    PRESENCES,
    OPENINGS,
    st.none() | st.builds(DutyEnded, DAYS),
    st.booleans(),
)


class Outbox:
    """The newest version and the gaps of one handle, as the store keeps them."""

    def __init__(self) -> None:
        self.versions: list[Version] = []
        self.gaps: tuple[Gap, ...] = ()

    def say(self, statement: Statement, today: date = TODAY, carries: tuple[PseudonymRef, ...] = CARRIES) -> bool:
        version = next_version(
            self.versions[-1] if self.versions else None,
            statement,
            handle=HANDLE,
            carries=carries,
            opening_number=opening_number(self.gaps),
            nonce=len(self.versions).to_bytes(16, "big"),
            today=today,
        )
        self.gaps = restated(self.gaps, statement, Route.REGISTRY, handle=HANDLE, today=today, judge=JUDGE).gaps
        if version is not None:
            self.versions.append(version)
        return version is not None

    def restart(self) -> None:
        """What comes back from the store is what went in."""
        self.versions = msgspec.json.decode(msgspec.json.encode(self.versions), type=list[Version])


@given(st.lists(STATEMENTS, max_size=8))
def test_a_statement_said_again_makes_no_version(statements: list[Statement]) -> None:
    outbox = Outbox()
    for statement in statements:
        outbox.say(statement)
        assert not outbox.say(statement)


@given(st.lists(st.tuples(STATEMENTS, st.integers(1, 3), st.booleans()), max_size=8))
def test_repetition_and_restarts_make_no_extra_version(steps: list[tuple[Statement, int, bool]]) -> None:
    plain, disturbed = Outbox(), Outbox()
    for statement, times, restart in steps:
        plain.say(statement)
        for _ in range(times):
            disturbed.say(statement)
            if restart:
                disturbed.restart()
    assert disturbed.versions == plain.versions
    assert disturbed.gaps == plain.gaps


@given(st.lists(STATEMENTS, max_size=10))
def test_versions_count_up_by_one_and_numbers_by_one_after_a_version_without(statements: list[Statement]) -> None:
    outbox = Outbox()
    for statement in statements:
        outbox.say(statement)
    expected = 0
    before = None
    for position, version in enumerate(outbox.versions, start=1):
        assert version.signal.version == position
        opening = version.signal.opening
        if opening is not None:
            expected += before is None
            assert opening.number == expected
        before = opening


@given(STATEMENTS, STATEMENTS)
def test_the_newest_version_says_the_newest_statement(first: Statement, second: Statement) -> None:
    outbox = Outbox()
    outbox.say(first)
    outbox.say(second)
    if not outbox.versions:
        assert not first.moves
        assert not second.moves
        return
    signal = outbox.versions[-1].signal
    assert signal.presences == second.presences
    assert (signal.opening is None) == (second.opening is None)
    assert signal.duty_ended == second.duty_ended


def test_a_pupil_that_does_not_move_is_never_sent() -> None:
    outbox = Outbox()
    assert not outbox.say(Statement((Presence(None),)))
    assert not outbox.say(Statement((Presence(None, date(2026, 10, 1)),), duty_ended=DutyEnded(date(2026, 10, 1))))
    assert outbox.versions == []


def test_an_end_of_duty_is_said_of_a_handle_already_sent() -> None:
    outbox = Outbox()
    outbox.say(Statement((Presence(date(2026, 9, 1)),), moves=True))
    ended = Statement((Presence(date(2026, 9, 1), date(2026, 10, 1)),), duty_ended=DutyEnded(date(2026, 10, 1)))
    assert outbox.say(ended)
    assert outbox.versions[-1].signal.duty_ended == DutyEnded(date(2026, 10, 1))


def test_a_begin_that_ages_to_absent_makes_no_version() -> None:
    outbox = Outbox()
    begins = date(2025, 9, 18)
    outbox.say(Statement((Presence(begins, None, begins),), moves=True))
    assert not outbox.say(Statement((Presence(None, None, begins),), moves=True))


def test_a_begin_that_comes_to_be_known_makes_a_version() -> None:
    outbox = Outbox()
    outbox.say(Statement((Presence(None),), moves=True))
    assert outbox.say(Statement((Presence(date(2026, 9, 1)),), moves=True))


def test_a_presence_that_is_no_longer_told_makes_no_version() -> None:
    long_ended = Presence(None, months_before(TODAY, 13))
    now = Presence(date(2026, 8, 20))
    outbox = Outbox()
    outbox.say(Statement((long_ended, now), moves=True), today=TODAY - timedelta(days=1))
    assert not outbox.say(Statement((now,), moves=True))


def test_a_presence_taken_back_makes_a_version() -> None:
    recent = Presence(date(2026, 1, 8), date(2026, 6, 12))
    now = Presence(date(2026, 8, 20))
    outbox = Outbox()
    outbox.say(Statement((recent, now), moves=True))
    assert outbox.say(Statement((now,), moves=True))


def test_beyond_eight_presences_the_newest_stand() -> None:
    first = date(2026, 1, 1)
    presences = tuple(
        Presence(first + timedelta(days=20 * at), first + timedelta(days=20 * at + 10)) for at in range(10)
    )
    outbox = Outbox()
    outbox.say(Statement(presences, moves=True))
    assert outbox.versions[-1].signal.presences == presences[-MAX_PRESENCES:]


def test_a_new_epoch_makes_a_version_and_a_retired_one_does_not() -> None:
    outbox = Outbox()
    both = references([NUMBER], [1, 2])
    statement = Statement((Presence(date(2026, 9, 1)),), moves=True)
    outbox.say(statement)
    assert outbox.say(statement, carries=both)
    assert outbox.versions[-1].carries == both
    assert not outbox.say(statement, carries=references([NUMBER], [2]))


def test_older_numbers_give_way_before_an_epoch_does() -> None:
    numbers = [bytes([at]) * 32 for at in range(4)]
    assert references(numbers, [1, 2]) == (
        PseudonymRef(2, numbers[0]),
        PseudonymRef(1, numbers[0]),
        PseudonymRef(2, numbers[1]),
        PseudonymRef(1, numbers[1]),
    )


def test_a_retraction_takes_everything_back_once() -> None:
    outbox = Outbox()
    outbox.say(Statement((Presence(date(2026, 9, 1)),), OpeningStated(OpeningKind.LEFT, TODAY), moves=True))
    taken_back = retraction(outbox.versions[-1], nonce=bytes(16))
    assert taken_back is not None
    signal = taken_back.signal
    assert (signal.version, signal.retracted, signal.presences, signal.opening) == (2, True, (), None)
    assert retraction(taken_back, nonce=bytes(16)) is None
    assert retraction(None, nonce=bytes(16)) is None


def test_a_nonce_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        next_version(
            None, Statement(moves=True), handle=HANDLE, carries=CARRIES, opening_number=1, nonce=b"", today=TODAY
        )


def test_nothing_of_a_version_shows_the_handle_or_the_number() -> None:
    outbox = Outbox()
    outbox.say(Statement((Presence(date(2026, 9, 1)),), moves=True))
    shown = repr(outbox.versions[-1])
    assert repr(HANDLE) not in shown
    assert repr(NUMBER) not in shown
    assert not says_the_same(
        outbox.versions[-1], replace(outbox.versions[-1], carries=references([NUMBER], [9])), TODAY
    )
