"""Source: a file in the shape of SS 12000:2020 `GET /persons`, `{"data": [...], "pageToken": null}`.

What is refused whole: bytes that are no JSON, JSON of another shape, and a page that another should follow. Everything
else is settled person by person (`ss12000_person`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from federation.errors import Code, UppropError
from node.records import ss12000_person
from node.records.framing import FramingError, JsonList
from node.records.person import PersonRecord, Progress, Remark


class Ss12000File:
    """An export file, as a delivery."""

    whole = True
    gone: frozenset[str] = frozenset()
    units: dict[str, str]

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self.units = {}

    @property
    def digest(self) -> bytes:
        return self._digest.digest()

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        """Persons and remarks. UppropError(EXPORT_UNREADABLE) where the file is not one whole export."""
        try:
            size = self._path.stat().st_size
            with self._path.open("rb") as stream:
                listed = JsonList(stream, "data", self._digest.update)
                position = 0
                for run in listed.runs():
                    for raw in run:
                        position += 1
                        yield from ss12000_person.parse(raw, position)
                    progress(stream.tell(), size)
        except OSError as error:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                f"The file {self._path.name} cannot be read: {error.strerror}. Nothing was changed.",
            ) from error
        except FramingError as error:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                f"The file is not a whole SS 12000 export ({error}). Nothing was changed; export it again.",
            ) from None
        if listed.others.get("pageToken") is not None:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                "The file is one page of several (its pageToken is not null). Nothing was changed; export all persons.",
            )
