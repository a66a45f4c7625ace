"""Deliveries of tables to read: OneRoster directories, and what comes of reading them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from node.records.person import Delivery, PersonRecord, Remark
from tests.harness.convert import COLUMNS, as_csv, manifest, oneroster_tables

READ_FILES: Mapping[str, Sequence[str]] = {
    "orgs": ("sourcedId", "type"),
    "users": ("sourcedId", "givenName", "familyName"),
    "enrollments": ("sourcedId", "classSourcedId", "userSourcedId", "role"),
    "classes": ("sourcedId",),
    "academicSessions": ("sourcedId", "startDate", "endDate"),
    "demographics": ("sourcedId",),
}
"""Files of a delivery without roles.csv, with the columns that they cannot do without."""


@dataclass(frozen=True)
class Read:
    persons: tuple[PersonRecord, ...]
    remarks: tuple[Remark, ...]
    gone: frozenset[str]
    units: Mapping[str, str]
    digest: bytes

    def said(self) -> list[PersonRecord]:
        """The records without their places, in one order."""
        return sorted(
            (msgspec.structs.replace(record, position=0) for record in self.persons),
            key=lambda record: (record.person_id, record.number or ""),
        )


def read_delivery(delivery: Delivery, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Read:
    items = list(delivery.read(progress))
    return Read(
        tuple(item for item in items if isinstance(item, PersonRecord)),
        tuple(sorted((item for item in items if isinstance(item, Remark)), key=lambda remark: remark.row)),
        frozenset(delivery.gone),
        dict(delivery.units),
        delivery.digest,
    )


def write_directory(path: Path, persons: list[Any], mode: str = "bulk", **changes: Any) -> None:
    """A OneRoster delivery of the persons. `changes` are rows, a text or bytes instead of a file's; None: no file."""
    path.mkdir(parents=True, exist_ok=True)
    files: dict[str, Any] = {**oneroster_tables(persons), **changes}
    present = [name for name, content in files.items() if content is not None and name != "manifest"]
    files.setdefault("manifest", manifest(dict.fromkeys(present, mode)))
    for name, content in files.items():
        if content is not None:
            (path / f"{name}.csv").write_bytes(_bytes(name, content))


def _bytes(name: str, content: list[dict[str, str]] | str | bytes) -> bytes:
    if isinstance(content, list):
        content = as_csv(content, columns=() if content else COLUMNS.get(name) or READ_FILES[name])
    return content.encode() if isinstance(content, str) else content
