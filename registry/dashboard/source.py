"""Where pages and API get their numbers: the registry, asked once for what does not change.

Invariants
    - What has been released never changes: an answer is kept as long as the list of releases is the same.
    - A further question still to be drawn, a refusal and a budget are never kept.
    - While the registry cannot be reached, what was answered before is answered still, and it is asked anew only now
      and then, so that nobody waits for what others have waited for in vain. A reader that it turns away gets nothing
      more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import TypeVar

from federation.errors import Code, UppropError
from federation.web.i18n import Language
from registry.statistics import kept
from registry.statistics.kept import Kept
from registry.statistics.reading import (
    Asked,
    Document,
    Format,
    Level,
    Pending,
    Releases,
    Selection,
    Source,
    TableInfo,
    TableSummary,
    YearBudget,
)

__all__ = ["LOOK_SECONDS", "CachedSource", "Source"]

LOOK_SECONDS = 30.0
"""How old the list of releases may be: a release comes once a month."""

AWAY_SECONDS = 5.0
"""How long it is believed that the registry cannot be reached."""

CALLS_AT_ONCE = 3
"""Fewer than the registry handles of one caller (`federation.rpc.fairness`): the rest waits here, not there."""

_ENTRY_BYTES = 4_096
"""What an answer that is no document counts as."""

_UNREACHED = frozenset(
    {Code.PEER_UNREACHABLE, Code.DEADLINE, Code.OVERLOADED, Code.STORE_UNREACHABLE, Code.STORE_LOCKED, Code.INTERNAL}
)

_AWAY = frozenset({Code.PEER_UNREACHABLE, Code.DEADLINE})

T = TypeVar("T")


class CachedSource:
    """A `Source` before another one. Safe to use from several threads."""

    def __init__(
        self,
        source: Source,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        look_seconds: float = LOOK_SECONDS,
        max_bytes: int = kept.MAX_BYTES,
    ) -> None:
        self._source = source
        self._monotonic = monotonic
        self._look_seconds = look_seconds
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._asking = threading.BoundedSemaphore(CALLS_AT_ONCE)
        self._releases: Releases | None = None
        self._looked_at = 0.0
        self._away: tuple[float, UppropError] | None = None
        self._kept: Kept[object] = Kept(max_bytes)

    def tables(self, language: Language) -> tuple[TableSummary, ...]:
        return self._once(("tables", language), lambda: self._source.tables(language))

    def table(self, table_id: str, language: Language) -> TableInfo:
        return self._once(("table", table_id, language), lambda: self._source.table(table_id, language))

    def data(
        self, table_id: str, selections: tuple[Selection, ...], level: Level, form: Format, language: Language
    ) -> Document | Pending:
        return self._once(
            ("data", table_id, selections, level, form, language),
            lambda: self._source.data(table_id, selections, level, form, language),
        )

    def releases(self) -> Releases:
        with self._lock:
            known, fresh = self._releases, self._monotonic() - self._looked_at < self._look_seconds
        if known is not None and fresh:
            return known
        # One asks; meanwhile the others have what was known.
        if not self._looking.acquire(blocking=known is None):
            assert known is not None
            return known
        try:
            return self._look(known)
        finally:
            self._looking.release()

    def budget(self) -> tuple[YearBudget, ...]:
        return self._ask(self._source.budget)

    def asked(self) -> tuple[Asked, ...]:
        return self._ask(self._source.asked)

    def _look(self, known: Releases | None) -> Releases:
        with self._lock:
            if self._releases is not known and self._releases is not None:
                # Somebody else looked while we waited.
                return self._releases
        try:
            found = self._ask(self._source.releases)
        except UppropError as error:
            if error.code not in _UNREACHED:
                self._forget()
            elif known is not None:
                with self._lock:
                    self._looked_at = self._monotonic()
                return known
            raise
        with self._lock:
            self._releases, self._looked_at = found, self._monotonic()
        return found

    def _forget(self) -> None:
        with self._lock:
            self._releases = None
        self._kept.clear()

    def _ask(self, ask: Callable[[], T]) -> T:
        """What the registry says, or what it said a moment ago of not being there."""
        with self._asking:
            with self._lock:
                away = self._away
            if away is not None and self._monotonic() - away[0] < AWAY_SECONDS:
                # A new error each time: one that is raised twice gathers the traces of both.
                raise UppropError(away[1].code, away[1].sentence)
            try:
                answer = ask()
            except UppropError as error:
                with self._lock:
                    self._away = (self._monotonic(), error) if error.code in _AWAY else None
                raise
            with self._lock:
                self._away = None
            return answer

    def _once(self, question: Hashable, ask: Callable[[], T]) -> T:
        drawn = self.releases().drawn
        standing = self._kept.find(drawn, question)
        if standing is not None:
            return standing  # type: ignore[return-value]  # what this question was answered
        answer = self._ask(ask)
        if not isinstance(answer, Pending):
            size = len(answer.content) if isinstance(answer, Document) else _ENTRY_BYTES
            self._kept.keep(drawn, question, answer, size)
        return answer
