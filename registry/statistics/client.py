"""A reader's calls to the registry.

Invariants
    - What comes back is parsed here or refused; nothing generated leaves this module.
    - Where one address of the registry does not answer, the next one is asked: every question may be asked twice, since
      a further question is paid for once however often it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from types import TracebackType
from typing import TypeVar

from federation.clock import Clock
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.observability import Metrics
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.rpc.peers import Peers, at_any
from federation.tls import ChannelCredentials
from federation.v1 import statistics_pb2
from federation.v1.registry_pb2 import Envelope
from federation.v1.statistics_pb2_grpc import StatisticsServiceStub
from federation.web.i18n import Language
from registry.statistics.catalogue import ReleaseKind
from registry.statistics.reading import (
    Asked,
    CodeList,
    Dimension,
    Document,
    Format,
    Level,
    NamedCode,
    Pending,
    Release,
    Releases,
    Selection,
    Spend,
    TableInfo,
    TableSummary,
    Upcoming,
    YearBudget,
)

DEADLINE = 20.0
"""Seconds for one attempt: the largest table is rendered in far less."""

ATTEMPTS = 2
"""At each address: somebody waits for the answer."""

_LANGUAGES = {Language.SWEDISH: statistics_pb2.LANGUAGE_SV, Language.ENGLISH: statistics_pb2.LANGUAGE_EN}
_LEVELS = {Level.AUTHORITY: statistics_pb2.LEVEL_AUTHORITY, Level.PUBLIC: statistics_pb2.LEVEL_PUBLIC}
_FORMATS = {
    Format.JSON_STAT2: statistics_pb2.FORMAT_JSON_STAT2,
    Format.CSV: statistics_pb2.FORMAT_CSV,
    Format.XLSX: statistics_pb2.FORMAT_XLSX,
}
_KINDS = {
    statistics_pb2.RELEASE_KIND_MONTH: ReleaseKind.MONTH,
    statistics_pb2.RELEASE_KIND_YEAR: ReleaseKind.YEAR,
    statistics_pb2.RELEASE_KIND_CLOSED: ReleaseKind.CLOSED,
}

T = TypeVar("T")


class StatisticsClient:
    """The registry as a reader sees it; a `Source`. Safe to use from several threads."""

    def __init__(
        self,
        descriptors: DescriptorStore,
        credentials: ChannelCredentials,
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self._descriptors = descriptors
        self._clock = clock
        self._peers = Peers(credentials, metrics)

    def tables(self, language: Language) -> tuple[TableSummary, ...]:
        request = statistics_pb2.ListTablesRequest(envelope=self._envelope(), language=_LANGUAGES[language])
        response = self._call(lambda peer, stub: peer.call(stub.ListTables, request, DEADLINE, attempts=ATTEMPTS))
        return tuple(map(_summary, response.tables))

    def table(self, table_id: str, language: Language) -> TableInfo:
        request = statistics_pb2.GetTableRequest(
            envelope=self._envelope(), table_id=table_id, language=_LANGUAGES[language]
        )
        response = self._call(lambda peer, stub: peer.call(stub.GetTable, request, DEADLINE, attempts=ATTEMPTS))
        return TableInfo(
            summary=_summary(response.summary),
            dimensions=tuple(map(_dimension, response.dimensions)),
            unit=response.unit,
            mechanism=response.mechanism,
            nano_rho=response.nano_rho,
            notes=tuple(response.notes),
        )

    def data(
        self, table_id: str, selections: tuple[Selection, ...], level: Level, form: Format, language: Language
    ) -> Document | Pending:
        request = statistics_pb2.QueryTableRequest(
            envelope=self._envelope(),
            table_id=table_id,
            selections=[
                statistics_pb2.Selection(
                    dimension=each.dimension, codes=each.codes, code_list_id=each.code_list_id or ""
                )
                for each in selections
            ],
            level=_LEVELS[level],
            format=_FORMATS[form],
            language=_LANGUAGES[language],
        )
        response = self._call(lambda peer, stub: peer.call(stub.QueryTable, request, DEADLINE, attempts=ATTEMPTS))
        match response.WhichOneof("answer"):
            case "document":
                document = response.document
                return Document(document.content, document.media_type, tuple(document.release_ids))
            case "pending":
                return Pending(response.pending.query_id, max(1, response.pending.ask_again_seconds))
            case _:
                raise _unfit()

    def releases(self) -> Releases:
        request = statistics_pb2.ListReleasesRequest(envelope=self._envelope())
        response = self._call(lambda peer, stub: peer.call(stub.ListReleases, request, DEADLINE, attempts=ATTEMPTS))
        return Releases(tuple(map(_release, response.releases)), tuple(map(_upcoming, response.upcoming)))

    def budget(self) -> tuple[YearBudget, ...]:
        request = statistics_pb2.GetBudgetRequest(envelope=self._envelope())
        response = self._call(lambda peer, stub: peer.call(stub.GetBudget, request, DEADLINE, attempts=ATTEMPTS))
        return tuple(map(_year, response.years))

    def asked(self) -> tuple[Asked, ...]:
        request = statistics_pb2.ListMyQueriesRequest(envelope=self._envelope())
        response = self._call(lambda peer, stub: peer.call(stub.ListMyQueries, request, DEADLINE, attempts=ATTEMPTS))
        return tuple(map(_asked, response.queries))

    def close(self) -> None:
        self._peers.close()

    def __enter__(self) -> StatisticsClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _envelope(self) -> Envelope:
        return make_envelope(self._clock, self._descriptors.current())

    def _call(self, ask: Callable[[Peer, StatisticsServiceStub], T]) -> T:
        named = [(each.identity, each.address) for each in self._descriptors.current().registries]
        self._peers.forget_others(named)
        return at_any(self._peers.at(named), lambda peer: ask(peer, StatisticsServiceStub(peer.channel)))


def _unfit() -> UppropError:
    return UppropError(
        Code.NOT_SUPPORTED, "The registry's answer is not understood; it may be newer. Upgrade this installation."
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _unfit() from error


def _kind(message: statistics_pb2.ReleaseKind.ValueType) -> ReleaseKind:
    try:
        return _KINDS[message]
    except KeyError as error:
        raise _unfit() from error


def _summary(message: statistics_pb2.TableSummary) -> TableSummary:
    return TableSummary(
        table_id=message.table_id,
        label=message.label,
        description=message.description,
        dimensions=tuple(message.dimensions),
        first_period=message.first_period or None,
        last_period=message.last_period or None,
        updated=_date(message.updated) if message.updated else None,
    )


def _dimension(message: statistics_pb2.Dimension) -> Dimension:
    return Dimension(
        name=message.name,
        label=message.label,
        role=message.role,
        codes=tuple(NamedCode(each.code, each.label) for each in message.codes),
        code_lists=tuple(CodeList(each.code_list_id, each.label, tuple(each.codes)) for each in message.code_lists),
    )


def _selections(messages: Iterable[statistics_pb2.Selection]) -> tuple[Selection, ...]:
    return tuple(Selection(each.dimension, tuple(each.codes), each.code_list_id or None) for each in messages)


def _release(message: statistics_pb2.Release) -> Release:
    return Release(
        release_id=message.release_id,
        kind=_kind(message.kind),
        period=message.period,
        drawn_on=_date(message.drawn_on),
        table_ids=tuple(message.table_ids),
        mechanism=message.mechanism,
        library=message.library,
        profile=message.profile,
        current_members=message.current_members,
        silent=tuple(message.silent),
    )


def _upcoming(message: statistics_pb2.UpcomingRelease) -> Upcoming:
    return Upcoming(_kind(message.kind), message.period, _date(message.due_on))


def _year(message: statistics_pb2.YearBudget) -> YearBudget:
    return YearBudget(
        year=message.year,
        profile=message.profile,
        cap_nano_rho=message.cap_nano_rho,
        spent_nano_rho=message.spent_nano_rho,
        spends=tuple(Spend(each.purpose, each.nano_rho, _date(each.spent_on)) for each in message.spends),
        role_left_nano_rho=message.role_left_nano_rho,
        caller_left_nano_rho=message.caller_left_nano_rho,
    )


def _asked(message: statistics_pb2.AskedQuery) -> Asked:
    return Asked(
        query_id=message.query_id,
        table_id=message.table_id,
        selections=_selections(message.selections),
        asked_on=_date(message.asked_on),
        nano_rho=message.nano_rho,
        answered=message.answered,
    )
