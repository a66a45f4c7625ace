"""Two replicas of the registry on PostgreSQL, one of which goes down and comes back while a term is played."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.demo import scenario
from federation.demo.simulate import Simulation, prepared
from federation.files import write_secret
from federation.rules.vocabulary import MemberId
from tests.harness import autumn4
from tests.harness.postgres import PostgresServer


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.fresh_database() as url:
        yield url


class Disturbed(Simulation):
    """Every third day one replica, by turns, is killed once the first node has sent and while the others send."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.killed: dict[date, str] = {}
        self._doomed = set(self._scenario.as_of[::3])
        self._lock = threading.Lock()

    def _send(self, member: MemberId) -> int:
        sent = super()._send(member)
        with self._lock:
            if self.today in self._doomed - self.killed.keys():
                self.killed[self.today] = ("registry", "registry-b")[len(self.killed) % 2]
                self.trial.kill(self.killed[self.today])
        return sent


def bring_back(simulation: Simulation, step: str) -> None:
    """Before the close on some days; on others it misses the close, and the notices are fetched without it."""
    assert isinstance(simulation, Disturbed)
    killed = simulation.killed.get(simulation.today)
    if killed is not None and step == ("sent" if len(simulation.killed) % 4 < 2 else "heard"):
        simulation.restart(killed)


def test_a_replica_killed_in_the_middle_of_a_day_loses_nothing(tmp_path: Path, database_url: str) -> None:
    autumn4.write_out(tmp_path / "scenario")
    with prepared(
        tmp_path / "scenario",
        nodes_in_process=True,
        registries=2,
        database_url=database_url,
        between=bring_back,
        kind=Disturbed,
    ) as simulation:
        outcome = simulation.play()
    assert outcome.cases == scenario.read_truth(tmp_path / "scenario").cases
    assert isinstance(simulation, Disturbed)
    assert set(simulation.killed.values()) == {"registry", "registry-b"}
    assert simulation.remarks == []


def test_the_command_plays_on_several_replicas_and_wants_an_empty_database(tmp_path: Path, database_url: str) -> None:
    autumn4.write_out(tmp_path / "scenario")
    stated = json.loads((tmp_path / "scenario" / "scenario.json").read_bytes())
    (tmp_path / "scenario" / "scenario.json").write_text(json.dumps({**stated, "as_of": stated["as_of"][:2]}))
    (tmp_path / "scenario" / "truth.json").unlink()
    write_secret(tmp_path / "database.url", database_url.encode())
    several = ["--registries", "2", "--database-url-file", str(tmp_path / "database.url")]
    command = [sys.executable, "-m", "federation.cli", "simulate", str(tmp_path / "scenario"), "--nodes-in-process"]
    out = ["--out", str(tmp_path / "out.json"), "--keep", str(tmp_path / "kept")]
    done = subprocess.run([*command, *several, *out], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    for name in ("registry", "registry-b"):
        assert b"close_finished" in (tmp_path / "kept" / name / "log.jsonl").read_bytes()
    again = subprocess.run([*command, *several, "--out", str(tmp_path / "out.json")], capture_output=True, timeout=300)
    assert (again.returncode, b"not empty" in again.stderr) == (4, True)
    alone = subprocess.run([*command, *several[:2], *out[:2]], capture_output=True, timeout=300)
    assert (alone.returncode, b"one PostgreSQL database" in alone.stderr) == (3, True)
