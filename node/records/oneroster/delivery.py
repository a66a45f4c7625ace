"""A OneRoster delivery as the import takes it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from node.records.oneroster import bulk, delta
from node.records.oneroster.files import Files
from node.records.person import PersonRecord, Persons, Progress, Remark, Units


class OneRoster:
    """The delivery in a directory or zip file. Before a delta is read, `bind` gives it what it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._persons: Persons = lambda _person_ids: {}
        self._known_units: Units = dict
        self.digest = b""
        self.gone: set[str] = set()
        self.units: dict[str, str] = {}

    def bind(self, persons: Persons, units: Units) -> None:
        self._persons = persons
        self._known_units = units

    @cached_property
    def _files(self) -> Files:
        return Files(self._path)

    @property
    def whole(self) -> bool:
        return self._files.whole

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        """Persons and remarks. UppropError(EXPORT_UNREADABLE) where it is no whole OneRoster 1.2 delivery."""
        files = self._files
        files.report_to(progress)
        try:
            files.read_orgs(self._known_units())
            yield from bulk.read(files) if files.whole else delta.read(files, self._persons, self.gone)
            files.remarks.note_counted()
            yield from files.remarks.made()
            self.digest, self.units = files.digest, files.units
        finally:
            files.close()
