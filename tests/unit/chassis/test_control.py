"""The control socket: its owner's alone, one path with and without a daemon, partial handlers."""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation import control
from federation.clock import Clock, ManualClock, SystemClock
from federation.control import ControlServer, Handlers
from federation.errors import Code, UppropError
from federation.lock import DaemonLock
from federation.observability import Log, Metrics
from federation.v1.control_pb2 import (
    EvaluateReport,
    EvaluateRequest,
    EvaluateResponse,
    ImportRequest,
    Progress,
    SetTodayRequest,
    StatusRequest,
    StatusResponse,
)

ZONE = "Europe/Stockholm"


def _evaluate(_request: EvaluateRequest) -> Iterator[EvaluateResponse]:
    for done in range(3):
        yield EvaluateResponse(progress=Progress(step="closing", done=done, total=3))
    yield EvaluateResponse(report=EvaluateReport(closed_on="2026-10-19"))


class App:
    """A role that can tell its status and close a day."""

    def __init__(self, name: str = "hosted") -> None:
        self.name = name
        self.closings = 0

    @property
    def handlers(self) -> Handlers:
        return {"Status": lambda _request: StatusResponse(identity=self.name), "Evaluate": _evaluate}

    def close(self) -> None:
        self.closings += 1


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


Serve = Callable[..., Path]


@pytest.fixture
def serve(data_dir: Path, metrics: Metrics) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(app: App | None = None, clock: Clock | None = None, directory: Path = data_dir) -> Path:
            stack.enter_context(DaemonLock(directory))
            handlers = (app or App("daemon")).handlers
            server = ControlServer(directory, handlers, clock=clock, metrics=metrics, log=Log(io.StringIO()))
            path = server.start()
            stack.callback(server.stop, 0)
            return path

        yield start


def test_the_socket_is_its_owners_alone(serve: Serve, data_dir: Path) -> None:
    before = os.umask(0)
    try:
        path = serve()
    finally:
        os.umask(before)
    assert path.parent == data_dir
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_answers_and_streams_arrive(serve: Serve, data_dir: Path) -> None:
    serve()
    with control.connect(data_dir) as stub:
        assert stub.Status(StatusRequest()).identity == "daemon"
        responses = list(stub.Evaluate(EvaluateRequest()))
    assert [each.progress.done for each in responses[:-1]] == [0, 1, 2]
    assert responses[-1].report.closed_on == "2026-10-19"


def test_what_a_role_does_not_have_is_said_plainly(serve: Serve, data_dir: Path) -> None:
    serve()
    with control.connect(data_dir) as stub, pytest.raises(UppropError) as refused:
        list(stub.Import(ImportRequest()))
    assert refused.value.code is Code.NOT_SUPPORTED
    assert "Import" in refused.value.sentence


def test_an_error_in_the_middle_of_a_stream_arrives(serve: Serve, data_dir: Path) -> None:
    class Failing(App):
        @property
        def handlers(self) -> Handlers:
            def evaluate(_request: Any) -> Iterator[EvaluateResponse]:
                yield EvaluateResponse(progress=Progress(done=1))
                raise UppropError(Code.STORE_LOCKED, "Busy.")

            return {"Evaluate": evaluate}

    serve(Failing())
    seen: list[EvaluateResponse] = []
    with control.connect(data_dir) as stub, pytest.raises(UppropError) as refused:
        seen.extend(stub.Evaluate(EvaluateRequest()))
    assert (refused.value.code, refused.value.sentence) == (Code.STORE_LOCKED, "Busy.")


def test_the_business_date_is_set_under_a_manual_clock_alone(serve: Serve, data_dir: Path) -> None:
    clock = ManualClock(ZONE, date(2026, 8, 1))
    serve(clock=clock)
    with control.connect(data_dir) as stub:
        stub.SetToday(SetTodayRequest(today="2026-10-19"))
        with pytest.raises(UppropError) as refused:
            stub.SetToday(SetTodayRequest(today="tomorrow"))
    assert clock.today() == date(2026, 10, 19)
    assert refused.value.code is Code.REQUEST_INVALID


def test_the_business_date_of_a_system_clock_cannot_be_set(serve: Serve, data_dir: Path) -> None:
    serve(clock=SystemClock(ZONE))
    with control.connect(data_dir) as stub, pytest.raises(UppropError) as refused:
        stub.SetToday(SetTodayRequest(today="2026-10-19"))
    assert refused.value.code is Code.CLOCK_NOT_MANUAL


def test_a_long_data_directory_has_a_socket_too(serve: Serve, tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 120)
    path = serve(directory=directory)
    assert len(os.fsencode(path)) <= control.LONGEST_SOCKET_PATH
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with control.connect(directory) as stub:
        assert stub.Status(StatusRequest()).identity == "daemon"


def test_whoever_waits_finds_a_socket_that_turns_up_elsewhere(serve: Serve, tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 120)
    starting = threading.Timer(0.3, lambda: serve(directory=directory))
    starting.start()
    with control.connect(directory) as stub:
        assert stub.Status(StatusRequest()).identity == "daemon"
    starting.join()


def test_a_stopped_server_leaves_nothing(data_dir: Path, tmp_path: Path, metrics: Metrics) -> None:
    for directory in (data_dir, tmp_path / ("d" * 120)):
        server = ControlServer(directory, {}, clock=None, metrics=metrics, log=Log(io.StringIO()))
        path = server.start()
        server.stop(0)
        assert not path.exists()
        assert not list(directory.iterdir())
        assert path.parent == directory or not path.parent.exists()


def test_a_socket_left_by_a_killed_daemon_is_no_hindrance(serve: Serve, data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700)
    (data_dir / control.SOCKET_NAME).write_bytes(b"")
    serve()
    with control.connect(data_dir) as stub:
        assert stub.Status(StatusRequest()).identity == "daemon"


def test_handlers_of_methods_that_are_not_there_fail_the_start(data_dir: Path, metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="Statsu"):
        ControlServer(data_dir, {"Statsu": lambda _: None}, clock=None, metrics=metrics, log=Log(io.StringIO()))


def test_a_session_hosts_the_app_where_no_daemon_runs(data_dir: Path) -> None:
    app = App()
    with control.session(data_dir, lambda: app) as stub:
        assert stub.Status(StatusRequest()).identity == "hosted"
        assert app.closings == 0
        with pytest.raises(UppropError):
            DaemonLock(data_dir).acquire()
    assert app.closings == 1
    with DaemonLock(data_dir):
        assert not (data_dir / control.SOCKET_NAME).exists()


def test_a_session_speaks_to_the_daemon_where_one_runs(serve: Serve, data_dir: Path) -> None:
    serve()
    with control.session(data_dir, lambda: pytest.fail("a second app was built")) as stub:
        assert stub.Status(StatusRequest()).identity == "daemon"


def test_a_session_frees_everything_when_the_app_cannot_be_built(data_dir: Path) -> None:
    def fail() -> App:
        raise UppropError(Code.SCHEMA_OUTDATED, "Migrate.")

    session = control.session(data_dir, fail)
    with pytest.raises(UppropError) as refused:
        session.__enter__()
    assert refused.value.code is Code.SCHEMA_OUTDATED
    with DaemonLock(data_dir):
        assert not (data_dir / control.SOCKET_NAME).exists()


def test_a_lock_without_a_daemon_behind_it_is_given_up_on(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "READY_SECONDS", 0.1)

    session = control.session(data_dir, App)
    with DaemonLock(data_dir), pytest.raises(UppropError) as refused:
        session.__enter__()
    assert refused.value.code is Code.PEER_UNREACHABLE
