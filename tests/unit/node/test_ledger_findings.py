"""What a node holds against the registry: never what retention may have taken away, always what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from federation.rules.calendar import SchoolCalendar
from federation.rules.matching import Answer, MemberSignal
from federation.rules.vocabulary import (
    GapState,
    Handle,
    MemberId,
    Opening,
    OpeningKind,
    Policy,
    Presence,
    Pseudonym,
    Signal,
)
from node.gaps import Gap, OpenedBy
from node.identity import Route
from node.ledger.findings import Finding, Flaw, Kind, Sent, compare, gathered
from node.ledger.standing import must_stand
from node.outbox import PseudonymRef, Version
from registry import model
from registry.retention.rules import Known, may_go_on

MEMBER, OTHER = MemberId("0180"), MemberId("1280")
HANDLE, ANOTHER = Handle(bytes(16)), Handle(b"\x01" * 16)
TODAY = date(2026, 9, 14)
CALENDAR = SchoolCalendar(())
SAID = Signal(HANDLE, 1, (), (Presence(date(2026, 8, 20), affirmed_on=date(2026, 8, 20)),))
OWN = Version(SAID, (PseudonymRef(1, bytes(32)),))
EPOCHS = frozenset({1})


def sent(*versions: Version, acknowledged: int = 1, uncertain: frozenset[int] = frozenset()) -> Mapping[Handle, Sent]:
    by_number = {version.signal.version: version for version in versions}
    return {HANDLE: Sent(by_number, acknowledged, uncertain, {number: 40 + number for number in by_number})}


def stated(signal: Signal, *epochs: int) -> Mapping[Handle, Signal]:
    return {signal.handle: replace(signal, pseudonyms=tuple(Pseudonym(epoch, b"") for epoch in epochs))}


def found(own: Mapping[Handle, Sent], said: Mapping[Handle, Signal]) -> list[tuple[Kind, int | None]]:
    return [(flaw.kind, flaw.leaf_index) for flaw in compare(own, said, frozenset({HANDLE}), EPOCHS)]


def test_what_was_sent_is_held_against_nobody() -> None:
    assert found(sent(OWN), stated(SAID, 1)) == []
    # An epoch that is over, and one whose pseudonym is lacking: that is found by asking for it.
    assert found(sent(OWN), stated(SAID, 0, 1)) == []
    assert found(sent(OWN), stated(SAID)) == []


def test_a_version_that_may_have_arrived_is_not_foreign() -> None:
    next_one = Version(replace(SAID, version=2, presences=()), ())
    assert found(sent(OWN, next_one), stated(next_one.signal)) == []
    assert found(sent(OWN, next_one), stated(replace(SAID, version=2), 1)) == [(Kind.EDITED, 42)]
    assert found(sent(OWN, next_one, uncertain=frozenset({2})), stated(replace(SAID, version=2), 1)) == []
    assert found(sent(OWN), stated(next_one.signal)) == [(Kind.FOREIGN, None)]


def test_each_change_has_its_name_and_its_leaf() -> None:
    assert found(sent(OWN), {}) == [(Kind.MISSING, 41)]
    assert found(sent(OWN), stated(replace(SAID, presences=()), 1)) == [(Kind.EDITED, 41)]
    assert found(sent(OWN), stated(replace(SAID, retracted=True), 1)) == [(Kind.EDITED, 41)]
    assert found(sent(OWN), stated(SAID, 1, 1)) == [(Kind.EDITED, 41)]
    newer = Version(replace(SAID, version=2), OWN.carries)
    assert found(sent(newer, acknowledged=2), stated(SAID, 1)) == [(Kind.SET_BACK, 42)]
    assert found({}, stated(SAID, 1)) == [(Kind.FOREIGN, None)]


def test_flaws_of_one_leaf_are_one_finding_and_another_change_of_them_another() -> None:
    one, other = (Flaw(Kind.EDITED, 7, handle, 1, b"said") for handle in (HANDLE, ANOTHER))
    [finding] = gathered([one, other])
    assert (finding.kind, finding.first, finding.last) == (Kind.EDITED, 7, 7)
    assert gathered([other, one]) == (finding,)
    [again] = gathered([replace(one, said=b"something else"), other])
    assert again.subject != finding.subject
    assert Finding(Kind.LEAF_GONE, 7, 7).subject != finding.subject


DAYS = st.integers(0, 800).map(lambda days: TODAY - timedelta(days=days))
PRESENCES = st.lists(
    st.builds(
        Presence,
        st.none() | DAYS,
        until=st.none() | DAYS,
        affirmed_on=st.none() | DAYS,
    ),
    max_size=2,
)


@settings(max_examples=400, deadline=None)
@given(PRESENCES, st.none() | DAYS, st.sampled_from(GapState), DAYS, DAYS, st.none() | DAYS, st.booleans())
def test_what_the_registry_may_purge_is_never_missed(
    presences: list[Presence],
    since: date | None,
    state: GapState,
    state_since: date,
    due_on: date,
    told_on: date | None,
    retracted: bool,
) -> None:
    """Held against the registry's own rules, of the same gap as both sides know it; `told_on` is the day of the first
    notice, where the gap had its state before there was one."""
    policy = Policy()
    opening = None if since is None else Opening(1, OpeningKind.LEFT, since)
    signal = Signal(HANDLE, 1, (), tuple(presences), opening, retracted=retracted)
    theirs, ours = [], []
    if opening is not None:
        answered = state is GapState.ANSWERED
        answer = Answer(OTHER, ANOTHER, None) if answered else None
        key = model.GapKey(MEMBER, HANDLE, 1)
        theirs = [model.Gap(key, opening, state, state_since, due_on, answer=answer)]
        told = state not in (GapState.WATCH, GapState.OPEN)
        ours = [
            Gap(
                HANDLE,
                opening,
                Route.REGISTRY,
                stated=True,
                due_on=due_on,
                said_on=state_since,
                state=state,
                state_since=state_since,
                verdict=state if told else None,
                verdict_on=max(state_since, told_on or state_since) if told else None,
                opened_by=OpenedBy.NOTICE if told_on is None else None,
            )
        ]
    known = Known(MemberSignal(MEMBER, signal), theirs, (), (), answers=False)
    goes = may_go_on(known, TODAY, policy, lambda _: CALENDAR)
    if goes is not None and goes <= TODAY:
        assert not must_stand(signal, ours, TODAY, policy)
