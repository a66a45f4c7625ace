"""What the rules are given of openings beside their signals, and what is kept of the answers that they get.

Invariant: what is remembered of a pupil is found by the handle and, for `answer_kept_days`, by what the handle bore at
the answer: taking a handle back and making another one makes nobody another pupil.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from federation.rules.limits import Given, Remembered, kept
from federation.rules.matching import GapName, GapVerdict
from federation.rules.vocabulary import GapState, MemberId, Policy
from registry.model import Gap, GapKey, Ref, ref_of
from registry.store import Transaction, openings
from registry.store.groups import Group
from registry.store.openings import Kept, Name


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to be kept: those that are new, and every pair by which they and those that hold are found again."""

    given: Mapping[Name, tuple[MemberId, Given]] = field(default_factory=dict)
    pairs: Mapping[tuple[bytes, Ref], date] = field(default_factory=dict, repr=False)


def read(tx: Transaction, found: Sequence[Group], on: date, policy: Policy) -> dict[GapName, Remembered]:
    """What is remembered of every opening that these groups state."""
    stated = {ref: own for group in found for ref, own in group.signals.items() if own.signal.opening is not None}
    if not stated or not (policy.backdating_days or policy.answer_kept_days or policy.monthly_openings):
        return {}
    known = openings.load(tx, {ref for group in found for ref in group.signals})
    by_pair: dict[bytes, list[tuple[Ref, Kept, int]]] = {}
    if policy.answer_kept_days:
        borne = {pseudonym.value for own in stated.values() for pseudonym in own.signal.pseudonyms}
        since = on - timedelta(days=policy.answer_kept_days)
        by_pair = openings.answered_by_pair(tx, borne, since)
    remembered = {}
    for ref, own in stated.items():
        assert own.signal.opening is not None
        number = own.signal.opening.number
        this = known.get((ref, number))
        others = {name: each for name, each in known.items() if name[0] == ref}
        for pseudonym in own.signal.pseudonyms:
            others |= {(of, count): each for of, each, count in by_pair.get(pseudonym.value, ())}
        earlier = [
            each.given
            for name, each in sorted(others.items())
            if name != (ref, number) and each.member == own.member and each.given is not None
        ]
        remembered[own.member, own.signal.handle, number] = Remembered(
            received_on=None if this is None else this.received_on,
            given=None if this is None else this.given,
            earlier=tuple(earlier),
            # One that came while the close was under way has not been decided of: the next close does.
            waits=this is not None and bool(policy.monthly_openings) and this.waits is not False,
        )
    return remembered


def answers(
    group: Group,
    verdicts: Iterable[GapVerdict],
    before: Mapping[GapKey, Gap],
    remembered: Mapping[GapName, Remembered],
    on: date,
    policy: Policy,
) -> Answers:
    """The answers by other members' presences that these verdicts give, and how they are found again."""
    given: dict[Name, tuple[MemberId, Given]] = {}
    pairs: dict[tuple[bytes, Ref], date] = {}
    if not policy.answer_kept_days:
        return Answers()
    for verdict in verdicts:
        memory = remembered.get(verdict.name)
        if memory is None or verdict.drill or verdict.state is not GapState.ANSWERED or not verdict.stated:
            continue
        answer = verdict.answer
        if answer is None or answer.member == verdict.member:
            continue
        ref = ref_of(verdict.member, verdict.handle)
        stands = memory.given
        old = before.get(GapKey(*verdict.name))
        if kept(memory, verdict.opening, on, policy) is None and not (
            stands is not None
            and old is not None
            and old.state is GapState.ANSWERED
            and (stands.since, stands.member, stands.handle) == (verdict.opening.since, answer.member, answer.handle)
        ):
            stands = Given(on, verdict.opening.since, answer.member, answer.handle)
            given[ref, verdict.opening.number] = (verdict.member, stands)
        if stands is not None and stands.holds_on(on, policy):
            for pseudonym in group.signals[ref].signal.pseudonyms:
                key = (pseudonym.value, ref)
                pairs[key] = max(stands.on, pairs.get(key, stands.on))
    return Answers(given, pairs)


def write(tx: Transaction, kept_answers: Iterable[Answers]) -> None:
    """Keep these answers."""
    given: dict[Name, tuple[MemberId, Given]] = {}
    pairs: dict[tuple[bytes, Ref], date] = {}
    for each in kept_answers:
        given |= each.given
        pairs |= each.pairs
    openings.write_given(tx, given, pairs)


def forget(tx: Transaction, on: date, policy: Policy) -> None:
    """Drop what is too old to matter; called as a close ends."""
    openings.forget(tx, on - timedelta(days=policy.answer_kept_days))
