"""Two registry processes on one PostgreSQL close one day; one is stopped or killed while it holds a portion."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from federation import throwaway
from federation.control import connect, socket_path
from federation.database import Database
from federation.demo.leash import THEN
from federation.demo.supervisor import Party, Supervisor
from federation.errors import UppropError
from federation.runtime import PORTS_NAME
from federation.v1 import control_pb2
from privacy.keys import deal_epoch
from registry.pipeline import GROUPS_A_PORTION
from registry.store import schema
from tests.harness.postgres import PostgresServer
from tests.store.registry.scene import DUE, A, B, C, Scene, leaving, pupil

PORTIONS = 6
GAPS = PORTIONS * GROUPS_A_PORTION


@dataclass
class Replicas:
    parties: list[Party]
    scene: Scene

    def close(self, number: int) -> None:
        with connect(self.parties[number].data_dir) as stub:
            for _ in stub.Evaluate(control_pb2.EvaluateRequest()):
                pass

    def signal(self, number: int, what: signal.Signals) -> None:
        process = self.parties[number].process
        assert process is not None
        os.kill(process.pid, what)

    def rows(self, table: sa.Table) -> list[Any]:
        with self.scene.database.read("test") as tx:
            return list(tx.execute(sa.select(table)))


@pytest.fixture
def replicas(postgres: PostgresServer, tmp_path: Path) -> Iterator[Replicas]:
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgres.fresh_database())
        home = tmp_path / "federation"
        throwaway.dev(
            home,
            [throwaway.DevMember(member) for member in (A, B, C)],
            deal_epoch=deal_epoch,
            ports=throwaway.Ports(0, (0, 0), (0,)),
            today=DUE,
            database_url=url,
        )
        supervisor = stack.enter_context(Supervisor())
        parties = []
        for name in map(throwaway.registry_directory, "ab"):
            config = home / name / "config.toml"
            config.write_text(f"lease_seconds = 2.0\n{config.read_text()}")
            settings = ("--config", str(config))
            # Both migrate, and at once.
            arguments = ("registry", "migrate", *settings, THEN, "registry", "serve", *settings)
            parties.append(supervisor.start(name, arguments, home / name, home / name / "data"))
        ready: Callable[[Party], bool] = lambda party: (  # noqa: E731 - the condition and nothing else
            (party.data_dir / PORTS_NAME).exists() and socket_path(party.data_dir).exists()
        )
        supervisor.wait_until(ready, parties, lambda _name: None)
        database = stack.enter_context(contextlib.closing(Database(url)))
        # What members send goes in here; the processes close.
        scene = Scene(database)
        for first in range(0, GAPS, 1_000):
            scene.submit(A, *(leaving(pupil(f"p{number}")) for number in range(first, first + 1_000)))
        scene.report(A, B, C, as_of=DUE)
        yield Replicas(parties, scene)
        for party in parties:
            if party.process is not None:
                party.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("what", [signal.SIGSTOP, signal.SIGKILL])
def test_a_replica_that_falls_out_in_the_middle_of_a_close_is_made_up_for(
    replicas: Replicas, what: signal.Signals
) -> None:
    with ThreadPoolExecutor(2) as pool:
        closes = [pool.submit(replicas.close, number) for number in range(2)]
        while not (left := replicas.rows(schema.portions)) or len(left) > PORTIONS - 2:
            time.sleep(0.02)
        replicas.signal(0, what)
        closes[1].result(120)
        before = {table.name: replicas.rows(table) for table in (schema.gaps, schema.notices, schema.cases)}
        if what is signal.SIGSTOP:
            assert not closes[0].done()
            replicas.signal(0, signal.SIGCONT)
            closes[0].result(120)
        else:
            with pytest.raises(UppropError):
                closes[0].result(120)
    assert {table.name: replicas.rows(table) for table in (schema.gaps, schema.notices, schema.cases)} == before
    assert Counter(gap.state for gap in before["gaps"]) == {"OPEN": GAPS}
    assert len(before["cases"]) == GAPS
    told = Counter((notice.handle, notice.kind) for notice in before["notices"])
    assert (len(told), set(told.values())) == (2 * GAPS, {1})
    assert sorted(notice.position for notice in before["notices"]) == list(range(1, 2 * GAPS + 1))
    assert replicas.rows(schema.portions) == replicas.rows(schema.dirty) == []
    [close] = replicas.rows(schema.closes)
    assert (close.working, close.through_position) == (False, 2 * GAPS)
