"""Swedish identity numbers: read what a school system holds, and give the one canonical form or say what is wrong.

Invariants:
- `parse` never raises and nothing it gives back shows a number in its `repr`; reasons are codes.
- The century of a 10-digit number follows from the business date that is passed in, never from the system's clock.
- A number is sound only with a real date that is not after the business date and a right check digit.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import date
from typing import NewType

from personnummer import personnummer

CanonicalNumber = NewType("CanonicalNumber", str)
"""Twelve digits of a sound personnummer or samordningsnummer. Personal data: never logged, never in an error."""


class NumberKind(enum.StrEnum):
    PERSONNUMMER = "PERSONNUMMER"
    SAMORDNINGSNUMMER = "SAMORDNINGSNUMMER"
    DRILL = "DRILL"
    """A test number that stands for the pupil of a drill: `parse` never gives one, so that nothing from outside can be
    taken for it."""


class InvalidReason(enum.StrEnum):
    """Why a number is not sound; safe to show and to log."""

    FORMAT = "FORMAT"
    DATE = "DATE"
    DATE_IN_FUTURE = "DATE_IN_FUTURE"
    CHECK_DIGIT = "CHECK_DIGIT"


@dataclass(frozen=True, slots=True)
class Sound:
    """A number that can be sent through the protocol."""

    kind: NumberKind
    number: CanonicalNumber

    def __repr__(self) -> str:
        return f"Sound(kind={self.kind.value})"


@dataclass(frozen=True, slots=True)
class Temporary:
    """A school system's own number, with letters after the date (20130101TF01): means nothing elsewhere."""


@dataclass(frozen=True, slots=True)
class Missing:
    """No number was given."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """Something was given that is no number."""

    reason: InvalidReason


ParsedNumber = Sound | Temporary | Missing | Invalid

_NUMBER = re.compile(r"(?P<century>18|19|20)?(?P<year>[0-9]{2})(?P<monthday>[0-9]{4})(?P<sign>[-+]?)(?P<last>[0-9]{4})")
_TEMPORARY = re.compile(r"(?:[0-9]{2})?[0-9]{6}[-+]?[A-Za-zÅÄÖåäö][0-9A-Za-zÅÄÖåäö]{3}")
_COORDINATION_DAY = 60
"""A samordningsnummer has 60 added to its day of birth."""


def parse(given: str | None, today: date) -> ParsedNumber:
    """Read one number as a school system gives it: 10 or 12 digits, with or without `-` or `+` before the last four."""
    text = (given or "").strip()
    if not text:
        return Missing()
    if _TEMPORARY.fullmatch(text):
        return Temporary()
    match = _NUMBER.fullmatch(text)
    if match is None:
        return Invalid(InvalidReason.FORMAT)
    year = _year(match["century"], int(match["year"]), match["sign"], today)
    month, day = int(match["monthday"][:2]), int(match["monthday"][2:])
    coordination = day > _COORDINATION_DAY
    try:
        born = date(year, month, day - _COORDINATION_DAY if coordination else day)
    except ValueError:
        return Invalid(InvalidReason.DATE)
    if born > today:
        return Invalid(InvalidReason.DATE_IN_FUTURE)
    canonical = f"{year:04}{match['monthday']}{match['last']}"
    # Given all twelve digits the library needs no clock. Its exceptions quote the number, so they must not travel.
    if not personnummer.valid(canonical):
        return Invalid(InvalidReason.CHECK_DIGIT)
    kind = NumberKind.SAMORDNINGSNUMMER if coordination else NumberKind.PERSONNUMMER
    return Sound(kind, CanonicalNumber(canonical))


def _year(century: str | None, two_digits: int, sign: str, today: date) -> int:
    """Without a century: the latest such year up to this one; `+` marks those who turn 100 this year or are older."""
    if century is not None:
        return int(century) * 100 + two_digits
    latest = today.year - 100 if sign == "+" else today.year
    return latest - (latest - two_digits) % 100
