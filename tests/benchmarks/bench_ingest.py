"""Signals per second through SubmitSignals and the close, against a bare batched insert of the same rows.

The ratio says what the registry's own work costs: 1 would be as fast as writing the rows it leaves behind and doing
nothing else. The registry is a process of its own; signals come over mutual TLS on loopback, as from nodes. Both are
timed in one round, on the same kind of store, and the median of the rounds is shown, so that machines can be compared
and what else runs matters little.

Run `python tests/benchmarks/bench_ingest.py`.
"""

# ruff: noqa: E402 - the path and TLS 1.3 are set before anything that needs them is imported

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

# Started as a script, the project's root is not on the path.
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from federation import tls13

tls13.require()

import sqlalchemy as sa

from federation import control, identity, throwaway
from federation.database import Database
from federation.descriptor_store import DescriptorStore
from federation.files import write_secret
from federation.migration import migrate
from federation.rpc.client import Peer
from federation.rules.vocabulary import MAX_BATCH, MemberId
from federation.settings import load
from federation.tls import ChannelCredentials, OwnIdentity
from federation.v1 import control_pb2, registry_pb2, signal_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from privacy.keys import deal_epoch
from registry.settings import STORE_PACKAGE, RegistrySettings, open_database
from registry.store.bulk import chunks
from registry.store.schema import metadata
from tests.harness.postgres import PostgresServer, postgres_server
from tests.harness.signing import sign, tls_key

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


class Registry:
    """The registry as a process of its own, with mutual TLS, and a channel of every member to it."""

    def __init__(self, directory: Path, url: str | None, stack: contextlib.ExitStack) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        members = member_ids()
        federation = throwaway.dev(
            directory,
            [throwaway.DevMember(member) for member in members],
            deal_epoch=deal_epoch,
            ports=throwaway.Ports(port, (1, 2)),
            today=SINCE,
        )
        if url is not None:
            write_secret(federation.registry.parent / "database.url", url.encode())
            federation.registry.write_text('database_url_file = "database.url"\n' + federation.registry.read_text())
        self.settings = load(federation.registry, RegistrySettings)
        self.database = stack.enter_context(contextlib.closing(open_database(self.settings)))
        migrate(self.database, STORE_PACKAGE)
        command = [sys.executable, "-m", "federation.cli", "registry", "serve", "--config", str(federation.registry)]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        self.control = stack.enter_context(control.connect(self.settings.data_dir))
        self.peers: dict[MemberId, Peer] = {}
        self.keys = {member: tls_key(federation.node(member).parent) for member in members}
        for member in members:
            home = federation.node(member).parent
            descriptors = DescriptorStore(
                federation.descriptor, federation.authority_key.public_key(), home / "descriptor.seen"
            )
            credentials = ChannelCredentials(OwnIdentity(home / "tls.crt", home / "tls.key", descriptors))
            self.peers[member] = Peer(identity.registry("a"), f"127.0.0.1:{port}", credentials)
            stack.callback(self.peers[member].close)
            # Also opens the connection, which is not what is measured.
            _report(self.peers[member])

    def close_day(self, day: date) -> None:
        self.control.SetToday(control_pb2.SetTodayRequest(today=day.isoformat()))
        for _ in self.control.Evaluate(control_pb2.EvaluateRequest()):
            pass


def _envelope() -> registry_pb2.Envelope:
    return registry_pb2.Envelope(business_date=SINCE.isoformat(), descriptor_serial=1)


def _report(peer: Peer) -> None:
    as_of = SINCE.isoformat()
    request = registry_pb2.ReportRosterRequest(envelope=_envelope(), as_of=as_of, roster=5_000)
    peer.call(RegistryServiceStub(peer.channel).ReportRoster, request)


def measure(url: str | None, bare: Database, signals: int = SIGNALS) -> Measured:
    """One round: the work on an empty database (SQLite, or at `url`), and the bare insert on another of its kind."""
    requests = list(batches(signals))
    with TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        registry = Registry(Path(directory) / "federation", url, stack)
        submit = {member: RegistryServiceStub(peer.channel).SubmitSignals for member, peer in registry.peers.items()}
        for member, request in requests:
            sign(request, member, registry.keys[member])
        begun = time.perf_counter()
        for member, request in requests:
            registry.peers[member].call(submit[member], request)
        taken_in = time.perf_counter()
        registry.close_day(CLOSED_ON)
        closed = time.perf_counter()
        rows = _rows(registry.database)
        if not any(of_table for table, of_table in rows if table.name == "notices"):
            raise RuntimeError("the close did not do its work")
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
        return measure(None, bare, signals)


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
