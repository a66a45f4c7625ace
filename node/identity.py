"""Who a pupil is, as values: numbers, school-system ids, names. Sealed in the store; never in a log, error or signal.

Invariant: the numbers of a pupil are those of one person. A number that was a typing error is dropped, for it may be
another child's.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

from privacy.identifiers import NumberKind, Sound


class Route(enum.StrEnum):
    """Which way a pupil's gap goes."""

    REGISTRY = "registry"
    UNLINKABLE = "unlinkable"
    """No sound national number: watched here alone."""
    PROTECTED = "protected"
    """Protected identity under policy `local`: nothing is said; for the protected-identity role alone."""
    RENUMBERED = "renumbered"
    """A number was replaced by another: assumed protected, never sent, for the protected-identity role alone."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`person_ids` are the ids in the newest rosters, with the system's name before those of any but the default one;
    `numbers` oldest first, the last one current."""

    person_ids: tuple[str, ...]
    numbers: tuple[Sound, ...] = ()
    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    sex: str = ""
    dropped: tuple[Sound, ...] = field(default=())
    """Typing errors, kept so that a correction can be explained."""

    def __repr__(self) -> str:
        return "Identity()"

    @property
    def number(self) -> Sound | None:
        return self.numbers[-1] if self.numbers else None

    @property
    def drill(self) -> bool:
        """A test pupil of the node's own invention."""
        return self.number is not None and self.number.kind is NumberKind.DRILL

    @property
    def person_id(self) -> str:
        """The id by which the school system knows the pupil now."""
        return self.person_ids[0] if self.person_ids else ""

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    def without_typing_errors(self) -> Identity:
        """The current number is right and the earlier ones of its kind were typing errors."""
        current = self.number
        if current is None:
            return self
        wrong = tuple(number for number in self.numbers[:-1] if number.kind is current.kind)
        kept = tuple(number for number in self.numbers if number not in wrong)
        return replace(self, numbers=kept, dropped=(*self.dropped, *wrong))
