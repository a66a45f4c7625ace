"""Registry and node killed at random moments: no acknowledged signal is lost, none is there twice.

`UPPROP_KILLS` says how often on each store; `make bench-faults` kills two hundred times.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Select, func, select

import node.settings
import registry.settings
from federation import control, throwaway
from federation.cli import main
from federation.database import Database
from federation.errors import UppropError
from federation.files import write_secret
from federation.settings import load
from federation.v1 import control_pb2
from node.store.outbox import VersionState
from node.store.schema import versions
from registry.store.schema import signals
from registry.store.schema_ledger import ledger_batches
from tests.conftest import MakeFederation
from tests.harness.nursery import Nursery
from tests.harness.postgres import PostgresServer
from tests.unit.node.exports import enrolment, person

KILLS = int(os.environ.get("UPPROP_KILLS", "4"))
FIRST_DAY, DAY = date(2026, 8, 24), date(2026, 8, 25)
LEAVERS = min(KILLS, 10)
ARRIVE_FROM = 30
READY_SECONDS = 60.0
LOOK_SECONDS = 0.3
"""How long a running party is looked for; one that was killed is not waited for."""
MEMBER = "0180"


@dataclass
class Party:
    """A role as a process that can be killed and started again."""

    name: str
    role: str
    config: Path
    nursery: Nursery
    pid: int = 0
    today: date = FIRST_DAY

    @property
    def data_dir(self) -> Path:
        return self.config.parent / "data"

    def run(self, *arguments: str) -> None:
        """A command that ends by itself."""
        with pytest.raises(SystemExit) as ended:
            main([self.role, *arguments, "--config", str(self.config)])
        assert ended.value.code in (None, 0)

    def start(self) -> None:
        self.pid = self.nursery.start([self.role, "serve", "--config", str(self.config)], self.config.parent / "log")
        self.set_today(self.today)

    def kill(self) -> None:
        self.nursery.kill(self.pid)

    def set_today(self, today: date) -> None:
        self.today = today
        give_up = time.monotonic() + READY_SECONDS
        while True:
            try:
                with control.connect(self.data_dir, wait=LOOK_SECONDS) as stub:
                    stub.SetToday(control_pb2.SetTodayRequest(today=today.isoformat()))
            except UppropError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.01)
            else:
                return


@dataclass
class Scene:
    federation: throwaway.DevFederation
    servers: dict[str, Party]
    node: Party
    rounds: int = 0
    persons: dict[int, dict[str, Any]] = field(
        default_factory=lambda: {place: person(place) for place in range(ARRIVE_FROM)}
    )

    def set_today(self, today: date) -> None:
        for party in (*self.servers.values(), self.node):
            party.set_today(today)

    def move(self) -> None:
        """Three arrive and, so long as they are no mass leaving of one day, one leaves."""
        for place in range(3):
            self.persons[ARRIVE_FROM + 3 * self.rounds + place] = person(
                ARRIVE_FROM + 3 * self.rounds + place, enrolment(DAY.isoformat())
            )
        if self.rounds < LEAVERS:
            self.persons[self.rounds] = person(self.rounds, enrolment(end=FIRST_DAY.isoformat()))
        self.rounds += 1

    def take(self) -> None:
        export = self.node.config.parent / "export.json"
        export.write_text(json.dumps({"data": list(self.persons.values()), "pageToken": None}), encoding="utf-8")
        with control.connect(self.node.data_dir, wait=LOOK_SECONDS) as stub:
            for _ in stub.Import(control_pb2.ImportRequest(path=str(export), as_of=self.node.today.isoformat())):
                pass

    def sync(self) -> control_pb2.SyncReport:
        with control.connect(self.node.data_dir, wait=LOOK_SECONDS) as stub:
            *_, last = stub.Sync(control_pb2.SyncRequest())
        return last.report

    def close_day(self) -> None:
        with control.connect(self.servers["registry"].data_dir, wait=LOOK_SECONDS) as stub:
            for _ in stub.Evaluate(control_pb2.EvaluateRequest()):
                pass


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Role → URL of its store; none for a file each."""
    if request.param == "sqlite":
        yield {}
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh_database() as registry_url, server.fresh_database() as node_url:
        yield {"registry": registry_url, "node": node_url}


@contextmanager
def scene(make_federation: MakeFederation, stores: dict[str, str]) -> Iterator[Scene]:
    federation = make_federation(MEMBER, today=FIRST_DAY)
    with Nursery() as nursery:
        parties = {
            f"evaluator-{index}": Party(f"evaluator-{index}", "evaluator", federation.evaluator(index), nursery)
            for index in (1, 2, 3)
        }
        parties["registry"] = Party("registry", "registry", federation.registry, nursery)
        own = Party("node", "node", federation.node(MEMBER), nursery)
        for party in (*parties.values(), own):
            if party.role in stores:
                write_secret(party.config.parent / "db.url", stores[party.role].encode())
                settings = party.config.read_text(encoding="utf-8")
                party.config.write_text('database_url_file = "db.url"\n' + settings, encoding="utf-8")
            party.run("migrate")
            party.start()
        yield Scene(federation, parties, own)


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    make_federation: MakeFederation, stores: dict[str, str]
) -> None:
    rng = Random(1)
    with scene(make_federation, stores) as played:
        played.take()
        played.sync()
        played.set_today(DAY)
        begun = time.monotonic()
        a_day(played)
        longest = 1.2 * (time.monotonic() - begun)
        victims = [played.node, played.servers["registry"]]
        for _ in range(KILLS):
            played.move()
            work = threading.Thread(target=quietly, args=(played,))
            work.start()
            time.sleep(rng.uniform(0, longest))
            victim = rng.choice(victims)
            victim.kill()
            work.join()
            victim.start()
        # The last kill may have left a batch whose answer was lost, and a step each that waits for the one before.
        for _ in range(5):
            a_day(played)
        report = played.sync()
        assert (report.waiting, report.parked, list(report.problems)) == (0, 0, [])
        for party in (*played.servers.values(), played.node):
            party.kill()
        look(played)


def a_day(played: Scene) -> None:
    played.take()
    played.sync()
    played.close_day()
    played.sync()


def quietly(played: Scene) -> None:
    """A day's work, from which whoever is killed is torn away."""
    with contextlib.suppress(UppropError):
        a_day(played)


def look(played: Scene) -> None:
    """Both stores as they were left: what the node holds for acknowledged is what the registry has, once."""
    own = node.settings.open_database(load(played.node.config, node.settings.NodeSettings))
    theirs = registry.settings.open_database(load(played.federation.registry, registry.settings.RegistrySettings))
    try:
        acknowledged = newest(own, select(versions).where(versions.c.state == VersionState.ACKNOWLEDGED.value))
        assert len(acknowledged) == 3 * KILLS + LEAVERS
        assert newest(theirs, select(signals)) == acknowledged
        twice = select(ledger_batches.c.batch_id).group_by(ledger_batches.c.batch_id).having(func.count() > 1)
        assert theirs.view("test", lambda tx: tx.execute(twice).all()) == []
    finally:
        own.close()
        theirs.close()


def newest(database: Database, rows: Select[Any]) -> dict[bytes, int]:
    """handle → its highest version among these rows."""
    named = rows.subquery()
    query = select(named.c.handle, func.max(named.c.version)).group_by(named.c.handle)
    return {bytes(handle): version for handle, version in database.view("test", lambda tx: tx.execute(query).all())}
