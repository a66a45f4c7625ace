"""A federation whose daemons run as in earnest: processes of their own, on the system's clock, each with its workers;
a registry, three evaluators, two nodes with pupils, and the pages of one reader of the statistics.

For tests that watch it from outside. Every metrics port is fixed, so that a daemon that is started again has it again.
"""

from __future__ import annotations

import contextlib
import re
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from federation import control, throwaway
from federation.demo.leash import THEN
from federation.demo.supervisor import Party, Supervisor
from federation.runtime import PORTS_NAME
from federation.v1 import control_pb2
from privacy.keys import deal_epoch
from tests.harness.ports import free_ports
from tests.unit.node.exports import content, enrolment, person

MEMBERS = ("0180", "1480")
EVALUATORS = 3
READER = "statistics"
ZONE = "Europe/Stockholm"
READY_SECONDS = 120.0
ROSTER = 40
NEWCOMERS = 5


@dataclass(frozen=True, slots=True)
class Watched:
    """What runs, by the names of the directories: `registry`, `evaluator-1`, `node-0180`, `reader-statistics`."""

    federation: throwaway.DevFederation
    supervisor: Supervisor
    parties: dict[str, Party]
    metrics: dict[str, str]
    """Where each shows its metrics: `host:port`."""

    def targets(self) -> dict[str, list[str]]:
        """Job → addresses, by the jobs that the rules know."""
        found: dict[str, list[str]] = {}
        for name, address in self.metrics.items():
            found.setdefault(f"upprop-{name.partition('-')[0]}", []).append(address)
        return found

    def stop(self, name: str) -> None:
        """End a daemon as its administrator would."""
        party = self.parties[name]
        assert party.process is not None
        party.process.terminate()
        party.process.wait()
        if party.process.stdin is not None:
            party.process.stdin.close()

    def start(self, name: str) -> None:
        """Start it again."""
        party = self.parties[name]
        self.supervisor.restart(party)
        self.supervisor.wait_until(_listens, [party], seconds=READY_SECONDS)

    def call(self, name: str, method: str, request: Any) -> list[Any]:
        """What a method of a daemon's ControlService answers."""
        with control.connect(self.parties[name].data_dir) as stub:
            answer = getattr(stub, method)(request)
            return list(answer) if hasattr(answer, "__iter__") else [answer]

    def take(self, name: str, persons: Sequence[dict[str, Any]]) -> None:
        """Import these persons at a node, as of today."""
        export = self.parties[name].directory / "export.json"
        export.write_bytes(content(list(persons)))
        self.call(name, "Import", control_pb2.ImportRequest(path=str(export), as_of=_today().isoformat()))

    def sync(self, name: str) -> None:
        """Send and fetch now."""
        self.call(name, "Sync", control_pb2.SyncRequest())


@contextlib.contextmanager
def watched_federation(directory: Path) -> Iterator[Watched]:
    """Start it under `directory`, which is made, and have each node import, send and fetch; it ends with the block."""
    names = (
        *(f"evaluator-{index}" for index in range(1, EVALUATORS + 1)),
        "registry",
        *(f"node-{member}" for member in MEMBERS),
        f"reader-{READER}",
    )
    registry_port, *ports = free_ports(1 + EVALUATORS + len(names))
    federation = throwaway.dev(
        directory,
        [throwaway.DevMember(member) for member in MEMBERS],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(registry_port, tuple(ports[:EVALUATORS])),
        clock="system",
    )
    metrics = {name: f"127.0.0.1:{port}" for name, port in zip(names, ports[EVALUATORS:], strict=True)}
    for name, address in metrics.items():
        _set(directory / name / "config.toml", "metrics_listen", address)
    with Supervisor() as supervisor:
        parties = {name: _start(supervisor, directory / name) for name in names}
        daemons = [party for name, party in parties.items() if not name.startswith("reader")]
        supervisor.wait_until(_listens, daemons, seconds=READY_SECONDS)
        running = Watched(federation, supervisor, parties, metrics)
        for place, member in enumerate(MEMBERS):
            node, first = f"node-{member}", place * ROSTER
            roster = [person(first + each) for each in range(ROSTER)]
            running.take(node, roster)
            # Who comes after the first import is looked for among the others, and so has to be said to them.
            began = enrolment(start=(_today() - timedelta(days=1)).isoformat())
            newcomers = [person(900 + first + each, began) for each in range(NEWCOMERS)]
            running.take(node, [*roster, *newcomers])
            running.sync(node)
        running.call("registry", "Evaluate", control_pb2.EvaluateRequest())
        for member in MEMBERS:
            running.sync(f"node-{member}")
        supervisor.wait_until(lambda party: _shows(metrics[party.name]), [parties[f"reader-{READER}"]])
        yield running


def _start(supervisor: Supervisor, home: Path) -> Party:
    role, settings = home.name.partition("-")[0], str(home / "config.toml")
    command = (
        ("dashboard", "--config", settings)
        if role == "reader"
        else (role, "migrate", "--config", settings, THEN, role, "serve", "--config", settings)
    )
    return supervisor.start(home.name, command, home, home / "data")


def _set(config: Path, key: str, value: str) -> None:
    changed, times = re.subn(rf'(?m)^{key} = ".*"$', f'{key} = "{value}"', config.read_text(encoding="utf-8"))
    assert times == 1, (config, key)
    config.write_text(changed, encoding="utf-8")


def _listens(party: Party) -> bool:
    return (party.data_dir / PORTS_NAME).exists() and control.socket_path(party.data_dir).exists()


def _shows(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5):
            return True
    except OSError:
        time.sleep(0.1)
        return False


def _today() -> date:
    return datetime.now(ZoneInfo(ZONE)).date()
