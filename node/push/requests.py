"""What a school system asks for, once it is parsed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from node.model import Reason
from node.records.person import Remark

REQUEST_ID_BYTES = 16
MAX_PERSONS = 1_000
"""In one request: a thousand persons with a few enrolments each take some 500 KiB."""
MAX_PARTS = 1_000
"""Of one roster: a million persons, more than any school system has."""


@dataclass(frozen=True, slots=True)
class RosterPart:
    """Which part of which roster a put is; `part` counts from 1 to `parts`."""

    roster_id: bytes
    part: int
    parts: int


@dataclass(frozen=True, slots=True)
class Put:
    """`persons` is a JSON list of persons in the shape of SS 12000, `digest` the SHA-256 of all but the request id."""

    request_id: bytes
    as_of: date
    persons: bytes
    deleted: tuple[str, ...]
    part: RosterPart | None
    digest: bytes

    @property
    def says_nothing(self) -> bool:
        """Nothing has changed, as of its day."""
        return self.persons == b"[]" and not self.deleted

    def __repr__(self) -> str:
        return f"Put(as_of={self.as_of})"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The person's enrolments at `unit` (None: all) end after `last_day`. `reason`: None where none is told."""

    request_id: bytes
    as_of: date
    person_id: str
    last_day: date
    unit: str | None
    reason: Reason | None
    digest: bytes

    def __repr__(self) -> str:
        return f"Withdrawal(as_of={self.as_of})"


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a request is answered: `parts_missing` of a roster's parts, `ended` enrolments of a withdrawal's."""

    remarks: tuple[Remark, ...] = ()
    parts_missing: int = 0
    ended: int = 0


pack = msgspec.json.Encoder().encode
unpack = msgspec.json.Decoder(Answer).decode
