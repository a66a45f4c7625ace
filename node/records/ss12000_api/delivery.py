"""What a finished run has brought, as a delivery: read page by page, never whole.

Invariant: where the pages shifted while they were fetched, so that a person stands on several, the one modified last
counts; of equals, the one fetched last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec

from node.records import ss12000_person
from node.records.person import PersonRecord, Progress, Remark
from node.records.ss12000_api.pages import List, glimpse, unpack, unpack_ids, unpack_names

Pages = Callable[[List], Iterator[bytes]]
"""The kept pages of a list, in order; every call begins anew."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Fetched:
    """The delivery of a run."""

    def __init__(self, pages: Pages, *, whole: bool) -> None:
        self._pages = pages
        self._digest = hashlib.sha256(b"whole" if whole else b"changes")
        self.whole = whole
        self.gone = tuple(person_id for page in pages(List.DELETED) for person_id in unpack_ids(page))
        self.units = {unit: name for page in pages(List.ORGANISATIONS) for unit, name in unpack_names(page)}

    @property
    def digest(self) -> bytes:
        digest = self._digest.copy()
        for said in (sorted(set(self.gone)), sorted(self.units.items())):
            digest.update(msgspec.json.encode(said))
        return digest.digest()

    @property
    def empty(self) -> bool:
        """Nobody is in it."""
        return next(self._elements(), None) is None

    def persons(self) -> dict[str, int]:
        """Person's id → which of all elements, from 1, is the one that counts."""
        newest: dict[str, tuple[datetime, int]] = {}
        for position, element in self._elements():
            seen = glimpse(element)
            if seen is None:
                continue
            modified = seen.modified or _LONG_AGO
            before = newest.get(seen.person_id)
            if before is None or modified >= before[0]:
                newest[seen.person_id] = (modified, position)
        return {person_id: position for person_id, (_, position) in newest.items()}

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        counts = set(self.persons().values())
        total = 0
        for position, element in self._elements():
            if position not in counts and glimpse(element) is not None:
                continue
            total += 1
            self._digest.update(bytes(element) + b"\0")
            yield from ss12000_person.parse(element, total, self.units)
            if total % _PROGRESS_EVERY == 0:
                progress(total, len(counts))
        progress(total, total)

    def _elements(self) -> Iterator[tuple[int, msgspec.Raw]]:
        position = 0
        for page in self._pages(List.PERSONS):
            for element in unpack(page):
                position += 1
                yield position, element


_PROGRESS_EVERY = 2_000
