"""The statistics' service with its readers over mutual TLS, in this process; its workers are turned by hand."""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from types import FrameType
from typing import Any, TypeVar

import grpc
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from federation import identity, throwaway
from federation.clock import ManualClock
from federation.database import Database
from federation.descriptor import Descriptor, Reader
from federation.observability import Log, Metrics
from federation.rpc.authorisation import Authoriser
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.rpc.server import RpcServer
from federation.tls import ChannelCredentials, server_credentials
from federation.v1 import statistics_pb2
from federation.v1.statistics_pb2_grpc import StatisticsServiceStub
from registry.statistics import servicers
from registry.statistics.asking import Asking
from registry.statistics.desk import Desk
from registry.statistics.releasing import Releasing
from registry.statistics.servicers import StatisticsServicer
from tests.harness.ports import free_ports
from tests.integration.rpc_parties import Party

TODAY = date(2027, 2, 20)
"""The children of 2026 are released by month and year, and kept until 2028: further questions can be asked."""

NEWEST = TODAY - timedelta(days=1)

READERS = (
    throwaway.DevReader("analyst", "statistics"),
    throwaway.DevReader("colleague", "statistics"),
    throwaway.DevReader("oversight", "oversight"),
    throwaway.DevReader("public", "public"),
)

Asked = statistics_pb2.QueryTableRequest
T = TypeVar("T")


def asks(table: str, level: str = "AUTHORITY", form: str = "JSON_STAT2", /, **codes: str) -> Asked:
    """A question; each dimension's codes with blanks between them."""
    return Asked(
        table_id=table,
        selections=[statistics_pb2.Selection(dimension=name, codes=value.split()) for name, value in codes.items()],
        level=statistics_pb2.Level.Value(f"LEVEL_{level}"),
        format=statistics_pb2.Format.Value(f"FORMAT_{form}"),
    )


class Service:
    """What the registry runs of the statistics, on a store that is there. `descriptor` lists all municipalities."""

    def __init__(self, federation: throwaway.DevFederation, database: Database, descriptor: Descriptor) -> None:
        self.federation, self.database, self.nation = federation, database, descriptor
        self.clock = ManualClock("Europe/Stockholm", TODAY)
        self.releasing = Releasing(database, lambda: descriptor, self.clock, Log(level="error"))
        self.asking = Asking(database, lambda: descriptor, self.clock)
        own = Party(federation, "registry")
        # Every fourth question or so looks for a newer release, in every world the same ones.
        ticks = itertools.count(step=0.3)
        self.desk = Desk(database, self.asking, own.descriptors.current, self.clock, monotonic=ticks.__next__)
        self._server = RpcServer(
            [servicers.binding(StatisticsServicer(self.desk, self.clock, own.descriptors.current))],
            servicers.RULES,
            credentials=server_credentials(own.own()),
            authoriser=Authoriser(own.descriptors),
            metrics=Metrics(CollectorRegistry()),
            log=Log(io.StringIO()),
        )
        [port] = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self._server.start(self.address)
        self._peers: dict[str, Peer] = {}
        self._descriptors = own.descriptors

    def reader(self, name: str) -> Reader:
        """As the descriptor lists it."""
        return self._descriptors.current().reader(name)

    def stop(self) -> None:
        for peer in self._peers.values():
            peer.close()
        self._server.stop(0)

    def stub(self, reader: str) -> Any:
        if reader not in self._peers:
            party = Party(self.federation, f"reader-{reader}")
            self._peers[reader] = Peer(identity.registry("a"), self.address, ChannelCredentials(party.own()))
        # The channel underneath: refusals as they come over the wire, not as a client tells of them.
        return StatisticsServiceStub(self._peers[reader].channel.current())

    def call(self, reader: str, method: str, request: Any) -> bytes:
        """What comes back on the wire, refusals included."""
        request.envelope.CopyFrom(make_envelope(self.clock, self._descriptors.current()))
        try:
            answer: bytes = getattr(self.stub(reader), method)(request, timeout=30).SerializeToString()
        except grpc.RpcError as raised:
            error: Any = raised
            trailing = sorted((key, value) for key, value in error.trailing_metadata() or ())
            return repr((error.code(), error.details(), trailing)).encode()
        return answer

    def ask(self, reader: str, asked: Asked) -> statistics_pb2.QueryTableResponse:
        """The answer, or a grpc.RpcError."""
        asked.envelope.CopyFrom(make_envelope(self.clock, self._descriptors.current()))
        answer: statistics_pb2.QueryTableResponse = self.stub(reader).QueryTable(asked, timeout=30)
        return answer

    def refusal(self, reader: str, asked: Asked) -> grpc.StatusCode | None:
        try:
            self.ask(reader, asked)
        except grpc.RpcError as raised:
            error: Any = raised
            code: grpc.StatusCode = error.code()
            return code
        return None


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements that the store executes meanwhile."""
    executed: list[str] = []

    def note(*arguments: Any) -> None:
        executed.append(arguments[2])

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield executed
    sa.event.remove(database.engine, "before_cursor_execute", note)


def path(work: Callable[[], T]) -> tuple[T, tuple[int, ...]]:
    """What it returns, and which lines of this project's code it runs: the measure of time that no noise blurs."""
    lines: list[int] = []

    def local(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            lines.append(hash((frame.f_code.co_filename, frame.f_lineno)))
        return local

    def tracer(frame: FrameType, _event: str, _: object) -> Any:
        name = frame.f_code.co_filename
        return local if "/registry/" in name or "/privacy/" in name or "/federation/" in name else None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        returned = work()
    finally:
        sys.settrace(before)
    return returned, tuple(lines)
