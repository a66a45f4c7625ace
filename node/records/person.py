"""The neutral form of what any source says about one person; every source parses into it.

Invariant: texts of persons never enter an exception, a log or a remark; a remark names the row, the field and why.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date

import msgspec

from node.model import UNMARKED, Row, Status


class PersonRecord(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One person of an export. `number` is the national number as the source gives it, None where it gives none.

    `position` counts the persons of the export from 1; it is no part of what is compared between exports.
    """

    person_id: str
    number: str | None
    given_name: str
    family_name: str
    birth_date: str
    sex: str
    status: str = Status.ACTIVE.value
    marking: str = UNMARKED
    rows: tuple[Row, ...] = ()
    position: int = 0

    def __repr__(self) -> str:
        return f"PersonRecord(position={self.position})"


class RemarkKind(enum.StrEnum):
    REJECTED = "REJECTED"
    """Not taken over: an enrolment left out, or a number that is none."""
    UNLINKABLE = "UNLINKABLE"
    """The person is watched here but cannot be matched with other members: no national number yet."""
    NOTE = "NOTE"
    """Taken over, but worth a look."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What the report says about one person of the export; never the value itself."""

    kind: RemarkKind
    row: int
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Export:
    """A whole export. `digest` is the SHA-256 of its bytes."""

    persons: tuple[PersonRecord, ...]
    remarks: tuple[Remark, ...] = ()
    digest: bytes = field(default=b"", repr=False)


def row_order(row: Row) -> tuple[str, str, date, date, bool, int]:
    """Sorting key: exports keep no order of rows, and equal content must compare equal."""
    return (row.unit, row.form, row.start or date.min, row.end or date.max, row.cancelled, row.school_year or 0)
