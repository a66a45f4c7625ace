"""The evaluator as its own process: migrated, started, told the date, stopped; nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import control
from federation.migration import head
from federation.settings import load
from federation.v1 import control_pb2
from privacy.evaluator.settings import STORE_PACKAGE, EvaluatorSettings
from tests.conftest import MakeFederation

COMMAND = [sys.executable, "-m", "federation.cli", "evaluator"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings_path(make_federation: MakeFederation) -> Path:
    return make_federation("0180").evaluator(1)


@pytest.fixture
def process(settings_path: Path) -> Iterator[subprocess.Popen[str]]:
    run(settings_path, "migrate")
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", str(settings_path)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as started:
        yield started
        started.kill()


def run(settings_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments, "--config", str(settings_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )


def test_migrate_says_what_it_did(settings_path: Path) -> None:
    newest = head(STORE_PACKAGE)
    assert json.loads(run(settings_path, "migrate", "--json").stdout) == {"before": None, "after": newest}
    assert run(settings_path, "migrate").stdout == f"The database is up to date ({newest}).\n"


def test_status_is_told_without_a_running_daemon(settings_path: Path) -> None:
    run(settings_path, "migrate")
    assert json.loads(run(settings_path, "status", "--json").stdout)["identity"] == "upprop://evaluator/1"


def test_the_business_date_is_set_over_the_control_socket(settings_path: Path, process: subprocess.Popen[str]) -> None:
    data_dir = load(settings_path, EvaluatorSettings).data_dir
    give_up = time.monotonic() + 20
    while not control.socket_path(data_dir).exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    with control.connect(data_dir) as stub:
        stub.SetToday(control_pb2.SetTodayRequest(today="2027-01-15"))
        status = stub.Status(control_pb2.StatusRequest())
        assert (status.identity, status.business_date) == ("upprop://evaluator/1", "2027-01-15")
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0, log
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert events[-1] == "daemon_stopped"
    assert "unsafe_manual_clock" in events
    assert not control.socket_path(data_dir).exists()
