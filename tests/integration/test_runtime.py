"""A daemon's life: real processes and sockets."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from federation import coarse, control, runtime, throwaway
from federation.control import Handlers
from federation.database import Database
from federation.descriptor_store import DescriptorStore
from federation.errors import EXIT_STORE, Code, UppropError
from federation.lock import DaemonLock
from federation.observability import Log, Metrics
from federation.rpc.authorisation import Rule
from federation.rpc.server import Binding
from federation.runtime import Daemon, LocalServer, PageServer, Worker, make_clock
from federation.settings import DaemonSettings, load
from federation.tls import OwnIdentity
from federation.v1.control_pb2 import StatusRequest
from tests.conftest import MakeFederation
from tests.harness.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]


class NodeSettings(DaemonSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    record_key: Path


@dataclass
class App:
    services: Sequence[Binding] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    handlers: Handlers = field(default_factory=dict)
    workers: Sequence[Worker] = ()
    local_servers: Sequence[LocalServer] = ()
    page_servers: Sequence[PageServer] = ()
    closings: int = 0

    def close(self) -> None:
        self.closings += 1


class Running:
    """A node's daemon inside this process."""

    def __init__(self, config: Path, app: App, **changes: Any) -> None:
        self.settings = msgspec.structs.replace(load(config, NodeSettings), **changes)
        self.log = io.StringIO()
        log = Log(self.log)
        descriptors = DescriptorStore.of(self.settings, log)
        self.metrics = Metrics(CollectorRegistry())
        self.daemon = Daemon(
            self.settings,
            lambda: app,
            clock=make_clock(self.settings, descriptors),
            metrics=self.metrics,
            log=log,
            descriptors=descriptors,
            own=OwnIdentity.of(self.settings, descriptors),
        )

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.getvalue().splitlines()]

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.ports["metrics"], timeout=10)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture
def federation(make_federation: MakeFederation) -> throwaway.DevFederation:
    return make_federation("0180", clock="system")


Run = Callable[..., Running]


@pytest.fixture
def run(federation: throwaway.DevFederation) -> Iterator[Run]:
    with ExitStack() as stack:

        def start(app: App | None = None, **changes: Any) -> Running:
            running = Running(federation.node("0180"), app or App(), **changes)
            running.daemon.start()
            stack.callback(running.daemon.stop)
            return running

        yield start


def test_a_started_daemon_says_where_it_listens_and_is_ready(run: Run) -> None:
    running = run()
    ports = json.loads((running.settings.data_dir / "ports.json").read_text(encoding="utf-8"))
    assert ports == running.daemon.ports
    assert running.get("/readyz") == 200
    with control.connect(running.settings.data_dir) as stub:
        assert stub.Status(StatusRequest()).identity == "upprop://node/0180"


@dataclass
class StoringApp(App):
    database: Database | None = None


def test_a_daemon_whose_store_does_not_answer_is_not_ready_until_it_does(run: Run, tmp_path: Path) -> None:
    database = Database(tmp_path / "store.sqlite")
    running = run(StoringApp(database=database))
    assert running.get("/readyz") == 200
    assert running.metrics.registry.get_sample_value("upprop_ready") == 1
    (unused,) = free_ports(1)
    away = Database(f"postgresql://nobody@127.0.0.1:{unused}/nothing")
    running.daemon.stop()
    running = run(StoringApp(database=away))
    assert running.get("/healthz") == 200
    assert running.get("/readyz") == 503
    assert running.metrics.registry.get_sample_value("upprop_ready") == 0
    away.close()
    database.close()


def test_a_daemon_shows_its_disk_and_its_certificate(run: Run) -> None:
    running = run()
    shown = running.metrics.registry.get_sample_value
    free, size = shown("upprop_data_directory_free_bytes"), shown("upprop_data_directory_size_bytes")
    issued = shown("upprop_certificate_issued_timestamp_seconds")
    expires = shown("upprop_certificate_expires_timestamp_seconds")
    assert free is not None
    assert size is not None
    assert 0 < free < size
    assert issued is not None
    assert expires is not None
    assert issued < time.time() < expires
    assert shown("upprop_descriptor_offered_serial") == 0


