"""What is told of a child: age band and sex, by what the roster holds. Pure.

Invariant: nothing else of an identity goes into a description, and what is not known is left out, never guessed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from federation.rules.vocabulary import Handle
from node.identity import Identity
from privacy.identifiers import NumberKind

_LAST_OF_YOUNGEST = 9
_LAST_OF_MIDDLE = 12

_SEX_DIGIT = 10
"""Of the twelve: the last of the birth number, odd for men."""


class AgeBand(enum.StrEnum):
    """By the age reached in the calendar year in which the case opened: up to 9, 10 to 12, 13 years and older."""

    YOUNGEST = "YOUNGEST"
    MIDDLE = "MIDDLE"
    OLDEST = "OLDEST"


class Sex(enum.StrEnum):
    FEMALE = "FEMALE"
    MALE = "MALE"


_STATED = {"kvinna": Sex.FEMALE, "man": Sex.MALE}


@dataclass(frozen=True, slots=True)
class Description:
    """One gap that leads its case, and what is known of the child; None: it is not."""

    handle: Handle = field(repr=False)
    number: int
    age_band: AgeBand | None = field(repr=False)
    sex: Sex | None = field(repr=False)


def described(identity: Identity, handle: Handle, number: int, opened_year: int) -> Description:
    return Description(handle, number, age_band(identity, opened_year), sex(identity))


def age_band(identity: Identity, opened_year: int) -> AgeBand | None:
    """By the year of birth alone: a class is a year of birth, whoever of it has had a birthday."""
    born = identity.birth_date[:4] if identity.number is None else identity.number.number[:4]
    if len(born) != 4 or not (born.isascii() and born.isdigit()):
        return None
    age = opened_year - int(born)
    if age <= _LAST_OF_YOUNGEST:
        return AgeBand.YOUNGEST
    return AgeBand.MIDDLE if age <= _LAST_OF_MIDDLE else AgeBand.OLDEST


def sex(identity: Identity) -> Sex | None:
    """As the school system states it; where it does not, by the personnummer."""
    stated = _STATED.get(identity.sex.casefold())
    number = identity.number
    if stated is not None or number is None or number.kind is not NumberKind.PERSONNUMMER:
        return stated
    return Sex.MALE if int(number.number[_SEX_DIGIT]) % 2 else Sex.FEMALE
