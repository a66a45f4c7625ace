"""Which members are current, and whose pupils they have. Pure.

Invariant: what is not known counts as not covered: a member that was never heard has the pupils that its population
lets expect, and none of them is covered.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from federation.descriptor_file import Member
from federation.rules.calendar import SchoolCalendar
from federation.rules.matching import days_silent
from federation.rules.vocabulary import MemberId
from registry.model import Heard


class Contact(enum.StrEnum):
    CURRENT = "CURRENT"
    SILENT = "SILENT"
    """For more school days than the policy allows."""
    NEVER_HEARD = "NEVER_HEARD"
    LEFT = "LEFT"
    """Heard of once, and in the descriptor no more."""


@dataclass(frozen=True, slots=True)
class Line:
    """One member; `silent_for` in school days of its own calendar, today's among them."""

    member: MemberId
    name: str
    contact: Contact
    heard: Heard | None = None
    silent_for: int | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """`percent`: of the federation's pupils, how many of a hundred are those of current members, rounded down."""

    lines: tuple[Line, ...]
    percent: int

    def number(self, contact: Contact) -> int:
        return sum(line.contact is contact for line in self.lines)


def coverage(
    members: Sequence[Member],
    heard: Mapping[MemberId, Heard],
    today: date,
    silence_school_days: int,
    calendars: Callable[[MemberId], SchoolCalendar],
) -> Coverage:
    """The members by their ids; those that have left the federation last."""
    lines = []
    for member in sorted(members, key=lambda each: each.id):
        known = heard.get(member.member_id)
        if known is None:
            lines.append(Line(member.member_id, member.name, Contact.NEVER_HEARD))
            continue
        days = days_silent(known.last_contact, today, calendars(member.member_id)) or 0
        contact = Contact.SILENT if days > silence_school_days else Contact.CURRENT
        lines.append(Line(member.member_id, member.name, contact, known, days))
    percent = _percent(lines, {member.member_id: member.population for member in members})
    listed = {line.member for line in lines}
    left = [Line(member, "", Contact.LEFT, heard[member]) for member in sorted(heard.keys() - listed)]
    return Coverage((*lines, *left), percent)


def _percent(lines: Iterable[Line], population: Mapping[MemberId, int]) -> int:
    reported = {line.member: line.heard.roster for line in lines if line.heard is not None}
    people = sum(population[member] for member in reported)
    pupils = sum(reported.values())
    # Where nobody with a population was heard, a member never heard of weighs as one with pupils all the same.
    expected = sum(population[line.member] * pupils / people if people else 1 for line in lines if line.heard is None)
    current = sum(reported[line.member] for line in lines if line.contact is Contact.CURRENT)
    return int(100 * current / (pupils + expected)) if pupils + expected else 0
