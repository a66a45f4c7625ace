"""Logs carry declared fields only; the operator's port serves three pages and no more."""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

import pytest
from prometheus_client import CollectorRegistry

from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log, Metrics
from federation.probes import ProbeServer

HAPPENED = Event("test_happened", ("count", "what", "day", "at"))
QUIET = Event("test_quiet", level=Level.DEBUG)


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_utc_time() -> None:
    stream = io.StringIO()
    log = Log(stream, party="upprop://node/0180-5561234567")
    at = datetime(2026, 10, 19, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    log(HAPPENED, count=3, what="a\nb", day=date(2026, 10, 19), at=at)
    (line,) = _lines(stream)
    written = line.pop("time")
    assert isinstance(written, str)
    assert written.endswith("+00:00")
    assert line == {
        "level": "info",
        "event": "test_happened",
        "party": "upprop://node/0180-5561234567",
        "count": 3,
        "what": "a\nb",
        "day": "2026-10-19",
        "at": "2026-10-19T12:30:00.000+00:00",
    }


def test_a_field_that_was_not_declared_is_refused() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="name"):
        Log(stream)(HAPPENED, name="Kim")
    assert stream.getvalue() == ""


def test_an_event_is_declared_once() -> None:
    with pytest.raises(ValueError, match="test_happened"):
        Event("test_happened")


@pytest.mark.parametrize("name", ["time", "level", "event"])
def test_no_field_takes_the_place_of_what_every_line_has(name: str) -> None:
    with pytest.raises(ValueError, match="which every line has"):
        Event("test_overwriting", (name,))


@pytest.mark.parametrize(
    "number", ["199801019807", "19980101-9807", "980101-9807", "980101+9807", "9801619807", "20130101TF01"]
)
def test_what_looks_like_an_identity_number_is_withheld(number: str) -> None:
    stream = io.StringIO()
    Log(stream)(HAPPENED, what=f"person {number} left")
    assert number not in stream.getvalue()
    assert _lines(stream)[0]["what"] == "withheld"


def test_levels_below_the_threshold_are_not_written() -> None:
    stream = io.StringIO()
    Log(stream, level="info")(QUIET)
    Log(stream, level="debug")(QUIET)
    assert len(_lines(stream)) == 1


class Probes:
    def __init__(self) -> None:
        self.ready = False
        self.metrics = Metrics(CollectorRegistry())
        self.server = ProbeServer(self.metrics.registry, lambda: self.ready)
        self.port = self.server.start("127.0.0.1:0")

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, body


@pytest.fixture
def probes() -> Iterator[Probes]:
    made = Probes()
    yield made
    made.server.stop()


def test_health_is_told_at_once_and_readiness_when_it_is_there(probes: Probes) -> None:
    assert probes.get("/healthz") == (200, "ok\n")
    assert probes.get("/readyz") == (503, "not ready\n")
    probes.ready = True
    assert probes.get("/readyz") == (200, "ready\n")


def test_metrics_bear_the_usual_names(probes: Probes) -> None:
    labels = ("unary", "federation.v1.RegistryService", "SubmitSignals")
    probes.metrics.rpc_started.labels(*labels).inc()
    probes.metrics.rpc_handled.labels(*labels, "OK").inc()
    probes.metrics.rpc_seconds.labels(*labels, "OK").observe(0.02)
    status, body = probes.get("/metrics")
    assert status == 200
    base = 'grpc_method="SubmitSignals",grpc_service="federation.v1.RegistryService",grpc_type="unary"'
    assert f"grpc_server_started_total{{{base}}} 1.0" in body
    coded = base.replace("grpc_method", 'grpc_code="OK",grpc_method')
    assert f"grpc_server_handled_total{{{coded}}} 1.0" in body
    assert f"grpc_server_handling_seconds_count{{{coded}}} 1.0" in body
    assert "upprop_build_info{" in body


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz/x", "/Healthz", "/debug", "/../metrics"])
def test_other_paths_are_not_found(probes: Probes, path: str) -> None:
    assert probes.get(path)[0] == 404


def test_other_methods_are_refused(probes: Probes) -> None:
    assert probes.get("/metrics", "POST")[0] == 405


def test_a_taken_port_is_named(probes: Probes) -> None:
    with pytest.raises(UppropError, match="metrics_listen") as refused:
        ProbeServer(CollectorRegistry(), lambda: True).start(f"127.0.0.1:{probes.port}")
    assert refused.value.code is Code.PORT_TAKEN
