"""Signals per second through SubmitSignals and the close, against a bare batched insert of the same rows.

The ratio says what the registry's own work costs: 1 would be as fast as writing the rows it leaves behind and doing
nothing else. Signals come over mutual TLS on loopback, as from nodes. Both are timed in one round, on the same kind of
store, and the median of the rounds is shown, so that machines can be compared and what else runs matters little.

Run `python tests/benchmarks/bench_ingest.py`.
"""

# ruff: noqa: E402 - the path and TLS 1.3 are set before anything that needs them is imported

from __future__ import annotations

import contextlib
import random
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

# Started as a script, the project's root is not on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation import tls13

tls13.require()

import msgspec
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from federation import identity, pki
from federation.database import Database
from federation.descriptor import DescriptorStore
from federation.files import write_secret
from federation.migration import migrate
from federation.observability import Log, Metrics
from federation.rpc.client import Peer
from federation.rules.vocabulary import MAX_BATCH, MemberId
from federation.runtime import Daemon, make_clock
from federation.settings import load
from federation.tls import ChannelCredentials, OwnIdentity
from federation.v1 import registry_pb2, signal_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from privacy.keys import deal_epoch
from registry.app import App, build
from registry.settings import STORE_PACKAGE, RegistrySettings, open_database
from registry.store.bulk import chunks
from registry.store.schema import metadata
from tests.harness.postgres import PostgresServer, postgres_server

AIM = 0.25
"""Of the bare insert's rows per second."""

SIGNALS = 20_000
ROUNDS = 3
MEMBERS = 10
CLOSED_ON = date(2026, 9, 21)
SINCE = date(2026, 9, 1)
ONE_IN = 50
"""One leaving in so many is answered by nobody: 2 %, far above life."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One round: seconds for `signals` signals through SubmitSignals (`intake`) and the close, and for a bare insert
    (`bare`) of the `rows` they left behind.
    """

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


def member_ids() -> list[MemberId]:
    return [MemberId(f"{1_000 + index:04d}") for index in range(MEMBERS)]


def batches(count: int) -> Iterator[tuple[MemberId, registry_pb2.SubmitSignalsRequest]]:
    """An autumn's movers as requests: half of the signals leave one member, half arrive at another."""
    source = random.Random(20260901)
    members = member_ids()
    queues: dict[MemberId, list[signal_pb2.Signal]] = {member: [] for member in members}
    for number in range(count // 2):
        pseudonym = source.randbytes(32)
        left, arrived = source.sample(members, 2)
        queues[left].append(_signal(source, pseudonym, leaves=True))
        alone = number % ONE_IN == 0
        queues[arrived].append(_signal(source, source.randbytes(32) if alone else pseudonym, leaves=False))
    for member, signals in queues.items():
        for chunk in chunks(signals, MAX_BATCH):
            batch_id = source.randbytes(16)
            yield member, registry_pb2.SubmitSignalsRequest(envelope=_envelope(), batch_id=batch_id, signals=chunk)


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


@contextlib.contextmanager
def _registry(directory: Path, target: str | Path) -> Iterator[tuple[App, dict[MemberId, Peer]]]:
    """A registry that listens with mutual TLS, and a channel of every member to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    federation = pki.dev(
        directory,
        [pki.DevMember(member) for member in member_ids()],
        deal_epoch=deal_epoch,
        ports=pki.Ports(port, (1, 2)),
        today=SINCE,
    )
    settings = load(federation.registry, RegistrySettings)
    if isinstance(target, str):
        url_file = federation.directory / "database.url"
        write_secret(url_file, target.encode())
        settings = msgspec.structs.replace(settings, database_url_file=url_file)
    database = open_database(settings)
    migrate(database, STORE_PACKAGE)
    database.close()
    log, metrics = Log(level="error"), Metrics(CollectorRegistry())
    descriptors = DescriptorStore.of(settings, log)
    clock = make_clock(settings, descriptors)
    built: list[App] = []

    def make() -> App:
        built.append(build(settings, clock=clock, metrics=metrics, descriptors=descriptors, log=log))
        return built[0]

    own = OwnIdentity.of(settings, descriptors)
    daemon = Daemon(settings, make, clock=clock, metrics=metrics, log=log, descriptors=descriptors, own=own)
    daemon.start()
    with contextlib.ExitStack() as stack:
        stack.callback(daemon.stop)
        peers = {}
        for member in member_ids():
            home = federation.node(member).parent
            credentials = ChannelCredentials(OwnIdentity(home / "tls.crt", home / "tls.key", descriptors))
            peers[member] = Peer(identity.registry("a"), f"127.0.0.1:{port}", credentials)
            stack.callback(peers[member].close)
            # Also opens the connection, which is not what is measured.
            _report(peers[member])
        yield built[0], peers


def _envelope() -> registry_pb2.Envelope:
    return registry_pb2.Envelope(business_date=SINCE.isoformat(), descriptor_serial=1)


def _report(peer: Peer) -> None:
    as_of = SINCE.isoformat()
    request = registry_pb2.ReportRosterRequest(envelope=_envelope(), as_of=as_of, roster=5_000)
    peer.call(RegistryServiceStub(peer.channel).ReportRoster, request)


def measure(target: str | Path, bare: Database, signals: int = SIGNALS) -> Measured:
    """One round: the work on an empty database, SQLite or the URL given, and the bare insert on another of its kind."""
    requests = list(batches(signals))
    with TemporaryDirectory() as directory, _registry(Path(directory) / "federation", target) as (registry, peers):
        submit = {member: RegistryServiceStub(peer.channel).SubmitSignals for member, peer in peers.items()}
        begun = time.perf_counter()
        for member, request in requests:
            peers[member].call(submit[member], request)
        taken_in = time.perf_counter()
        report = registry.daily_close.run(CLOSED_ON)
        closed = time.perf_counter()
        if report.failed or not report.notices:
            raise RuntimeError("the close did not do its work")
        rows = _rows(registry.database)
    migrate(bare, STORE_PACKAGE)
    return Measured(
        bare.url.get_backend_name(),
        signals,
        sum(len(of_table) for _, of_table in rows),
        taken_in - begun,
        closed - taken_in,
        _bare_insert(bare, rows),
    )


def on_sqlite(signals: int = SIGNALS) -> Measured:
    with TemporaryDirectory() as directory, contextlib.closing(Database(Path(directory) / "bare.sqlite")) as bare:
        return measure(Path(directory), bare, signals)


def on_postgresql(server: PostgresServer, signals: int = SIGNALS) -> Measured:
    with (
        server.fresh_database() as url,
        server.fresh_database() as bare_url,
        contextlib.closing(Database(bare_url)) as bare,
    ):
        return measure(url, bare, signals)


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


def middle(rounds: Sequence[Measured]) -> Measured:
    """The round with the median ratio."""
    return sorted(rounds, key=lambda measured: measured.ratio)[len(rounds) // 2]


def main() -> None:
    """Print one line per store."""
    print(middle([on_sqlite() for _ in range(ROUNDS)]), flush=True)  # noqa: T201 - its purpose
    with postgres_server() as server:
        print(middle([on_postgresql(server) for _ in range(ROUNDS)]))  # noqa: T201 - as above


if __name__ == "__main__":
    main()
