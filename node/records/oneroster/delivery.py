"""A OneRoster delivery as the import takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from node.records.oneroster import bulk, delta
from node.records.oneroster.delta import Lookup
from node.records.oneroster.files import Files
from node.records.person import PersonRecord, Progress, Remark


class OneRoster:
    """The delivery in a directory or zip file. Before a delta is read, `bind` gives it what it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lookup: Lookup = lambda _person_ids: {}
        self._known_units: Callable[[], Mapping[str, str]] = dict
        self.digest = b""
        self.gone: set[str] = set()
        self.units: dict[str, str] = {}

    def bind(self, lookup: Lookup, units: Callable[[], Mapping[str, str]] = dict) -> None:
        """`lookup`: the roster as it stands; `units`: the school units that earlier deliveries have named."""
        self._lookup = lookup
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
            yield from bulk.read(files) if files.whole else delta.read(files, self._lookup, self.gone)
            files.note_counted()
            yield from files.remarks()
            self.digest, self.units = files.digest, files.units
        finally:
            files.close()
