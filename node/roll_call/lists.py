"""What goes to and comes from the registry's roll call, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from federation.rules.vocabulary import Handle, Pseudonym

MAX_PARTS = 100
"""A list of more gaps than a nation has moves in a year is no list."""


@dataclass(frozen=True, slots=True)
class OwnGap:
    """A gap of ours with the pseudonyms its handle bears."""

    handle: Handle = field(repr=False)
    number: int
    pseudonyms: tuple[Pseudonym, ...]


@dataclass(frozen=True, slots=True)
class ListedPart:
    """One part of the newest close's list: pseudonyms with the leavers' own begins; `closed_on` None: there is none."""

    closed_on: date | None
    called: tuple[tuple[Pseudonym, date], ...]
    parts: int


class RollCallLink(Protocol):
    """The registry's roll call as it is called; `node.roll_call.uplink.RollCallLink` over the network."""

    def offer(self, gaps: Sequence[OwnGap]) -> None: ...
    def part(self, number: int) -> ListedPart: ...
