"""Signals per second through intake and close, against a bare batched insert of the same rows.

The ratio says what the registry's own work costs: 1 would be as fast as writing the rows it leaves behind and doing
nothing else. Both are timed in one run, on the same store, so that machines can be compared.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from federation.clock import ManualClock
from federation.database import Database, migrate
from federation.descriptor import Descriptor, Epoch, File, Member
from federation.observability import Log
from federation.rules.vocabulary import MAX_BATCH, MemberId
from federation.v1 import registry_pb2, signal_pb2
from privacy.registry_key import RegistryKey
from registry import wire
from registry.intake import Intake
from registry.keys import PseudonymKeys
from registry.observability import RegistryMetrics
from registry.pipeline import Close
from registry.store.bulk import chunks
from registry.store.schema import metadata

AIM = 0.25
"""Of the bare insert's rows per second."""

SIGNALS = 40_000
MEMBERS = 10
CLOSED_ON = date(2026, 9, 21)
SINCE = date(2026, 9, 1)
ONE_IN = 50
"""One leaving in so many is answered by nobody: 2 %, far above life."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds for `signals` signals through intake and close, and for a bare insert of the `rows` they left behind."""

    store: str
    signals: int
    rows: int
    intake: float
    close: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.bare / (self.intake + self.close)

    def __str__(self) -> str:
        per_second = self.signals / (self.intake + self.close)
        return (
            f"ingest and close, {self.store}: {per_second:,.0f} signals/s "
            f"(intake {self.intake:.2f} s, close {self.close:.2f} s), bare insert of the same {self.rows:,} rows "
            f"{self.bare:.2f} s: ratio {self.ratio:.2f} (aim ≥ {AIM})"
        )


def batches(count: int) -> Iterator[tuple[MemberId, bytes]]:
    """An autumn's movers as serialised requests: half of the signals leave one member, half arrive at another."""
    source = random.Random(20260901)
    members = [MemberId(f"{1_000 + index:04d}") for index in range(MEMBERS)]
    queues: dict[MemberId, list[signal_pb2.Signal]] = {member: [] for member in members}
    for number in range(count // 2):
        pseudonym = source.randbytes(32)
        left, arrived = source.sample(members, 2)
        queues[left].append(_signal(source, pseudonym, leaves=True))
        alone = number % ONE_IN == 0
        queues[arrived].append(_signal(source, source.randbytes(32) if alone else pseudonym, leaves=False))
    for member, signals in queues.items():
        for chunk in chunks(signals, MAX_BATCH):
            request = registry_pb2.SubmitSignalsRequest(batch_id=source.randbytes(16), signals=chunk)
            yield member, request.SerializeToString()


def _signal(source: random.Random, pseudonym: bytes, *, leaves: bool) -> signal_pb2.Signal:
    signal = signal_pb2.Signal(
        handle=source.randbytes(16),
        version=1,
        pseudonyms=[signal_pb2.Pseudonym(epoch=1, value=pseudonym)],
        nonce=source.randbytes(16),
    )
    if leaves:
        signal.presences.add(begins="2025-08-18", until=SINCE.isoformat(), affirmed_on="2025-08-18")
        signal.opening.number = 1
        signal.opening.kind = signal_pb2.OPENING_KIND_LEFT
        signal.opening.since = SINCE.isoformat()
        signal.opening.urgency = signal_pb2.URGENCY_NORMAL
    else:
        signal.presences.add(begins="2026-09-02", affirmed_on="2026-09-03")
    return signal


def descriptor() -> Descriptor:
    """A federation of `MEMBERS` members; what only signatures and TLS need is left out."""
    members = [
        Member(id=f"{1_000 + index:04d}", population=50_000, key_sha256=f"{index:064x}") for index in range(MEMBERS)
    ]
    epoch = Epoch(epoch=1, threshold=2, shares=2, public_key=bytes(32), commitments={1: bytes(32), 2: bytes(32)})
    return Descriptor.of(File(serial=1, expires=datetime(2099, 1, 1, tzinfo=UTC), members=members, epochs=[epoch]))


def measure(target: str | Path, bare_target: str | Path, signals: int = SIGNALS) -> Measured:
    """Run the work on one empty database and the bare insert on another of the same kind."""
    database, bare = Database(target), Database(bare_target)
    try:
        migrate(database, "registry.store")
        migrate(bare, "registry.store")
        federation = descriptor()
        metrics, log = RegistryMetrics(CollectorRegistry()), Log(level="error")
        keys = PseudonymKeys({1: RegistryKey(1, b"k" * 32)})
        intake = Intake(database, keys, lambda: federation, metrics, log)
        source = random.Random(1)
        close = Close(database, lambda: federation, ManualClock("Europe/Stockholm"), metrics, log, source.randbytes)
        requests = list(batches(signals))
        for member in federation.members:
            intake.report_roster(member.member_id, CLOSED_ON, 5_000, CLOSED_ON)

        begun = time.perf_counter()
        for member_id, content in requests:
            request = registry_pb2.SubmitSignalsRequest.FromString(content)
            answers = intake.submit(
                member_id, wire.parse_batch_id(request.batch_id), wire.parse_signals(request.signals), SINCE, 1
            )
            wire.dispositions(request.batch_id, answers).SerializeToString()
        taken_in = time.perf_counter()
        report = close.run(CLOSED_ON)
        closed = time.perf_counter()
        if report.failed or not report.notices:
            raise RuntimeError("the close did not do its work")

        rows = _rows(database)
        return Measured(
            database.url.get_backend_name(),
            signals,
            sum(len(of_table) for _, of_table in rows),
            taken_in - begun,
            closed - taken_in,
            _bare_insert(bare, rows),
        )
    finally:
        database.close()
        bare.close()


def _rows(database: Database) -> list[tuple[sa.Table, list[dict[str, object]]]]:
    with database.read("bench_rows") as tx:
        tables = [table for table in metadata.sorted_tables if table.name != "sequence"]
        return [(table, [dict(row) for row in tx.execute(sa.select(table)).mappings()]) for table in tables]


def _bare_insert(database: Database, rows: Sequence[tuple[sa.Table, list[dict[str, object]]]]) -> float:
    begun = time.perf_counter()
    for table, of_table in rows:
        for chunk in chunks(of_table, MAX_BATCH):
            with database.transaction("bench_insert") as tx:
                tx.execute(sa.insert(table), chunk)
    return time.perf_counter() - begun


def main(arguments: Sequence[str]) -> None:
    """Print one line per store; PostgreSQL where two URLs of empty databases are given."""
    with TemporaryDirectory() as directory:
        print(measure(Path(directory) / "work.sqlite", Path(directory) / "bare.sqlite"))  # noqa: T201 - its purpose
    if len(arguments) == 2:
        print(measure(arguments[0], arguments[1]))  # noqa: T201 - as above


if __name__ == "__main__":
    main(sys.argv[1:])
