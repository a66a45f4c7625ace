"""A school system's roster, fetched over its API and imported: whole, or not at all.

    begin, or go on → gather → import

Invariants
    - A run that ends in whatever way goes on after its last page, on the same business date; nothing is imported before
      it is whole, and that it is taken is written in the transaction that imports it.
    - No change is lost between runs: each asks for what has changed since the begin of the one before, by the clock
      that was behind, less an overlap. Everyone is asked for the first time, every week, after an import from
      elsewhere, and where changes cannot be asked for.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Log
from node.records.importing import Importing
from node.records.importing import Progress as Steps
from node.records.report import ImportReport
from node.records.ss12000_api import settings
from node.records.ss12000_api.api import Api
from node.records.ss12000_api.gathering import Anew, Gathering, Run, UnusableError
from node.records.ss12000_api.observability import BEGUN_ANEW, FETCH_FAILED, FETCHED, FetchMetrics
from node.records.ss12000_api.settings import SchoolSystem
from node.records.ss12000_api.transport import Transport
from node.store import Transaction
from node.store.fetches import Fetch, Fetches, FetchState
from node.store.imports import Imports
from node.store.sealing import Sealer

REFUSALS = frozenset(
    {Code.EXPORT_FOREIGN, Code.EXPORT_OLDER, Code.EXPORT_SHRUNK, Code.EXPORT_UNREADABLE, Code.INPUT_REFUSED}
)
"""Of an import: the same pages would be refused again."""

_ATTEMPTS = 3
"""A run is begun anew this often in one go."""


class Fetching:
    """Fetches from the school systems of the settings, and from those that a command names."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        importing: Importing,
        systems: Mapping[str, SchoolSystem],
        clock: Clock,
        metrics: FetchMetrics,
        log: Log,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._importing = importing
        self._systems = systems
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._sleep = sleep
        self._gathering = Gathering(database, sealer)
        self._fetches = Fetches(sealer)
        self._imports = Imports(sealer)
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def source(self, system: str, url: str = "", token_file: str = "", ca_file: str = "") -> SchoolSystem:
        """The school system that a command names, or that of the settings. Raises UppropError(CONFIG_INVALID)."""
        if url:
            return settings.given(url, Path(token_file), Path(ca_file) if ca_file else None)
        try:
            return self._systems[system]
        except KeyError:
            raise UppropError(
                Code.CONFIG_INVALID,
                f"The settings know no school system {system}. Add [school_systems.{system}] with its url, or say what "
                "to import: FILE, --changes, --oneroster, --csv or --ss12000.",
            ) from None

    def run(
        self,
        system: str,
        source: SchoolSystem,
        *,
        full: bool = False,
        accept_shrink: bool = False,
        confirm_leavings: bool = False,
        progress: Steps = lambda _step, _done, _total: None,
    ) -> ImportReport:
        """Fetch what there is, and import it as the state of today.

        Raises UppropError: TOKEN_REFUSED, PEER_UNREACHABLE, OVERLOADED, DEADLINE, CONFIG_INVALID, SECRET_MODE,
        STORE_LOCKED, and those of an import. Then nothing has changed but the pages that wait to be gone on with.
        """
        with self._alone(system):
            fetch = self._begun(system, source, full=full)
            try:
                fetch = self._whole(fetch, source, lambda done: progress("fetch", done, 0), accept_empty=accept_shrink)
                report = self._importing.take(
                    self._gathering.delivery(fetch),
                    fetch.as_of,
                    system=system,
                    accept_shrink=accept_shrink,
                    confirm_leavings=confirm_leavings,
                    progress=progress,
                    also=lambda tx: self._fetches.take(tx, fetch, self._clock.now()),
                )
            except UppropError as error:
                self._failed(system, error)
                raise
        self._metrics.succeeded(system, self._clock.now())
        self._log(
            FETCHED,
            system=system,
            as_of=report.as_of,
            whole=fetch.whole,
            baseline=report.baseline,
            waits=bool(report.held),
        )
        return report

    def show_last(self) -> None:
        """Set the metrics to what the store knows; at start."""
        for system, (last, current) in self._database.view("fetch_standing", self._standing).items():
            if last is not None and last.taken_at is not None:
                self._metrics.succeeded(system, last.taken_at)
            if current is not None and current.failure is not None:
                self._metrics.failed(system)

    def lines_in(self, tx: Transaction) -> dict[str, str]:
        """School system → how current it is, in a few words."""
        lines: dict[str, str] = {}
        for system, (last, current) in self._standing(tx).items():
            lines[system] = "never fetched" if last is None else f"fetched {last.as_of.isoformat()}"
            if current is not None and current.failed_at is not None and current.failure is not None:
                lines[system] += f", last attempt {current.failed_at:%Y-%m-%dT%H:%MZ} {current.failure.value}"
        return lines

    def _standing(self, tx: Transaction) -> dict[str, tuple[Fetch | None, Fetch | None]]:
        """School system → the newest run that was taken, and the one that was not."""
        named = {*self._systems, *self._fetches.systems(tx)}
        return {each: (self._fetches.last_taken(tx, each), self._fetches.current(tx, each)) for each in sorted(named)}

    # -- beginning --------------------------------------------------------------------------------------------------

    def _begun(self, system: str, source: SchoolSystem, *, full: bool) -> Fetch:
        """The run to go on with, or a new one."""
        index = self._fetches.source_index(source.base)
        today, now = self._clock.today(), self._clock.now()

        def work(tx: Transaction) -> Fetch:
            current = self._fetches.current(tx, system)
            if (
                current is not None
                and current.state is not FetchState.REFUSED
                and (current.source_index, current.as_of) == (index, today)
                and (current.whole or (not full and self._since(tx, system, source, index) is not None))
            ):
                return current
            # Whoever was to be asked for everyone still is.
            everyone = full or (current is not None and current.whole)
            since = None if everyone else self._since(tx, system, source, index)
            return self._fetches.begin(tx, system, index, today, since, now)

        return self._database.run("fetch_begin", work)

    def _since(self, tx: Transaction, system: str, source: SchoolSystem, index: bytes) -> datetime | None:
        """From when on to ask for changes; None: for everyone."""
        last, last_whole = (self._fetches.last_taken(tx, system, whole=whole) for whole in (False, True))
        if last is None or last_whole is None or {last.source_index, last_whole.source_index} != {index}:
            return None
        newest = self._imports.newest(tx, system)
        if newest is None or last.taken_at is None or newest.received_at > last.taken_at:
            # What another source said meanwhile is nothing to build changes on.
            return None
        if self._clock.today() - last_whole.as_of >= timedelta(days=source.full_every_days):
            return None
        return last.next_since - timedelta(hours=source.overlap_hours)

    # -- fetching ---------------------------------------------------------------------------------------------------

    def _whole(
        self, fetch: Fetch, source: SchoolSystem, counted: Callable[[int], None], *, accept_empty: bool
    ) -> Fetch:
        """The run, once all it asks for is durable; begun anew where it has to be."""
        if fetch.state is FetchState.FETCHED:
            return fetch
        with contextlib.closing(Transport(source, sleep=self._sleep)) as transport:
            api = Api(source, transport)
            for _ in range(_ATTEMPTS):
                try:
                    self._gathering.gather(Run(fetch, api, source.limit, counted), accept_empty=accept_empty)
                except Anew as anew:
                    self._log(BEGUN_ANEW, system=fetch.system, why=anew.why)
                    fetch = self._anew(fetch, everyone=anew.everyone)
                else:
                    self._finish(fetch)
                    return fetch
        raise UnusableError(
            Code.EXPORT_UNREADABLE,
            "The school system forgets its own pages while they are fetched. Nothing was changed. Try a larger limit, "
            "or another time of day.",
        )

    def _anew(self, fetch: Fetch, *, everyone: bool) -> Fetch:
        since, now = None if everyone else fetch.since, self._clock.now()
        return self._database.run(
            "fetch_begin",
            lambda tx: self._fetches.begin(tx, fetch.system, fetch.source_index, fetch.as_of, since, now),
        )

    def _finish(self, fetch: Fetch) -> None:
        self._database.run("fetch_finish", lambda tx: self._fetches.finish(tx, fetch))

    def _failed(self, system: str, error: UppropError) -> None:
        def work(tx: Transaction) -> None:
            current = self._fetches.current(tx, system)
            if current is not None:
                fetched = current.state is FetchState.FETCHED
                refuse = isinstance(error, UnusableError) or (fetched and error.code in REFUSALS)
                self._fetches.fail(tx, current, error.code, self._clock.now(), refuse=refuse)

        self._metrics.failed(system)
        self._importing.was_refused(system, error)
        self._log(FETCH_FAILED, system=system, code=error.code)
        # Where the store itself fails, the first error is the one to speak of.
        with contextlib.suppress(UppropError):
            self._database.run("fetch_failed", work)

    @contextlib.contextmanager
    def _alone(self, system: str) -> Iterator[None]:
        with self._lock:
            if system in self._busy:
                raise UppropError(
                    Code.STORE_LOCKED,
                    f"The school system {system} is being fetched right now. Wait until that has ended.",
                )
            self._busy.add(system)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(system)
