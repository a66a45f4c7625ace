"""Messages of StatisticsService from and to values. Nothing generated goes further than here and `servicers`."""

from __future__ import annotations

from collections.abc import Iterable

from federation.errors import Code, UppropError
from federation.v1 import statistics_pb2
from federation.web.i18n import Language
from registry.statistics.catalogue import ReleaseKind
from registry.statistics.reading import (
    Asked,
    Dimension,
    Document,
    Format,
    Level,
    Pending,
    Releases,
    Selection,
    TableInfo,
    TableSummary,
    YearBudget,
)

MAX_SELECTIONS = 16
"""More than a table has dimensions."""

_LANGUAGES = {
    statistics_pb2.LANGUAGE_UNSPECIFIED: Language.SWEDISH,
    statistics_pb2.LANGUAGE_SV: Language.SWEDISH,
    statistics_pb2.LANGUAGE_EN: Language.ENGLISH,
}
_LEVELS = {statistics_pb2.LEVEL_AUTHORITY: Level.AUTHORITY, statistics_pb2.LEVEL_PUBLIC: Level.PUBLIC}
_FORMATS = {
    statistics_pb2.FORMAT_UNSPECIFIED: Format.JSON_STAT2,
    statistics_pb2.FORMAT_JSON_STAT2: Format.JSON_STAT2,
    statistics_pb2.FORMAT_CSV: Format.CSV,
    statistics_pb2.FORMAT_XLSX: Format.XLSX,
}
_KINDS = {
    ReleaseKind.MONTH: statistics_pb2.RELEASE_KIND_MONTH,
    ReleaseKind.YEAR: statistics_pb2.RELEASE_KIND_YEAR,
    ReleaseKind.CLOSED: statistics_pb2.RELEASE_KIND_CLOSED,
}


def parse_language(message: statistics_pb2.Language.ValueType) -> Language:
    """Swedish where none is named. Raises UppropError(REQUEST_INVALID)."""
    try:
        return _LANGUAGES[message]
    except KeyError as error:
        raise UppropError(Code.REQUEST_INVALID, "There is no such language. Ask for SV or EN.") from error


def parse_level(message: statistics_pb2.Level.ValueType) -> Level:
    """Raises UppropError(REQUEST_INVALID)."""
    try:
        return _LEVELS[message]
    except KeyError as error:
        raise UppropError(
            Code.REQUEST_INVALID, "State whose numbers you ask for: the level AUTHORITY, or PUBLIC."
        ) from error


def parse_format(message: statistics_pb2.Format.ValueType) -> Format:
    """JSON-stat where none is named. Raises UppropError(REQUEST_INVALID)."""
    try:
        return _FORMATS[message]
    except KeyError as error:
        raise UppropError(Code.REQUEST_INVALID, "There is no such format. Ask for JSON_STAT2, CSV or XLSX.") from error


def parse_selections(messages: Iterable[statistics_pb2.Selection]) -> tuple[Selection, ...]:
    """Raises UppropError(REQUEST_INVALID)."""
    selections = tuple(Selection(each.dimension, tuple(each.codes), each.code_list_id or None) for each in messages)
    if len(selections) > MAX_SELECTIONS:
        raise UppropError(Code.REQUEST_INVALID, "No table has so many dimensions. GetTable names those that there are.")
    return selections


def tables(summaries: Iterable[TableSummary]) -> statistics_pb2.ListTablesResponse:
    return statistics_pb2.ListTablesResponse(tables=map(_summary, summaries))


def table(info: TableInfo) -> statistics_pb2.GetTableResponse:
    return statistics_pb2.GetTableResponse(
        summary=_summary(info.summary),
        dimensions=map(_dimension, info.dimensions),
        unit=info.unit,
        mechanism=info.mechanism,
        nano_rho=info.nano_rho,
        notes=info.notes,
    )


def answer(answered: Document | Pending) -> statistics_pb2.QueryTableResponse:
    if isinstance(answered, Pending):
        return statistics_pb2.QueryTableResponse(
            pending=statistics_pb2.Pending(query_id=answered.query_id, ask_again_seconds=answered.ask_again_seconds)
        )
    return statistics_pb2.QueryTableResponse(
        document=statistics_pb2.Document(
            content=answered.content, media_type=answered.media_type, release_ids=answered.release_ids
        )
    )


def releases(listed: Releases) -> statistics_pb2.ListReleasesResponse:
    return statistics_pb2.ListReleasesResponse(
        releases=[
            statistics_pb2.Release(
                release_id=each.release_id,
                kind=_KINDS[each.kind],
                period=each.period,
                drawn_on=each.drawn_on.isoformat(),
                table_ids=each.table_ids,
                mechanism=each.mechanism,
                library=each.library,
                profile=each.profile,
                current_members=each.current_members,
                silent=each.silent,
            )
            for each in listed.drawn
        ],
        upcoming=[
            statistics_pb2.UpcomingRelease(kind=_KINDS[each.kind], period=each.period, due_on=each.due_on.isoformat())
            for each in listed.upcoming
        ],
    )


def budget(years: Iterable[YearBudget]) -> statistics_pb2.GetBudgetResponse:
    return statistics_pb2.GetBudgetResponse(
        years=[
            statistics_pb2.YearBudget(
                year=each.year,
                profile=each.profile,
                cap_nano_rho=each.cap_nano_rho,
                spent_nano_rho=each.spent_nano_rho,
                spends=[
                    statistics_pb2.Spend(
                        purpose=spend.purpose, nano_rho=spend.nano_rho, spent_on=spend.spent_on.isoformat()
                    )
                    for spend in each.spends
                ],
                role_left_nano_rho=each.role_left_nano_rho,
                caller_left_nano_rho=each.caller_left_nano_rho,
            )
            for each in years
        ]
    )


def asked(queries: Iterable[Asked]) -> statistics_pb2.ListMyQueriesResponse:
    return statistics_pb2.ListMyQueriesResponse(
        queries=[
            statistics_pb2.AskedQuery(
                query_id=each.query_id,
                table_id=each.table_id,
                selections=[
                    statistics_pb2.Selection(dimension=selection.dimension, codes=selection.codes)
                    for selection in each.selections
                ],
                asked_on=each.asked_on.isoformat(),
                nano_rho=each.nano_rho,
                answered=each.answered,
            )
            for each in queries
        ]
    )


def _summary(summary: TableSummary) -> statistics_pb2.TableSummary:
    return statistics_pb2.TableSummary(
        table_id=summary.table_id,
        label=summary.label,
        description=summary.description,
        dimensions=summary.dimensions,
        first_period=summary.first_period or "",
        last_period=summary.last_period or "",
        updated="" if summary.updated is None else summary.updated.isoformat(),
    )


def _dimension(dimension: Dimension) -> statistics_pb2.Dimension:
    return statistics_pb2.Dimension(
        name=dimension.name,
        label=dimension.label,
        role=dimension.role,
        codes=[statistics_pb2.DimensionCode(code=each.code, label=each.label) for each in dimension.codes],
        code_lists=[
            statistics_pb2.CodeList(code_list_id=each.code_list_id, label=each.label, codes=each.codes)
            for each in dimension.code_lists
        ],
    )
