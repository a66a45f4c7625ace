"""Who a pupil is, as values: numbers, school-system ids, names. Sealed in the store; never in a log, error or signal.

Invariant: the numbers of a pupil are those of one person. A number that was a typing error is dropped, for it may be
another child's.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from datetime import date

from federation.rules.matching import months_before
from privacy.identifiers import NumberKind, Sound

GROWN_YEARS = 19
"""18 years and 12 months: nobody of that age is under the duty to attend school."""

_COORDINATION_DAY = 60


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
    def grown_on(self) -> date | None:
        """The day on which the pupil is 18 years and 12 months old, from which on nothing is said of a grown-up.

        By the later date of birth, where number and school system differ; None where there is none.
        """
        shown = [self.birth_date, *(_birth_date(number) for number in self.numbers[-1:])]
        born = max((day for text in shown if (day := _day(text)) is not None), default=None)
        return None if born is None or self.drill else months_before(born, -12 * GROWN_YEARS)

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

    @property
    def called(self) -> str:
        """What pages call the pupil where no export states a name: by the number, else by the id."""
        return self.name or (self.number.number if self.number else self.person_id)

    def without_typing_errors(self) -> Identity:
        """The current number is right and the earlier ones of its kind were typing errors."""
        current = self.number
        if current is None:
            return self
        wrong = tuple(number for number in self.numbers[:-1] if number.kind is current.kind)
        kept = tuple(number for number in self.numbers if number not in wrong)
        return replace(self, numbers=kept, dropped=(*self.dropped, *wrong))


def _birth_date(number: Sound) -> str:
    digits, day = number.number[:6], int(number.number[6:8])
    coordination = number.kind is NumberKind.SAMORDNINGSNUMMER
    return f"{digits}{day - _COORDINATION_DAY if coordination else day:02}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
