"""StatisticsService: messages in, the desk, messages out.

Invariant: who asks is the certificate, and what it may ask is what the descriptor in force says of it, at every call.
"""

from __future__ import annotations

from collections.abc import Callable

import grpc

from federation.clock import Clock
from federation.descriptor import Descriptor, Reader
from federation.identity import Kind
from federation.rpc.authorisation import Rule
from federation.rpc.caller import Party, caller
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.v1 import statistics_pb2, statistics_pb2_grpc
from federation.v1.registry_pb2 import Envelope
from registry.statistics import wire
from registry.statistics.desk import Desk

SERVICE = statistics_pb2.DESCRIPTOR.services_by_name["StatisticsService"]

RULES = {f"{SERVICE.full_name}/{method.name}": Rule(frozenset({Kind.AUTHORITY})) for method in SERVICE.methods}


class StatisticsServicer(statistics_pb2_grpc.StatisticsServiceServicer):
    """StatisticsService."""

    def __init__(self, desk: Desk, clock: Clock, descriptors: Callable[[], Descriptor]) -> None:
        self._desk, self._clock, self._descriptors = desk, clock, descriptors

    def ListTables(  # noqa: N802 - the contract's name
        self,
        request: statistics_pb2.ListTablesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the caller is asked for by name
    ) -> statistics_pb2.ListTablesResponse:
        reader = self._reader(request.envelope)
        return wire.tables(self._desk.tables(reader, wire.parse_language(request.language)))

    def GetTable(  # noqa: N802 - the contract's name
        self,
        request: statistics_pb2.GetTableRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> statistics_pb2.GetTableResponse:
        reader = self._reader(request.envelope)
        return wire.table(self._desk.table(reader, request.table_id, wire.parse_language(request.language)))

    def QueryTable(  # noqa: N802 - the contract's name
        self,
        request: statistics_pb2.QueryTableRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> statistics_pb2.QueryTableResponse:
        answered = self._desk.data(
            self._reader(request.envelope),
            request.table_id,
            wire.parse_selections(request.selections),
            wire.parse_level(request.level),
            wire.parse_format(request.format),
            wire.parse_language(request.language),
        )
        return wire.answer(answered)

    def ListReleases(  # noqa: N802 - the contract's name
        self,
        request: statistics_pb2.ListReleasesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> statistics_pb2.ListReleasesResponse:
        self._reader(request.envelope)
        return wire.releases(self._desk.releases())

    def GetBudget(  # noqa: N802 - the contract's name
        self,
        request: statistics_pb2.GetBudgetRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> statistics_pb2.GetBudgetResponse:
        return wire.budget(self._desk.budget(self._reader(request.envelope)))

    def ListMyQueries(  # noqa: N802 - the contract's name
        self,
        request: statistics_pb2.ListMyQueriesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> statistics_pb2.ListMyQueriesResponse:
        return wire.asked(self._desk.asked(self._reader(request.envelope)))

    def _reader(self, envelope: Envelope) -> Reader:
        """Who asks. Raises UppropError: IDENTITY_UNLISTED for a certificate that the descriptor lists no more."""
        descriptor = self._descriptors()
        check_envelope(envelope, self._clock, descriptor)
        return descriptor.reader(caller(Party).identity.name)


def binding(servicer: StatisticsServicer) -> Binding:
    return Binding(SERVICE, servicer)
