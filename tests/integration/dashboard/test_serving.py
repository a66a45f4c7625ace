"""`upprop dashboard` as a process before a real registry: its start, what it refuses to be, its end."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from federation.errors import EXIT_CONFIGURATION, EXIT_PORT
from federation.runtime import PORTS_NAME
from federation.web.serving import bind
from registry.dashboard.observability import HEALTH
from registry.statistics import jsonstat
from registry.statistics.reading import Level
from tests.harness.http_face import HttpFace
from tests.harness.statistics_site import StatisticsSite, statistics_site

PROJECT = Path(__file__).resolve().parents[3]
ASKED = "/api/v2/tables/municipality-year/data?valueCodes[Region]=01*&valueCodes[Tid]=top(1)"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StatisticsSite]:
    with statistics_site(tmp_path_factory.mktemp("site") / "federation", dashboards=False) as running:
        yield running


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT)}


def _config(site: StatisticsSite, reader: str, name: str, *lines: str) -> Path:
    """The reader's settings with a data directory and a port of their own, and with these lines."""
    kept = [
        line
        for line in site.reader(reader).read_text(encoding="utf-8").splitlines()
        if not line.startswith(("http_listen", "data_dir", "calls"))
    ]
    listen = () if any(line.startswith("http_listen") for line in lines) else ('http_listen = "127.0.0.1:0"',)
    path = site.reader(reader).with_name(f"{name}.toml")
    path.write_text("\n".join([f'data_dir = "{name}"', *listen, *lines, *kept]), encoding="utf-8")
    return path


@contextlib.contextmanager
def _dashboard(config: Path) -> Iterator[tuple[subprocess.Popen[str], HttpFace, int]]:
    """The process, how to speak to it, and the port of its metrics."""
    ports = config.with_suffix("") / PORTS_NAME
    command = [sys.executable, "-m", "federation.cli", "dashboard", "--config", str(config)]
    with subprocess.Popen(command, env=_environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            give_up = time.monotonic() + 60
            while not ports.exists():
                assert process.poll() is None, process.stderr and process.stderr.read()
                assert time.monotonic() < give_up
                time.sleep(0.05)
            found = json.loads(ports.read_text(encoding="utf-8"))
            yield process, HttpFace(found["http"], io.StringIO()), found["metrics"]
        finally:
            process.kill()


def _stopped(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> list[dict[str, object]]:
    """What it logged, once it has ended by this signal with exit code 0."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return [json.loads(line) for line in errors.splitlines()]


def _queried(site: StatisticsSite, *arguments: str) -> bytes:
    config = str(site.reader("statistics"))
    command = [sys.executable, "-m", "federation.cli", "query", "--config", config, *arguments]
    return subprocess.run(command, env=_environment(), capture_output=True, timeout=60, check=True).stdout


def test_it_shows_to_each_what_its_reader_may_see(site: StatisticsSite) -> None:
    shown = {}
    for reader in ("public", "statistics"):
        with _dashboard(_config(site, reader, f"shows-{reader}")) as (process, http, _):
            assert http.ask("/healthz").content == b"ok\n"
            assert http.ask("/sv/").status == 200
            shown[reader] = http.ask(ASKED)
            _stopped(process)
    places = ",".join(jsonstat.parse(shown["statistics"].content).axes[0].codes)
    asked = ("--table", "municipality-year", "--format", "json-stat", "--select", f"Region={places}")
    assert shown["statistics"].content == _queried(site, *asked, "--select", "Tid=2026")
    assert shown["public"].content == _queried(site, *asked, "--select", "Tid=2026", "--public")
    levels = {name: jsonstat.parse(answer.content).disclosure.level for name, answer in shown.items()}
    assert levels == {"public": Level.PUBLIC, "statistics": Level.AUTHORITY}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_files_are_those_of_the_registry(site: StatisticsSite, form: str) -> None:
    with _dashboard(_config(site, "statistics", f"files-{form}", 'level = "public"')) as (process, http, _):
        first = http.ask(f"{ASKED}&outputFormat={form}")
        again = http.ask(f"{ASKED}&outputFormat={form}")
        _stopped(process)
    assert first.status == 200, first.content
    assert first.content == again.content
    assert first.headers["content-type"].startswith(
        {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument"}[form]
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_and_leaves_nothing(site: StatisticsSite, number: signal.Signals) -> None:
    config = _config(site, "public", f"stops-{number.name}")
    with _dashboard(config) as (process, http, metrics):
        assert http.ask("/api/v2/tables").status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as response:
            counted = response.read().decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/readyz", timeout=10) as response:
            assert response.read() == b"ready\n"
        # A connection that is kept open is no reason to wait.
        with contextlib.closing(HTTPConnection("127.0.0.1", http.port, timeout=10)) as kept:
            # Answered once, so that it is known and not still waiting to be taken.
            kept.request("GET", HEALTH)
            assert kept.getresponse().read() == b"ok\n"
            logged = _stopped(process, number)
    assert 'upprop_dashboard_answers_total{face="api",status="2xx"} 1.0' in counted
    assert [each["event"] for each in logged if each["event"] != "descriptor_accepted"] == [
        "unsafe_manual_clock",
        "dashboard_started",
        "dashboard_stopping",
        "dashboard_stopped",
    ]
    assert not (config.with_suffix("") / PORTS_NAME).exists()
    assert "127.0.0.1" not in json.dumps(logged)


def test_while_the_registry_is_away_what_was_answered_is_answered_still(site: StatisticsSite) -> None:
    with _dashboard(_config(site, "public", "away")) as (process, http, _):
        before = http.ask(ASKED)
        site.supervisor.kill(site.registry)
        try:
            assert http.ask(ASKED).content == before.content
            other = http.ask("/api/v2/tables/nation-month/data")
            assert (other.status, other.headers["content-type"]) == (503, "application/problem+json")
        finally:
            site.supervisor.restart(site.registry)
        _stopped(process)


@pytest.mark.parametrize(
    ("reader", "lines", "words"),
    [
        ("statistics", ('http_listen = "0.0.0.0:0"',), "role public"),
        ("oversight", ('http_listen = "[::]:0"',), "role public"),
        ("statistics", ('http_listen = "0.0.0.0:0"', 'level = "public"'), "role public"),
        ("public", ('http_listen = "0.0.0.0:0"',), 'clock = "manual"'),
        ("public", ('level = "authority"',), "has the role public"),
        ("public", ('http_listen = "nowhere"',), "is not an address"),
        ("public", ('public_url = "statistik.example.se"',), "public_url"),
        ("public", ("calls = 0",), "calls"),
        ("public", ('colour = "red"',), "colour"),
    ],
)
def test_a_face_that_would_show_too_much_does_not_start(
    site: StatisticsSite, reader: str, lines: tuple[str, ...], words: str
) -> None:
    config = _config(site, reader, "refused", *lines)
    command = [sys.executable, "-m", "federation.cli", "dashboard", "--config", str(config)]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == EXIT_CONFIGURATION, done.stderr
    assert words in done.stderr.splitlines()[-1]


def test_a_port_that_is_taken_is_said_so(site: StatisticsSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = _config(site, "public", "taken", f'http_listen = "127.0.0.1:{taken.getsockname()[1]}"')
        command = [sys.executable, "-m", "federation.cli", "dashboard", "--config", str(config)]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == EXIT_PORT
    assert "set http_listen to another port" in done.stderr


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_head() -> None:
    # asyncio sets TCP_NODELAY on what was accepted by a socket that says it is TCP.
    with contextlib.closing(bind("127.0.0.1:0")) as listening:
        assert listening.proto == socket.IPPROTO_TCP