def test_a_disk_that_a_case_more_has_grown_by_a_page_shows_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coarse, "drawn_secret", lambda: bytes(coarse.SECRET_BYTES))
    size, page, free = 10 * 2**30, 4096, 0
    monkeypatch.setattr("federation.runtime.shutil.disk_usage", lambda _path: SimpleNamespace(total=size, free=free))
    metrics = Metrics(CollectorRegistry())
    runtime.watch_disk(metrics, tmp_path)

    def shown(of: int) -> float:
        nonlocal free
        free = of
        value = metrics.registry.get_sample_value("upprop_data_directory_free_bytes")
        assert value is not None
        assert abs(value - of) < size / runtime.DISK_STEPS
        return value

    assert len({shown(size // 3 - pages * page) for pages in range(200)}) == 1
    assert (shown(0), shown(size)) == (0, size)
    assert len({shown(size // 1000 * part) for part in range(1001)}) > runtime.DISK_STEPS // 2


def test_a_stopped_daemon_leaves_nothing(run: Run) -> None:
    app = App()
    before = threading.active_count()
    running = run(app)
    running.daemon.stop()
    running.daemon.stop()
    assert app.closings == 1
    assert {path.name for path in running.settings.data_dir.iterdir()} == {"daemon.lock", "descriptor.seen"}
    with DaemonLock(running.settings.data_dir), pytest.raises(OSError, match="refused"):
        running.get("/healthz")
    assert threading.active_count() == before
    assert running.events()[-1] == "daemon_stopped"


def test_a_start_that_fails_leaves_nothing(run: Run, federation: throwaway.DevFederation) -> None:
    app = App()
    taken = run()
    other = Running(
        federation.node("0180"),
        app,
        data_dir=taken.settings.data_dir.parent / "other",
        metrics_listen=f"127.0.0.1:{taken.daemon.ports['metrics']}",
    )
    with pytest.raises(UppropError) as refused:
        other.daemon.start()
    assert refused.value.code is Code.PORT_TAKEN
    assert app.closings == 1
    with DaemonLock(other.settings.data_dir):
        assert not (other.settings.data_dir / "ports.json").exists()


def test_a_second_daemon_on_the_same_data_is_refused_and_builds_nothing(
    run: Run, federation: throwaway.DevFederation
) -> None:
    run()
    other = Running(federation.node("0180"), App())
    with pytest.raises(UppropError) as refused:
        other.daemon.start()
    assert refused.value.code is Code.STORE_LOCKED


def test_a_worker_runs_again_and_again_whatever_happens(run: Run) -> None:
    """A bad run is counted and logged without what the exception says."""
    done = threading.Event()
    runs = 0

    def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise UppropError(Code.PEER_UNREACHABLE, "Later.")
        if runs == 2:
            raise ValueError("199801019807")
        if runs == 3:
            done.set()

    running = run(App(workers=[Worker("poll", 0.01, work)]))
    assert done.wait(30)
    running.daemon.stop()
    assert {"worker_refused", "worker_failed"} <= set(running.events())
    assert "9801019807" not in running.log.getvalue()
    value = running.metrics.registry.get_sample_value
    assert value("upprop_worker_runs_total", {"worker": "poll", "outcome": "failed"}) == 2


def test_a_manual_clock_warns_and_stops_workers(run: Run) -> None:
    worked = threading.Event()
    running = run(App(workers=[Worker("poll", 0.001, worked.set)]), clock="manual", today=date(2026, 10, 19))
    assert "unsafe_manual_clock" in running.events()
    with control.connect(running.settings.data_dir) as stub:
        assert stub.Status(StatusRequest()).business_date == "2026-10-19"
    assert not worked.wait(0.3)
    assert not any(thread.name == "poll" for thread in threading.enumerate())


@pytest.mark.parametrize("key", ["listen", "metrics_listen"])
@pytest.mark.parametrize("address", ["0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.org:0"])
def test_a_manual_clock_is_refused_beyond_loopback(federation: throwaway.DevFederation, key: str, address: str) -> None:
    changes: dict[str, Any] = {"clock": "manual", key: address}
    running = Running(federation.node("0180"), App(), **changes)
    with pytest.raises(UppropError, match="loopback") as refused:
        running.daemon.start()
    assert refused.value.code is Code.CONFIG_INVALID


# --- processes -----------------------------------------------------------------------------------------------------


def upprop(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "federation.cli", *map(str, arguments)]


def start_registry(federation: throwaway.DevFederation) -> subprocess.Popen[str]:
    config = federation.registry
    subprocess.run(upprop("registry", "migrate", "--config", config), cwd=ROOT, check=True, capture_output=True)
    process = subprocess.Popen(
        upprop("registry", "serve", "--config", config),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    ports = config.parent / "data" / "ports.json"
    give_up = time.monotonic() + 60
    while not ports.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_the_process_and_leaves_nothing(
    federation: throwaway.DevFederation, number: signal.Signals
) -> None:
    process = start_registry(federation)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    events = [json.loads(line)["event"] for line in errors.splitlines()]
    # The process can be told to stop the moment its ports are known, which is before it says that it has started.
    assert "daemon_stopping" in events
    assert events[-1] == "daemon_stopped"
    data = federation.registry.parent / "data"
    assert not {"ports.json", control.SOCKET_NAME} & {path.name for path in data.iterdir()}


def test_a_second_process_on_the_same_data_is_refused(federation: throwaway.DevFederation) -> None:
    process = start_registry(federation)
    try:
        second = subprocess.run(
            upprop("registry", "serve", "--config", federation.registry), cwd=ROOT, capture_output=True, text=True
        )
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert second.returncode == EXIT_STORE
    assert "STORE_LOCKED" in second.stderr


def test_a_killed_process_does_not_hinder_the_next(federation: throwaway.DevFederation) -> None:
    process = start_registry(federation)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    data = federation.registry.parent / "data"
    (data / "ports.json").unlink()
    again = start_registry(federation)
    with control.connect(data) as stub:
        assert stub.Status(StatusRequest()).identity == "upprop://registry/a"
    again.terminate()
    again.communicate(timeout=60)
    assert again.returncode == 0


def test_what_libraries_say_is_not_repeated() -> None:
    """Run apart, since it changes the whole process: a library's words and a thread's death become declared events."""
    program = """
import io, logging, sys, threading, warnings
from federation.observability import Log, capture_libraries
stream = io.StringIO()
capture_libraries(Log(stream))
logging.getLogger("library").warning("person 199801019807")
warnings.warn("person 199801019807")
try:
    raise ValueError("person 199801019807")
except ValueError:
    logging.getLogger("library").exception("failed")
def die():
    raise ValueError("person 199801019807")
thread = threading.Thread(target=die)
thread.start()
thread.join()
print(stream.getvalue(), end="")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert "9801019807" not in done.stdout + done.stderr
    assert [line["event"] for line in lines] == ["library_message"] * 3 + ["thread_failed"]
    assert [line.get("logger") for line in lines[:2]] == ["library", "py.warnings"]
    assert lines[2]["exception"] == "ValueError"
