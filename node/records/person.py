"""The neutral form of what any source says about one person; every source parses into it.

Invariant: texts of persons never enter an exception, a log or a remark; a remark names the row, the field and why.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

import msgspec

from federation.errors import Code, UppropError
from node.model import UNMARKED, Row, Status

Persons = Callable[[Collection[str]], Mapping[str, tuple["PersonRecord", ...]]]
"""What the school system said before of persons, by its ids for them; those whom it does not have are left out."""
Units = Callable[[], Mapping[str, str]]
"""Id → name of the school units that earlier deliveries named."""


@runtime_checkable
class Amending(Protocol):
    """A delivery that changes single rows of what was said before, and is told of that before it is read."""

    def bind(self, persons: Persons, units: Units) -> None: ...


DEFAULT_SYSTEM = "main"
"""The name of a school system that was given none."""


SYSTEM_NAME = r"[a-z0-9][a-z0-9-]{0,39}"
"""The form of a school system's name."""


def check_system(system: str) -> str:
    """The name of a school system; raises UppropError(INPUT_REFUSED) for what is none."""
    if not re.fullmatch(SYSTEM_NAME, system):
        raise UppropError(
            Code.INPUT_REFUSED,
            "The name of a school system is up to 40 small letters, digits and hyphens, such as resursskolan.",
        )
    return system


def qualified(system: str, person_id: str) -> str:
    """A person's id with the name of the school system that gave it; two systems may give the same."""
    return person_id if system == DEFAULT_SYSTEM else f"{system}:{person_id}"


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
    row_ids: tuple[str, ...] = ()
    """The source's own ids of the rows, one for each and in their order; empty where it gives none."""
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


Progress = Callable[[int, int], None]
"""Called with (done, total) in whatever unit the source counts: persons, bytes, pages. A total of 0 is not known."""


class Delivery(Protocol):
    """What a school system delivers at once, read once and from front to back.

    What makes it unreadable as a whole raises UppropError(EXPORT_UNREADABLE) out of `read`; then nothing of it is
    taken. `digest`, `gone` and `units` hold once `read` has come to its end.
    """

    @property
    def whole(self) -> bool:
        """Everyone whom the system has: who is not in it has vanished. False: what has changed; the rest stands."""
        ...

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        """Records and remarks, as they come. Of a person named several times all records count together."""
        ...

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that was delivered."""
        ...

    @property
    def gone(self) -> Collection[str]:
        """Ids of persons whom the school system has deleted; only where the delivery is not whole."""
        ...

    @property
    def units(self) -> Mapping[str, str]:
        """Id → name of school units, as far as the source names them."""
        ...


def unreadable(why: str) -> UppropError:
    """The delivery is refused as a whole. `why` is a clause that holds nothing the delivery's author could choose."""
    return UppropError(Code.EXPORT_UNREADABLE, f"{why}. Nothing was changed; export again.")


def row_order(row: Row) -> tuple[str, str, date, date, bool, int]:
    """Sorting key: exports keep no order of rows, and equal content must compare equal."""
    return (row.unit, row.form, row.start or date.min, row.end or date.max, row.cancelled, row.school_year or 0)
