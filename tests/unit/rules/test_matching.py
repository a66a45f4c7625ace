"""Each sentence of design §6 by an example, and the properties that hold for every history."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.matching import (
    Answer,
    GapVerdict,
    KnownGap,
    MemberSignal,
    coverage_incomplete,
    evaluate,
    lead_of,
    months_before,
)
from federation.rules.vocabulary import (
    DutyEnded,
    GapState,
    Handle,
    MemberId,
    Opening,
    OpeningKind,
    Policy,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)

A, B, C = MemberId("0180"), MemberId("1280"), MemberId("1480")
SINCE = date(2026, 9, 2)
BEFORE_DUE = date(2026, 9, 14)
DUE = date(2026, 9, 15)
CALENDAR = SchoolCalendar([Break(date(2026, 10, 26), date(2026, 10, 30))])
CONTACTS = {A: date(2027, 1, 1), B: date(2027, 1, 1), C: date(2027, 1, 1)}
POLICY = Policy()


def day(month: int, number: int, year: int = 2026) -> date:
    return date(year, month, number)


def signal(
    member: MemberId,
    *presences: Presence,
    opening: Opening | None = None,
    duty_ended: DutyEnded | None = None,
    numbers: Sequence[bytes] = (b"child",),
    retracted: bool = False,
) -> MemberSignal:
    handle = Handle(member.encode().ljust(16, b"\0"))
    pseudonyms = tuple(Pseudonym(1, number) for number in numbers)
    return MemberSignal(member, Signal(handle, 1, pseudonyms, presences, opening, duty_ended, retracted))


LEFT = Opening(1, OpeningKind.LEFT, SINCE)
LEAVER = signal(A, Presence(None, SINCE), opening=LEFT)
"""Left A on 2 September, there for longer than is told."""


def state(
    *signals: MemberSignal,
    today: date = DUE,
    known: Sequence[KnownGap] = (),
    contacts: dict[MemberId, date] | None = None,
) -> GapState:
    return verdict(*signals, today=today, known=known, contacts=contacts).state


def verdict(
    *signals: MemberSignal,
    today: date = DUE,
    known: Sequence[KnownGap] = (),
    contacts: dict[MemberId, date] | None = None,
) -> GapVerdict:
    verdicts = evaluate(signals, known, contacts or CONTACTS, today, POLICY, lambda _: CALENDAR)
    return next(found for found in verdicts if found.member == A)


def test_a_gap_nobody_answers_is_watched_and_opens_on_its_due_day() -> None:
    assert state(LEAVER, today=BEFORE_DUE) is GapState.WATCH
    assert state(LEAVER, today=DUE) is GapState.OPEN


@pytest.mark.parametrize(
    ("presence", "expected"),
    [
        (Presence(day(9, 4)), GapState.ANSWERED),
        (Presence(day(9, 4), until=day(9, 10)), GapState.ANSWERED),  # it went on after the leaving
        (Presence(day(8, 20), until=SINCE), GapState.OPEN),  # it ended when the gap began
        (Presence(DUE), GapState.ANSWERED),  # begins today
        (Presence(day(10, 1)), GapState.OPEN),  # begins in the future
        (Presence(None), GapState.OPEN),  # older than is told, never affirmed
        (Presence(None, affirmed_on=day(9, 5)), GapState.ANSWERED),  # said again after having ended
    ],
)
def test_which_presence_of_another_member_answers(presence: Presence, expected: GapState) -> None:
    assert state(LEAVER, signal(B, presence)) is expected


def test_a_row_older_than_the_leavers_own_presence_does_not_answer() -> None:
    leaver = signal(A, Presence(day(9, 1), day(9, 2)), opening=LEFT)
    stale = Presence(day(8, 20), affirmed_on=day(8, 24))
    assert state(leaver, signal(B, stale)) is GapState.OPEN
    assert state(leaver, signal(B, replace(stale, affirmed_on=day(9, 1)))) is GapState.ANSWERED


def test_the_members_own_other_handle_does_not_answer() -> None:
    own = replace(signal(A, Presence(day(9, 4))).signal, handle=Handle(b"another handle!!"))
    assert state(LEAVER, MemberSignal(A, own)) is GapState.OPEN


def test_who_shares_no_pseudonym_does_not_answer_even_through_a_third() -> None:
    link = signal(B, numbers=(b"child", b"second"))
    far = signal(C, Presence(day(9, 4)), numbers=(b"second",))
    assert state(LEAVER, link, far) is GapState.OPEN


def test_the_same_bytes_in_another_epoch_do_not_meet() -> None:
    other = signal(B, Presence(day(9, 4)))
    other = replace(other, signal=replace(other.signal, pseudonyms=(Pseudonym(2, b"child"),)))
    assert state(LEAVER, other) is GapState.OPEN


def test_not_placed_is_answered_by_a_presence_in_force_only() -> None:
    resident = signal(A, opening=replace(LEFT, kind=OpeningKind.NOT_PLACED))
    assert state(resident, signal(B, Presence(day(9, 4), until=day(9, 10)))) is GapState.OPEN
    assert state(resident, signal(B, Presence(day(9, 4)))) is GapState.ANSWERED


def test_an_immediate_gap_needs_someone_who_saw_the_pupil() -> None:
    urgent = signal(A, Presence(None, SINCE), opening=replace(LEFT, urgency=Urgency.IMMEDIATE))
    there = Presence(day(9, 4))
    asked = verdict(urgent, signal(B, there), today=SINCE)
    assert asked.state is GapState.OPEN
    asked = verdict(urgent, signal(B, there), today=day(9, 5))
    assert (asked.state, [member for member, _ in asked.confirm]) == (GapState.OPEN, [B])
    assert state(urgent, signal(B, replace(there, met_on=day(9, 1)))) is GapState.OPEN
    assert state(urgent, signal(B, replace(there, met_on=SINCE))) is GapState.ANSWERED


def test_a_short_stay_that_ended_with_the_duty_does_not_answer() -> None:
    stay = Presence(day(9, 4), until=day(9, 8))
    assert state(LEAVER, signal(B, stay, duty_ended=DutyEnded(day(9, 8)))) is GapState.OPEN
    twenty = CALENDAR.nth_on_or_after(day(9, 4), 20) + timedelta(days=1)
    short_stay = signal(B, replace(stay, until=twenty), duty_ended=DutyEnded(twenty))
    assert state(LEAVER, short_stay, today=twenty) is GapState.OPEN
    later = CALENDAR.nth_on_or_after(day(9, 4), 21) + timedelta(days=1)
    longer = signal(B, replace(stay, until=later), duty_ended=DutyEnded(later))
    assert state(LEAVER, longer, today=later) is GapState.ANSWERED
    long_stay = Presence(day(9, 4), until=day(10, 20))
    ended = DutyEnded(day(10, 20))
    assert state(LEAVER, signal(B, long_stay, duty_ended=ended), today=day(11, 9)) is GapState.ANSWERED


def test_a_silent_member_does_not_answer() -> None:
    there = signal(B, Presence(day(9, 1), affirmed_on=day(9, 1)))
    heard = {A: DUE, B: day(9, 1)}
    assert state(LEAVER, there, today=DUE, contacts=heard) is GapState.ANSWERED  # before the gap, 14 days ago
    assert state(LEAVER, there, today=day(9, 16), contacts=heard) is GapState.OPEN
    assert state(LEAVER, there, today=day(9, 16), contacts={A: DUE, B: SINCE}) is GapState.ANSWERED
    assert state(LEAVER, there, contacts={A: DUE}) is GapState.OPEN  # never heard from


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (DutyEnded(SINCE), GapState.ENDED),
        (DutyEnded(SINCE - timedelta(days=60)), GapState.ENDED),
        (DutyEnded(SINCE - timedelta(days=61)), GapState.OPEN),
        (DutyEnded(SINCE, review=DUE), GapState.ENDED),
        (DutyEnded(SINCE, review=BEFORE_DUE), GapState.OPEN),  # the review has passed
    ],
)
def test_only_the_members_own_end_of_duty_ends_its_gap(ended: DutyEnded, expected: GapState) -> None:
    own = signal(A, Presence(None, SINCE), opening=LEFT, duty_ended=ended)
    assert state(own) is expected
    assert state(LEAVER, signal(B, duty_ended=ended)) is GapState.OPEN


def test_an_answer_goes_before_an_end_of_duty() -> None:
    own = signal(A, Presence(None, SINCE), opening=LEFT, duty_ended=DutyEnded(SINCE))
    assert state(own, signal(B, Presence(day(9, 4)))) is GapState.ANSWERED


def known(opening: Opening = LEFT, was: GapState = GapState.OPEN, answer: Answer | None = None) -> KnownGap:
    return KnownGap(A, LEAVER.signal.handle, opening, was, answer)


def test_a_gap_no_longer_stated_is_void_or_answered_by_an_own_presence() -> None:
    assert state(signal(A, Presence(None)), known=[known()]) is GapState.VOID
    assert state(signal(A, Presence(None, SINCE), Presence(day(9, 10))), known=[known()]) is GapState.ANSWERED
    assert state(signal(A, Presence(None, day(9, 1)), Presence(SINCE)), known=[known()]) is GapState.ANSWERED
    assert state(signal(A, Presence(None), retracted=True), known=[known()]) is GapState.VOID
    assert state(known=[known()]) is GapState.VOID


def test_an_answer_that_has_aged_out_stands() -> None:
    answer = Answer(B, Handle(b"\1" * 16), day(9, 4))
    answered = known(was=GapState.ANSWERED, answer=answer)
    assert state(LEAVER, known=[answered], today=day(10, 4, 2027)) is GapState.OPEN
    assert state(LEAVER, known=[answered], today=day(10, 5, 2027)) is GapState.ANSWERED
    assert state(LEAVER, known=[replace(answered, state=GapState.OPEN)], today=day(10, 5, 2027)) is GapState.OPEN


def test_a_presence_taken_back_opens_the_gap_again() -> None:
    answer = Answer(B, Handle(b"\1" * 16), day(9, 4))
    assert state(LEAVER, signal(B), known=[known(was=GapState.ANSWERED, answer=answer)]) is GapState.OPEN


def test_gaps_that_meet_name_each_other() -> None:
    other = signal(B, Presence(None, day(9, 3)), opening=Opening(3, OpeningKind.LEFT, day(9, 3)))
    verdicts = evaluate([LEAVER, other], [], CONTACTS, DUE, POLICY, lambda _: CALENDAR)
    names = [found.name for found in verdicts]
    assert [set(found.meets) for found in verdicts] == [{names[1]}, {names[0]}]


def test_the_lead_says_not_placed_or_left_last_or_has_the_lowest_id() -> None:
    def gap(member: MemberId, kind: OpeningKind, since: date) -> GapVerdict:
        return GapVerdict(member, Handle(bytes(16)), Opening(1, kind, since), GapState.OPEN, DUE, stated=True)

    left = OpeningKind.LEFT
    assert lead_of([gap(A, left, day(9, 1)), gap(B, left, day(9, 2))]) == B
    assert lead_of([gap(B, left, day(9, 2)), gap(A, left, day(9, 2))]) == A
    assert lead_of([gap(C, OpeningKind.NOT_PLACED, day(8, 1)), gap(B, left, day(9, 2))]) == C
    assert lead_of([]) is None


def test_coverage_is_incomplete_when_a_member_is_silent_for_over_five_school_days() -> None:
    def incomplete(today: date, contacts: dict[MemberId, date]) -> bool:
        return coverage_incomplete(contacts, [A], today, POLICY, lambda _: CALENDAR)

    assert not incomplete(day(9, 9), {A: day(9, 2)})
    assert incomplete(day(9, 10), {A: day(9, 2)})
    # Heard on a Friday: the Saturday of the next week ends five silent school days and begins none.
    assert not incomplete(day(9, 12), {A: day(9, 4)})
    assert incomplete(day(9, 14), {A: day(9, 4)})
    assert incomplete(day(9, 2), {})


@given(st.dates(date(2001, 1, 1), date(2090, 1, 1)), st.integers(1, 40))
def test_months_before_keeps_the_day_or_takes_the_months_last(given_day: date, months: int) -> None:
    earlier = months_before(given_day, months)
    assert (given_day.year - earlier.year) * 12 + given_day.month - earlier.month == months
    assert earlier.day == given_day.day or (earlier + timedelta(days=1)).day == 1
    assert earlier.day <= given_day.day


# -- properties ----------------------------------------------------------------------------------------------------

FIRST = date(2026, 8, 24)
SOON = st.integers(0, 70).map(lambda days: FIRST + timedelta(days=days))


@st.composite
def presences(draw: st.DrawFn) -> tuple[Presence, ...]:
    begins = draw(st.none() | SOON)
    until = draw(st.none() | SOON)
    if until is not None and begins is not None and until <= begins:
        until = None
    return (Presence(begins, until, draw(st.none() | SOON), draw(st.none() | SOON)),)


@st.composite
def groups(draw: st.DrawFn) -> list[MemberSignal]:
    signals = []
    for number in range(draw(st.integers(1, 5))):
        opening = draw(
            st.none()
            | st.builds(
                Opening,
                st.integers(1, 2),
                st.sampled_from([OpeningKind.LEFT, OpeningKind.NOT_PLACED]),
                SOON,
                st.sampled_from(Urgency),
            )
        )
        signals.append(
            MemberSignal(
                draw(st.sampled_from([A, B, C])),
                Signal(
                    Handle(bytes([number]) * 16),
                    1,
                    tuple(Pseudonym(1, name) for name in draw(st.sets(st.sampled_from([b"x", b"y"]), min_size=1))),
                    draw(st.just(()) | presences()),
                    opening,
                    draw(st.none() | st.builds(DutyEnded, SOON, st.none() | SOON)),
                    draw(st.integers(0, 9)) == 0,
                ),
            )
        )
    return signals


CONTACT_DATES = st.dictionaries(st.sampled_from([A, B, C]), SOON)


def run(
    signals: Sequence[MemberSignal], known: Sequence[KnownGap], contacts: dict[MemberId, date], today: date
) -> tuple[GapVerdict, ...]:
    return evaluate(signals, known, contacts, today, POLICY, lambda _: CALENDAR)


def as_known(verdicts: Sequence[GapVerdict]) -> list[KnownGap]:
    return [KnownGap(v.member, v.handle, v.opening, v.state, v.answer) for v in verdicts]


@given(groups(), CONTACT_DATES, SOON, st.randoms(use_true_random=False))
def test_order_of_signals_changes_nothing(
    signals: list[MemberSignal], contacts: dict[MemberId, date], today: date, random: object
) -> None:
    shuffled = list(signals)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands over a random.Random
    assert run(signals, [], contacts, today) == run(shuffled, [], contacts, today)


@given(groups(), CONTACT_DATES, SOON)
def test_closing_twice_changes_nothing(
    signals: list[MemberSignal], contacts: dict[MemberId, date], today: date
) -> None:
    first = run(signals, [], contacts, today)
    assert run(signals, as_known(first), contacts, today) == first


@settings(max_examples=300)
@given(groups(), CONTACT_DATES, SOON, st.integers(1, 40))
def test_nothing_changes_before_recheck(
    signals: list[MemberSignal], contacts: dict[MemberId, date], today: date, later: int
) -> None:
    first = {found.name: found for found in run(signals, [], contacts, today)}
    day_after = today + timedelta(days=later)
    for found in run(signals, as_known(list(first.values())), contacts, day_after):
        before = first[found.name]
        if before.recheck_on is None or day_after < before.recheck_on:
            assert (found.state, found.answer, found.confirm) == (before.state, before.answer, before.confirm)


@given(groups(), CONTACT_DATES, SOON)
def test_one_more_silent_member_never_answers_anything(
    signals: list[MemberSignal], contacts: dict[MemberId, date], today: date
) -> None:
    heard = run(signals, [], contacts, today)
    silent = run(signals, [], {}, today)
    for before, after in zip(heard, silent, strict=True):
        assert after.state is not GapState.ANSWERED
        if before.state is GapState.OPEN:
            assert after.state is GapState.OPEN


@settings(max_examples=300)
@given(groups(), groups(), CONTACT_DATES, SOON)
def test_drills_change_nothing_for_anybody_else(
    signals: list[MemberSignal], others: list[MemberSignal], contacts: dict[MemberId, date], today: date
) -> None:
    """Whatever drills say under children's own pseudonyms: they answer, link and put off nothing."""
    alone = run(signals, [], contacts, today)
    drills = [as_drill(other) for other in others]
    among = [found for found in run([*signals, *drills], [], contacts, today) if not found.drill]
    assert among == list(alone)


@settings(max_examples=300)
@given(groups(), groups(), CONTACT_DATES, SOON)
def test_nobody_answers_or_meets_a_drill(
    signals: list[MemberSignal], others: list[MemberSignal], contacts: dict[MemberId, date], today: date
) -> None:
    drills = [as_drill(other) for other in others]
    for found in run([*signals, *drills], [], contacts, today):
        if found.drill:
            assert found.answer is None
            assert found.confirm == ()
            assert {(member, handle[:1]) for member, handle, _ in found.meets} <= {(found.member, b"d")}


def as_drill(said: MemberSignal) -> MemberSignal:
    """The same as a drill's, under a handle of its own."""
    handle = Handle(b"d" + said.signal.handle[1:])
    return MemberSignal(said.member, replace(said.signal, handle=handle, drill=True))
