"""Source: a file in the shape of SS 12000:2020 `GET /persons`, `{"data": [...], "pageToken": null}`.

It holds everyone; or, as a file of changes, whoever has changed since the last import, and beside `data` what
`GET /deletedEntities` would list: `"deletedEntities": ["<person id>", ...]`.

What is refused whole: bytes that are no JSON, JSON of another shape, a page that another should follow, one kind of
file taken for the other, and a person who is both changed and deleted. Everything else is settled person by person
(`ss12000_person`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from federation.errors import Code, UppropError
from node.records import ss12000_person
from node.records.framing import FramingError, JsonList
from node.records.person import PersonRecord, Progress, Remark, unreadable
from node.records.ss12000_api.pages import List, PageError, deleted_ids, read_page

DELETED = List.DELETED.value
"""The member of the page that makes it one of changes."""


class Ss12000File:
    """An export file, as a delivery."""

    whole = True
    units: dict[str, str]

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self.gone: Collection[str] = frozenset()
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
                        yield from ss12000_person.parse(raw, position, self.units)
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
        self._take_others(listed.others)

    def _take_others(self, others: dict[str, Any]) -> None:
        """What stands beside the persons; raises UppropError(EXPORT_UNREADABLE)."""
        if DELETED in others:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                f"The file holds changes alone (it has {DELETED}). Nothing was changed; import it with --changes.",
            )


class Ss12000Changes(Ss12000File):
    """A file of changes, as a delivery. A file without `deletedEntities` may be a whole export, and is refused."""

    whole = False

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        changed: set[str] = set()
        for item in super().read(progress):
            if isinstance(item, PersonRecord):
                changed.add(item.person_id)
            yield item
        if not changed.isdisjoint(self.gone):
            raise unreadable("The file names a person both as changed and as deleted")

    def _take_others(self, others: dict[str, Any]) -> None:
        if DELETED not in others:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                f"The file does not say that it holds changes alone (it has no {DELETED}). Nothing was changed; "
                "import an export that holds everyone without --changes.",
            )
        try:
            listed = read_page(msgspec.json.encode({"data": others[DELETED]}), List.DELETED)
            self.gone = frozenset(deleted_ids(listed.elements))
        except PageError as error:
            raise unreadable(f"{DELETED} cannot be read: {error}") from None
