"""Two members that both say for long that they have the pupil (design §6, notice OVERLAP): pure.

A row that nobody closes keeps a pupil accounted for who is gone. Where two members are both in force and neither has
said anything new for over `policy.overlap_school_days`, the earlier is asked: is the pupil still there?

Invariants: nobody is asked about a drill, nor because of a member that has fallen silent; of two presences the same one
is asked about, whoever looks and in whatever order signals came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations, product

from federation.rules.matching import SILENT_DAYS, Calendars, MemberSignal, as_of, entered_on
from federation.rules.vocabulary import Handle, MemberId, Policy, Presence, Pseudonym

Pair = tuple[MemberSignal, MemberSignal]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two handles of one pupil, both in force. `member` and `handle` are the earlier's, who is asked from `asks_on`;
    `began_on` is the day since which both are."""

    member: MemberId
    handle: Handle = field(repr=False)
    other_member: MemberId
    other_handle: Handle = field(repr=False)
    began_on: date
    asks_on: date


def overlaps(
    pairs: Iterable[Pair], last_contacts: Mapping[MemberId, date], today: date, policy: Policy, calendars: Calendars
) -> Iterator[Overlap]:
    """The overlaps among handles that meet; those whose `asks_on` has come are to be asked about."""
    if not policy.overlap_school_days:
        return
    for first, second in pairs:
        if first.signal.drill or second.signal.drill:
            continue
        if first.signal.opening is not None or second.signal.opening is not None:
            # One of them has said what there is to say.
            continue
        here, there = _in_force(first, today), _in_force(second, today)
        if here is None or there is None:
            continue
        (earlier, its), (later, others) = sorted([(first, here), (second, there)], key=_order)
        if _silent(last_contacts.get(later.member), today):
            continue
        said = max(day for day in (entered_on(its), entered_on(others), date.min) if day is not None)
        began = max(its.begins or date.min, others.begins or date.min)
        if said == date.min:
            # Both lie further back than is told: they have overlapped for longer than any policy waits.
            asks_on = today
        else:
            asks_on = calendars(earlier.member).nth_on_or_after(said, policy.overlap_school_days + 1)
        yield Overlap(earlier.member, earlier.signal.handle, later.member, later.signal.handle, began, asks_on)


def meeting(signals: Iterable[MemberSignal]) -> Iterator[Pair]:
    """The pairs of handles of different members that share an (epoch, pseudonym) pair, each once, in a fixed order."""
    holders: dict[Pseudonym, dict[MemberId, list[MemberSignal]]] = {}
    for own in sorted(signals, key=lambda own: (own.member, own.signal.handle)):
        if not own.signal.retracted:
            for pseudonym in own.signal.pseudonyms:
                holders.setdefault(pseudonym, {}).setdefault(own.member, []).append(own)
    met = {
        (first.member, first.signal.handle, second.member, second.signal.handle): (first, second)
        for by_member in holders.values()
        for one, other in combinations(by_member.values(), 2)
        for first, second in product(one, other)
    }
    return (met[key] for key in sorted(met))


def _in_force(own: MemberSignal, today: date) -> Presence | None:
    return next((as_of(presence, today) for presence in own.signal.presences if presence.in_force(today)), None)


def _order(stated: tuple[MemberSignal, Presence]) -> tuple[date, date, MemberId]:
    own, presence = stated
    return presence.begins or date.min, presence.affirmed_on or date.min, own.member


def _silent(contact: date | None, today: date) -> bool:
    # Of its return a report of its roster tells, which has all its handles looked at (`registry.intake`).
    return contact is None or today - contact > timedelta(days=SILENT_DAYS)
