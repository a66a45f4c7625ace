"""Whom to ask because two members have long said that they have one pupil. Pure.

Invariant: a member is asked once about a handle because of another, for as long as neither's presence begins anew; it
is told nothing but its own handle, whatever number of members there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from federation.rules.matching import Calendars
from federation.rules.overlap import meeting, overlaps
from federation.rules.vocabulary import MemberId, NoticeKind, Policy
from registry.model import NoticeDraft, Ref, ref_of
from registry.store.groups import Group


@dataclass(frozen=True, slots=True)
class Asking:
    """What a group's overlaps come to: notices, the pairs they are about, and the day to look again, at one handle."""

    notices: tuple[NoticeDraft, ...] = ()
    asked: tuple[tuple[Ref, Ref], ...] = field(default=(), repr=False)
    days: Mapping[Ref, date] = field(default_factory=dict, repr=False)


def ask(
    group: Group,
    asked: Mapping[tuple[Ref, Ref], date],
    last_contacts: Mapping[MemberId, date],
    today: date,
    policy: Policy,
    calendars: Calendars,
) -> Asking:
    """The questions that a group raises today. `asked` are those of before, with the close that asked."""
    if len(group.signals) < 2:
        return Asking()
    drafts: dict[Ref, NoticeDraft] = {}
    now: list[tuple[Ref, Ref]] = []
    next_look: tuple[date, Ref] | None = None
    for overlap in overlaps(meeting(group.signals.values()), last_contacts, today, policy, calendars):
        pair = (ref_of(overlap.member, overlap.handle), ref_of(overlap.other_member, overlap.other_handle))
        before = asked.get(pair)
        if before is not None and overlap.began_on <= before:
            continue
        if overlap.asks_on > today:
            look = (overlap.asks_on, pair[0])
            next_look = look if next_look is None else min(next_look, look)
            continue
        now.append(pair)
        drafts[pair[0]] = NoticeDraft(overlap.member, NoticeKind.OVERLAP, overlap.handle)
    days = {} if next_look is None else {next_look[1]: next_look[0]}
    return Asking(tuple(drafts[ref] for ref in sorted(drafts)), tuple(now), days)
