"""Which members had reported by the last day of a release, and which municipalities are silent in it. Pure.

Invariant: decided by the descriptor and by when members last reported, never by a child: silence tells of nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from federation.descriptor_file import Member
from federation.rules.vocabulary import MemberId
from registry.statistics.geography import county_of, geography
from registry.statistics.model import Coverage


def municipalities(members: Iterable[Member]) -> Callable[[MemberId], str]:
    """What gives the municipality that a member's children are counted in: itself, or an operator's home.

    Of a member that has left the federation, the one whose digits its id begins with.
    """
    homes = {member.member_id: member.home or member.id for member in members}
    return lambda member: homes.get(member, member[:4])


def coverage(members: Sequence[Member], last_contacts: Mapping[MemberId, date], through: date) -> Coverage:
    """Who of the members listed had reported an import of `through` or later."""
    of = municipalities(members)
    current = {each.member_id for each in members if last_contacts.get(each.member_id, date.min) >= through}
    heard = {of(member) for member in current}
    return Coverage(
        through=through,
        current_members=len(current),
        silent_members=tuple(sorted(each.id for each in members if each.member_id not in current)),
        silent_municipalities=tuple(code for code in geography().municipalities if code not in heard),
    )


def silent_counties(coverage: Coverage) -> dict[str, tuple[int, int]]:
    """County → how many of its municipalities are silent, and how many it has; only counties with a silent one."""
    of_county: dict[str, int] = {}
    silent: dict[str, int] = {}
    for code in geography().municipalities:
        of_county[county_of(code)] = of_county.get(county_of(code), 0) + 1
    for code in coverage.silent_municipalities:
        silent[county_of(code)] = silent.get(county_of(code), 0) + 1
    return {county: (number, of_county[county]) for county, number in sorted(silent.items())}
