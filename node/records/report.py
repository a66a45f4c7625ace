"""What an import tells whoever ran it: counts, rows and fields, never a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.records.person import Remark, RemarkKind
from privacy.identifiers import Invalid, InvalidReason, Missing, ParsedNumber


@dataclass(frozen=True, slots=True)
class HeldUnit:
    """Leavings of one school unit that wait."""

    unit: str
    pupils: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. `repeated`: this export had been imported before."""

    as_of: date
    baseline: bool
    persons: int
    rows: int
    changed: int
    vanished: int
    remarks: tuple[Remark, ...] = ()
    held: tuple[HeldUnit, ...] = ()
    repeated: bool = False

    def of_kind(self, kind: RemarkKind) -> tuple[Remark, ...]:
        return tuple(remark for remark in self.remarks if remark.kind is kind)


def number_remark(parsed: ParsedNumber, position: int) -> Remark:
    """Why a number is not one by which the person can be matched."""
    if isinstance(parsed, Invalid):
        return Remark(RemarkKind.REJECTED, position, "civicNo", _WHY_INVALID[parsed.reason])
    if isinstance(parsed, Missing):
        return Remark(RemarkKind.UNLINKABLE, position, "civicNo", f"no Swedish number is given: {_LOCAL}")
    return Remark(RemarkKind.UNLINKABLE, position, "civicNo", f"is a temporary number: {_LOCAL}")


_LOCAL = "the person is watched here alone until a national number arrives"
_WHY_INVALID = {
    InvalidReason.FORMAT: f"is not a national number: {_LOCAL}",
    InvalidReason.DATE: f"has no real date of birth: {_LOCAL}",
    InvalidReason.DATE_IN_FUTURE: f"has a date of birth after today: {_LOCAL}",
    InvalidReason.CHECK_DIGIT: f"has a wrong check digit: {_LOCAL}",
}
