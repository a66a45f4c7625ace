"""How far a change of epochs has come, and what stands in the way of its end. Pure.

Invariants: a member is done when all its live handles carry every epoch that stays, and only then; whoever is not done
is either named or left behind by name; of how many children it is only told in quarters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from federation.rules.vocabulary import MemberId

QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """One member's: `listed` in the descriptor in force or gone from it; `quarters` of its handles, rounded down."""

    member: MemberId
    listed: bool
    quarters: int
    last_contact: date | None = None

    @property
    def done(self) -> bool:
        return self.quarters == QUARTERS


def progress(
    listed: Collection[MemberId],
    handles: Mapping[MemberId, tuple[int, int]],
    last_contacts: Mapping[MemberId, date],
) -> list[Progress]:
    """Of every member listed, and of every other whose handles stand. `handles`: live ones, and those that lack some.

    A member without handles is done: whatever it says from now on carries every epoch.
    """
    found = []
    for member in sorted({*listed, *handles}):
        live, lacking = handles.get(member, (0, 0))
        quarters = QUARTERS if not lacking else QUARTERS * (live - lacking) // live
        if member in listed or live:
            found.append(Progress(member, member in listed, quarters, last_contacts.get(member)))
    return found


def in_the_way(members: Collection[Progress], left_behind: Collection[MemberId]) -> list[Progress]:
    """Those who are not done and not left behind."""
    return [each for each in members if not each.done and each.member not in left_behind]
