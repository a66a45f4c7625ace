"""Replicas of two versions on one PostgreSQL: the old one serves on through the migration until it is told to stop."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation import identity, throwaway
from federation.clock import ManualClock
from federation.control import socket_path
from federation.database import Database
from federation.descriptor_store import DescriptorStore
from federation.errors import EXIT_SCHEMA_NEWER, UppropError
from federation.migration import head
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.runtime import PORTS_NAME
from federation.tls import ChannelCredentials, OwnIdentity
from federation.v1 import registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from privacy.keys import deal_epoch
from registry.settings import STORE_PACKAGE
from registry.store.schema import signals
from tests.harness.ports import free_ports
from tests.harness.postgres import PostgresServer
from tests.harness.signing import sign, tls_key
from tests.integration.registry_parties import stated

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 9, 14)
MEMBERS = ("0180", "1280")
ADDED = """
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("signals", sa.Column("of_the_future", sa.Integer()))
    op.create_table("future", sa.Column("id", sa.Integer(), primary_key=True))
"""


def _newer(directory: Path) -> Path:
    """The program as a later version: the same, with a migration that adds to a table that is written all the time."""
    for package in ("federation", "node", "privacy", "registry"):
        shutil.copytree(ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    later = directory / "registry" / "store" / "migrations" / "versions" / "9000_the_future.py"
    later.write_text(ADDED.format(before=head(STORE_PACKAGE)), encoding="utf-8")
    return directory


@dataclass
class Replica:
    """A process of one version of the program."""

    home: Path
    program: Path
    process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(self._line(*arguments), env=self._env(), cwd=self.home, capture_output=True, check=False)

    def start(self) -> None:
        with (self.home / "log.jsonl").open("ab") as log:
            self.process = subprocess.Popen(self._line("serve"), env=self._env(), cwd=self.home, stderr=log)
        data = self.home / "data"
        while not ((data / PORTS_NAME).exists() and socket_path(data).exists()):
            assert self.process.poll() is None, (self.home / "log.jsonl").read_text()
            time.sleep(0.05)

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def _line(self, *arguments: str) -> list[str]:
        config = ["--config", str(self.home / "config.toml")]
        return [sys.executable, "-m", "federation.cli", "registry", *arguments, *config]

    def _env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.program)}


@dataclass
class Load:
    """A member that sends one batch after the other to whichever replica answers, until told to stop."""

    federation: throwaway.DevFederation
    member: str
    acknowledged: list[bytes] = field(default_factory=list)
    by_replica: dict[str, int] = field(default_factory=lambda: {"a": 0, "b": 0})
    done: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None

    def run(self) -> None:
        home = self.federation.directory / f"node-{self.member}"
        descriptors = DescriptorStore(
            self.federation.descriptor, self.federation.authority_key.public_key(), home / "descriptor.seen"
        )
        listed = descriptors.current()
        credentials = ChannelCredentials(OwnIdentity(home / "tls.crt", home / "tls.key", descriptors))
        clock, key = ManualClock("Europe/Stockholm", TODAY), tls_key(home)
        peers = {
            name: Peer(identity.registry(name), listed.registry(name).address, credentials) for name in self.by_replica
        }
        try:
            while not self.done.is_set():
                said = [stated(os.urandom(32), leaves=True) for _ in range(20)]
                batch = registry_pb2.SubmitSignalsRequest(
                    envelope=make_envelope(clock, listed), batch_id=os.urandom(16), signals=said
                )
                sign(batch, self.member, key)
                while (name := self._submit(peers, batch)) is None:
                    assert not self.done.is_set(), "no replica answered in the end"
                self.by_replica[name] += 1
                self.acknowledged += [each.handle for each in said]
        except BaseException as failure:  # noqa: BLE001 - told by the test's thread
            self.failure = failure
        finally:
            for peer in peers.values():
                peer.close()

    def _submit(self, peers: dict[str, Peer], batch: registry_pb2.SubmitSignalsRequest) -> str | None:
        """The replica that acknowledged the batch, sent as it is until one does: as a node sends it."""
        # Each has its turn first, so that both are under load.
        for name in sorted(peers, key=lambda name: self.by_replica[name]):
            try:
                answer = peers[name].call(RegistryServiceStub(peers[name].channel).SubmitSignals, batch, attempts=1)
            except UppropError:
                continue
            assert {each.kind for each in answer.dispositions} == {registry_pb2.DISPOSITION_KIND_ACCEPTED}
            return name
        time.sleep(0.05)
        return None


@pytest.fixture
def loads(postgres: PostgresServer, tmp_path: Path) -> Iterator[tuple[list[Load], str, throwaway.DevFederation]]:
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgres.fresh_database())
        first, second = free_ports(2)
        federation = throwaway.dev(
            tmp_path / "federation",
            [throwaway.DevMember(member) for member in MEMBERS],
            deal_epoch=deal_epoch,
            ports=throwaway.Ports(first, (0, 0), (second,)),
            today=TODAY,
            database_url=url,
        )
        made = [Load(federation, member) for member in MEMBERS]
        yield made, url, federation
        for load in made:
            load.done.set()


def test_replicas_are_upgraded_one_by_one_and_no_acknowledgement_is_lost(
    loads: tuple[list[Load], str, throwaway.DevFederation], tmp_path: Path
) -> None:
    members, url, federation = loads
    newer = _newer(tmp_path / "newer")
    homes = [federation.directory / throwaway.registry_directory(letter) for letter in "ab"]
    old, new = Replica(homes[0], ROOT), Replica(homes[1], newer)
    threads = [threading.Thread(target=load.run) for load in members]

    def wait_for(replica: str, batches: int) -> None:
        """Until each member has had so many more batches acknowledged by a replica."""
        wanted = {load.member: load.by_replica[replica] + batches for load in members}
        while any(load.by_replica[replica] < wanted[load.member] for load in members):
            assert all(thread.is_alive() for thread in threads), [load.failure for load in members]
            time.sleep(0.02)

    try:
        assert old.command("migrate").returncode == 0
        old.start()
        for thread in threads:
            thread.start()
        wait_for("a", 5)
        migrated = new.command("migrate")
        assert b"The database is now at 9000." in migrated.stdout, migrated.stderr
        # The old one serves on, on a schema that it does not know.
        wait_for("a", 5)
        new.start()
        wait_for("a", 5)
        wait_for("b", 5)
        assert old.stop() == 0
        # It was the last of its version: it does not start again, and cannot undo anything.
        for command in ("serve", "migrate"):
            refused = old.command(command)
            assert refused.returncode == EXIT_SCHEMA_NEWER
            assert b"newer version of upprop" in refused.stderr
        wait_for("b", 5)
        for load in members:
            load.done.set()
        for thread in threads:
            thread.join(60)
        assert [load.failure for load in members] == [None, None]
        assert new.stop() == 0
    finally:
        for load in members:
            load.done.set()
        for replica in (old, new):
            if replica.process is not None:
                replica.process.kill()
                replica.process.wait()
    database = Database(url)
    with database.read("test") as tx:
        stored = {bytes(handle) for handle in tx.execute(sa.select(signals.c.handle)).scalars()}
    database.close()
    acknowledged = [handle for load in members for handle in load.acknowledged]
    assert len(acknowledged) >= 1_000
    assert stored.issuperset(acknowledged)


def test_of_two_migrations_at_once_the_second_waits(postgres: PostgresServer, tmp_path: Path) -> None:
    from federation.migration import migrate

    with postgres.fresh_database() as url:
        first, second = Database(url), Database(url)
        outcome: list[tuple[str | None, str]] = []
        with first.restructuring("test"):
            waiting = threading.Thread(target=lambda: outcome.append(migrate(second, STORE_PACKAGE)))
            waiting.start()
            waiting.join(0.5)
            assert waiting.is_alive()
        waiting.join(60)
        assert outcome == [(None, head(STORE_PACKAGE))]
        first.close()
        second.close()
