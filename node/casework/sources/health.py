"""How the imports stand: what each source last showed, which rows were left out, why an import was refused.

Invariant: rows, fields and reasons, never a value, so that it is for the administrator too, who sees no case file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.calendar import SchoolCalendar
from node.records.person import DEFAULT_SYSTEM, Remark
from node.records.ss12000_api.settings import SchoolSystem
from node.store import Transaction
from node.store.fetches import Fetches
from node.store.imports import Held, Imports
from node.store.sealing import Sealer
from node.store.sources import Refusal, SourceImport, SourceImports, SourceName

SILENT_SCHOOL_DAYS = 5
"""A source that shows nothing newer for so many school days has fallen silent."""
RESIDENTS_SILENT_DAYS = 40


@dataclass(frozen=True, slots=True)
class Standing:
    """One source. `name`: the school system, or `attendance/NAME`, `residents/NAME`. `as_of` None: never imported.

    `silent`: it shows nothing new for too long. `refused` is a code of the error catalogue, of the newest attempt.
    """

    name: str
    kind: str
    system: str
    as_of: date | None
    received_at: datetime | None
    rows: int
    unknown: int
    rejected: int
    silent: bool
    refused: str | None = None
    refused_at: datetime | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def in_order(self) -> bool:
        return not (self.silent or self.refused or self.rejected)


@dataclass(frozen=True, slots=True)
class Overview:
    """`held`: leavings that wait because a school unit emptied at once."""

    sources: tuple[Standing, ...]
    held: tuple[Held, ...]


class Health:
    """Looks at the imports. `systems`: those of the settings."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        systems: Mapping[str, SchoolSystem],
        calendar: Callable[[], SchoolCalendar],
        clock: Clock,
    ) -> None:
        self._database, self._systems, self._calendar, self._clock = database, systems, calendar, clock
        self._imports, self._sources = Imports(sealer), SourceImports()
        self._fetches = Fetches(sealer)

    def refused(self, system: str, code: Code | None) -> None:
        """The newest export of a school system was refused, or, without a code, taken."""

        def work(tx: Transaction) -> None:
            if code is None:
                self._sources.not_refused(tx, system)
            else:
                self._sources.refused(tx, system, code.value, self._clock.now())

        # Where the store itself fails, what went wrong first is the thing to speak of.
        with contextlib.suppress(UppropError):
            self._database.run("import_refused", work)

    def look(self) -> Overview:
        """All sources, those of pupils first."""
        return self._database.view("import_health", self._look)

    def _look(self, tx: Transaction) -> Overview:
        rosters = self._rosters(tx)
        others = [self._other(tx, each) for each in self._sources.newest(tx)]
        known = {each.name for each in others}
        wanted = [f"attendance/{name}" for name, system in self._systems.items() if system.attendance]
        missing = [_never(name) for name in [*wanted, f"residents/{DEFAULT_SYSTEM}"] if name not in known]
        refused = {**self._unfetched(tx), **self._sources.refusals(tx)}
        found = [
            each
            if (refusal := refused.get(each.name)) is None
            else replace(each, refused=refusal.code, refused_at=refusal.refused_at)
            for each in (*rosters, *others, *missing)
        ]
        held = tuple(each for each in self._imports.held(tx) if each.released_on is None)
        return Overview(tuple(found), held)

    def _unfetched(self, tx: Transaction) -> dict[str, Refusal]:
        """School systems whose newest fetch failed."""
        found = {name: self._fetches.current(tx, name) for name in self._systems}
        return {
            name: Refusal(name, fetch.failure.value, fetch.failed_at)
            for name, fetch in found.items()
            if fetch is not None and fetch.failure is not None and fetch.failed_at is not None
        }

    def _rosters(self, tx: Transaction) -> Sequence[Standing]:
        newest = self._imports.newest_of_each(tx)
        found = [
            Standing(
                name,
                "roster",
                name,
                each.as_of,
                each.received_at,
                each.persons,
                0,
                each.rejected,
                self._silent(each.as_of),
                remarks=self._imports.remarks_of_newest(tx, name),
            )
            for name, each in newest.items()
            if not each.retired
        ]
        return [*found, *(_never(name) for name in self._systems if name not in newest)]

    def _other(self, tx: Transaction, each: SourceImport) -> Standing:
        if each.source is SourceName.ATTENDANCE:
            silent = self._silent(each.as_of)
        else:
            silent = (self._clock.today() - each.as_of).days > RESIDENTS_SILENT_DAYS
        return Standing(
            f"{each.source.value}/{each.system}",
            each.source.value,
            each.system,
            each.as_of,
            each.received_at,
            each.rows,
            each.unknown,
            each.rejected,
            silent,
            remarks=self._sources.remarks(tx, each.source, each.system),
        )

    def _silent(self, as_of: date) -> bool:
        return self._calendar().count(as_of, self._clock.today()) > SILENT_SCHOOL_DAYS


def _never(name: str) -> Standing:
    kind, _, system = name.rpartition("/")
    return Standing(name, kind or "roster", system, None, None, 0, 0, 0, silent=False)
