"""What is pushed, as deliveries: changes, a whole roster that came in parts, a withdrawal.

Persons are read by the rules of SS 12000 files (`ss12000_person`), so that a row means the same however it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import msgspec

from federation.errors import Code, UppropError
from node.coverage import is_void
from node.model import Row
from node.records import ss12000_person
from node.records.person import PersonRecord, Persons, Progress, Remark, Units, row_order

_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Changes:
    """All that the school system has to say of some persons, and the ids of those it has deleted."""

    whole = False
    units: Mapping[str, str] = {}

    def __init__(self, persons: bytes, gone: Sequence[str], digest: bytes) -> None:
        self.gone = gone
        self.digest = digest
        self._persons = persons

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        yield from read_persons(self._persons)
        progress(1, 1)


class Roster:
    """A whole roster. `persons` gives the content of a part, by its number from 1."""

    whole = True
    units: Mapping[str, str] = {}
    gone: Sequence[str] = ()

    def __init__(self, digests: Sequence[bytes], persons: Callable[[int], bytes]) -> None:
        self.digest = hashlib.sha256(b"".join(digests)).digest()
        self._parts = len(digests)
        self._persons = persons

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        position = 0
        for part in range(1, self._parts + 1):
            raws = _decode_list(self._persons(part))
            yield from _read(raws, position)
            position += len(raws)
            progress(part, self._parts)


class Ending:
    """A withdrawal: what the school system said of the person, with its enrolments ended. `ended` counts them.

    `sought_on` is given where the pupil is to be looked for at once: the day of the withdrawal.
    """

    whole = False
    units: Mapping[str, str] = {}
    gone: Sequence[str] = ()

    def __init__(
        self, person_id: str, last_day: date, unit: str | None, digest: bytes, sought_on: date | None = None
    ) -> None:
        self.digest = digest
        self.ended = 0
        self._person_id = person_id
        self._last_day = last_day
        self._unit = unit
        self._sought_on = sought_on
        self._before: Persons = lambda _ids: {}

    def bind(self, persons: Persons, units: Units) -> None:  # noqa: ARG002 - asked of every amending delivery
        self._before = persons

    def read(self, progress: Progress) -> Iterator[PersonRecord]:
        """Raises UppropError(INPUT_REFUSED) for a person whom this school system does not have."""
        records = self._before([self._person_id]).get(self._person_id)
        if not records:
            raise UppropError(
                Code.INPUT_REFUSED,
                "This school system has put no person with this id. Put the person's enrolments first.",
            )
        for record in records:
            rows = [ended(row, self._last_day, self._unit, self._sought_on) for row in record.rows]
            self.ended += sum(after != before for after, before in zip(rows, record.rows, strict=True))
            yield msgspec.structs.replace(record, rows=tuple(sorted(rows, key=row_order)))
        progress(1, 1)


def ended(row: Row, last_day: date, unit: str | None, sought_on: date | None = None) -> Row:
    """The row after a withdrawal: it ends on the last day; one that would begin later never does.

    A presence that is taken back opens nothing. So of a pupil to be looked for, one that has begun ends on its first
    day, although the pupil may never have come.
    """
    if is_void(row) or (unit is not None and row.unit != unit) or (row.end is not None and row.end <= last_day):
        return row
    if row.start is not None and row.start > last_day:
        begun = sought_on is not None and row.start <= sought_on
        return replace(row, end=row.start) if begun else replace(row, cancelled=True)
    return replace(row, end=last_day)


def read_persons(persons: bytes) -> Iterator[PersonRecord | Remark]:
    """Records and remarks of a JSON list of persons; positions count from 1."""
    yield from _read(_decode_list(persons), 0)


def _read(raws: Sequence[msgspec.Raw], before: int) -> Iterator[PersonRecord | Remark]:
    for position, raw in enumerate(raws, start=before + 1):
        yield from ss12000_person.parse(raw, position, {})
