"""What a signal costs with 10 million signals stored, against 100 000: intake and close, on PostgreSQL.

Both stores stand on one server. A round takes as many signals in and closes a day on the one and on the other, by
turns; the median of the rounds' ratios is shown, so that what else runs matters little. A quarter of the signals
restates handles stored long ago, wherever they lie. The work is done in this process, without the network, which would
hide a part of what the store costs.

Run `python tests/benchmarks/bench_scale.py`: filling takes some minutes and 15 GB below the temporary directory.
"""

# ruff: noqa: E402 - the path and TLS 1.3 are set before anything that needs them is imported

from __future__ import annotations

import contextlib
import hashlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

# Started as a script, the project's root is not on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation import tls13

tls13.require()

from federation.database import Database
from federation.migration import migrate
from federation.rules.vocabulary import (
    MAX_BATCH,
    Handle,
    MemberId,
    Opening,
    OpeningKind,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)
from registry.settings import STORE_PACKAGE
from registry.store.bulk import chunks
from tests.harness import stored_nation
from tests.harness.postgres import PostgresServer, postgres_server
from tests.store.registry.scene import SINCE, Scene, federation

AIM = 1.3
"""Of the cost per signal with few stored."""

FEW, MANY = 100_000, 10_000_000
SERVER = {"shared_buffers": "13GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min"}
"""A server whose memory holds the store, as registry/SCALE.md asks for."""

SIGNALS = 4_000
ROUNDS = 9
RESTATED = 4
"""One signal in so many is the next version of a handle stored before."""

FIRST_DAY = date(2026, 9, 14)


class Stored:
    """A registry over a store with `count` signals."""

    def __init__(self, url: str, count: int, stack: contextlib.ExitStack) -> None:
        self.count = count
        database = stack.enter_context(contextlib.closing(Database(url)))
        migrate(database, STORE_PACKAGE)
        stored_nation.fill(database, count)
        _warm(database)
        members = [MemberId(str(1_000 + index)) for index in range(stored_nation.MEMBERS)]
        self.scene = Scene(database, federation(*members))
        self._members = members
        # The same signals on every store; of the handles stored, as many as there are here.
        self._source = random.Random(count)
        self._restated = iter(self._source.sample(range(1, count + 1), min(count, 50_000)))
        self._day = FIRST_DAY

    def round(self, signals: int) -> float:
        """Take signals in and close the next day; seconds a signal."""
        batches = list(self._batches(signals))
        self._day += timedelta(days=1)
        begun = time.perf_counter()
        for member, batch in batches:
            self.scene.submit(member, *batch)
        report = self.scene.daily_close.run(self._day)
        seconds = time.perf_counter() - begun
        if not report.changes or report.failed:
            raise RuntimeError("the close did not do its work")
        return seconds / signals

    def _batches(self, signals: int) -> Iterator[tuple[MemberId, list[Signal]]]:
        said: dict[MemberId, list[Signal]] = {}
        for number in range(signals):
            if number % RESTATED == 0:
                stored = next(self._restated)
                member = self._members[stored % len(self._members)]
                handle = Handle(hashlib.md5(f"h{stored}".encode(), usedforsecurity=False).digest())
                signal = Signal(handle, 2, (self._pupil(),), (Presence(SINCE, None, SINCE),), nonce=bytes(16))
            else:
                member = self._source.choice(self._members[:10])
                opening = Opening(1, OpeningKind.LEFT, SINCE, Urgency.NORMAL)
                presences = (Presence(date(2025, 8, 18), SINCE, date(2025, 8, 18)),)
                handle = Handle(self._source.randbytes(16))
                signal = Signal(handle, 1, (self._pupil(),), presences, opening, nonce=bytes(16))
            said.setdefault(member, []).append(signal)
        for member, own in said.items():
            for chunk in chunks(own, MAX_BATCH):
                yield member, chunk

    def _pupil(self) -> Pseudonym:
        return Pseudonym(1, self._source.randbytes(32))


def _warm(database: Database) -> None:
    """Have the server hold all of it in memory, as after some days of work."""
    with database.transaction("warm") as tx:
        tx.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        everything = "FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        tx.exec_driver_sql(f"SELECT pg_prewarm(oid::regclass) {everything}")


@dataclass(frozen=True, slots=True)
class Measured:
    """Microseconds a signal with `few` and with `many` signals stored, and the median of the rounds' ratios."""

    few: int
    many: int
    with_few: float
    with_many: float
    ratio: float

    def __str__(self) -> str:
        return (
            f"intake and close, postgresql: {self.with_few * 1e6:,.0f} µs a signal with {self.few:,} stored, "
            f"{self.with_many * 1e6:,.0f} µs with {self.many:,}: ratio {self.ratio:.2f} (aim ≤ {AIM})"
        )


def measure(
    server: PostgresServer,
    few: int = FEW,
    many: int = MANY,
    *,
    signals: int = SIGNALS,
    rounds: int = ROUNDS,
    said: Callable[[str], None] = lambda _what: None,
) -> Measured:
    """Fill both stores, warm them up with a round each, and compare."""
    with contextlib.ExitStack() as stack:
        stores = []
        for count in (few, many):
            begun = time.perf_counter()
            stores.append(Stored(stack.enter_context(server.fresh_database()), count, stack))
            said(f"{count:,} signals stored in {time.perf_counter() - begun:.0f} s")
        pairs = []
        for number in range(rounds + 1):
            # By turns the one first and the other.
            order = stores if number % 2 else stores[::-1]
            seconds = {store.count: store.round(signals) for store in order}
            pairs.append((seconds[few], seconds[many]))
    pairs = pairs[1:]
    return Measured(
        few,
        many,
        median(pair[0] for pair in pairs),
        median(pair[1] for pair in pairs),
        median(pair[1] / pair[0] for pair in pairs),
    )


def main() -> None:
    """Print one line, and on the way what is being done."""
    with postgres_server(SERVER) as server:
        print(measure(server, said=lambda what: print(what, file=sys.stderr, flush=True)))  # noqa: T201 - its purpose


if __name__ == "__main__":
    main()
