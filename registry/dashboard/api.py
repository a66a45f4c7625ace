"""The statistics in the manner of PxWebApi 2, for the tools that analysts have.

Invariants
    - The level is the face's; no question chooses it.
    - A GET never costs privacy. Where further questions are possible at all, they are asked by a POST of JSON, which
      no page of another site can send without being refused first.
    - What was released is given with an ETag of its content: the same question, the same bytes, the same tag.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from federation.observability import version
from federation.web.i18n import Language
from registry.dashboard import described, selecting
from registry.dashboard.problems import ProblemError
from registry.dashboard.selecting import Chosen
from registry.dashboard.settings import Face
from registry.dashboard.site import Site
from registry.statistics.catalogue import TableId
from registry.statistics.reading import Format, Level, Pending, TableInfo, TableSummary

API_VERSION = "2.0.0"
MAX_DATA_CELLS = 100_000
"""Of one answer: more than all tables of ten years have together."""

MAX_BODY_BYTES = 64 * 1024
MAX_PAGE_SIZE = 1_000
KEEP_SECONDS = 300
"""How long an answer may be used without asking again: a release comes once a month."""

_LABELS = {Language.SWEDISH: "Svenska", Language.ENGLISH: "English"}
_SOURCES = {Language.SWEDISH: "Källa", Language.ENGLISH: "Source"}
_SUFFIXES = {Format.CSV: "csv", Format.XLSX: "xlsx"}
_JSON = "application/json"
_DATA_PARAMETERS = frozenset({"lang", "outputFormat"})


class Api:
    """The endpoints of one face."""

    def __init__(self, site: Site, face: Face) -> None:
        self._site = site
        self._source = site.source
        self._face = face

    def routes(self) -> list[Route]:
        """Under `/api/v2`."""
        listed: list[tuple[str, Callable[[Request], Response]]] = [
            ("/config", self._config),
            ("/tables", self._tables),
            ("/tables/{table}", self._table),
            ("/tables/{table}/metadata", self._metadata),
            ("/tables/{table}/defaultselection", self._default_selection),
            ("/codelists/{code_list}", self._code_list),
        ]
        return [
            *(Route(path, endpoint) for path, endpoint in listed),
            Route("/tables/{table}/data", self._data, methods=["GET", "POST"], max_body_size=MAX_BODY_BYTES),
        ]

    def _config(self, request: Request) -> Response:
        face = self._face
        return self._say(
            request,
            {
                "apiVersion": API_VERSION,
                "appVersion": version(),
                "languages": [{"id": str(each), "label": _LABELS[each]} for each in Language],
                "defaultLanguage": str(Language.SWEDISH),
                "maxDataCells": MAX_DATA_CELLS,
                "maxCallsPerTimeWindow": face.limit.calls,
                "timeWindow": face.limit.seconds,
                "license": face.data_license,
                "sourceReferences": [
                    {"language": str(each), "text": f"{_SOURCES[each]}: {self._site.title or described.SOURCE}"}
                    for each in Language
                ],
                "defaultDataFormat": str(Format.JSON_STAT2),
                "dataFormats": [str(each) for each in Format],
                "features": [],
            },
        )

    def _tables(self, request: Request) -> Response:
        language = _language(request)
        page, size = _number(request, "pageNumber", 1), _number(request, "pageSize", 100, MAX_PAGE_SIZE)
        words = request.query_params.get("query", "").casefold().split()
        found = [each for each in self._catalogue(language) if _matches(each, words)]
        if "pastDays" in request.query_params:
            since = self._site.today() - timedelta(_number(request, "pastDays", 1, 36_500))
            found = [each for each in found if each.updated is not None and each.updated >= since]
        if page > 1 and (page - 1) * size >= len(found):
            raise ProblemError(404, f"There is no page {page}.")
        links = self._links(request)
        shown = [
            described.table(each, self._face.level, language, links) for each in found[(page - 1) * size : page * size]
        ]
        own = described.link("self", language, links("tables", language))
        return self._say(request, described.tables(found, page, size, shown, language, own))

    def _table(self, request: Request) -> Response:
        language = _language(request)
        wanted = request.path_params["table"]
        summary = next((each for each in self._catalogue(language) if each.table_id == wanted), None)
        if summary is None:
            raise _no_table()
        shown = described.table(summary, self._face.level, language, self._links(request))
        return self._say(request, {"language": str(language), **shown})

    def _metadata(self, request: Request) -> Response:
        language = _language(request)
        return self._say(request, described.metadata(self._info(request, language), language, self._links(request)))

    def _default_selection(self, request: Request) -> Response:
        language = _language(request)
        info = self._info(request, language)
        return self._say(request, described.default_selection(info, language, self._links(request)))

    def _code_list(self, request: Request) -> Response:
        language = _language(request)
        wanted = request.path_params["code_list"]
        for summary in self._catalogue(language):
            for dimension in self._source.table(summary.table_id, language).dimensions:
                listed = dimension.code_list(wanted)
                if listed is not None:
                    shown = described.code_list(dimension, listed, language, self._links(request))
                    return self._say(request, shown)
        raise ProblemError(404, "There is no such code list. The metadata of a table names its code lists.")

    async def _data(self, request: Request) -> Response:
        if request.method == "POST":
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
                raise ProblemError(415, "Send the question as application/json.")
            return await run_in_threadpool(self._answer, request, selecting.of_body(await request.body()), posted=True)
        chosen = selecting.of_parameters(request.query_params.multi_items(), _DATA_PARAMETERS)
        return await run_in_threadpool(self._answer, request, chosen, posted=False)

    def _answer(self, request: Request, chosen: Chosen, *, posted: bool) -> Response:
        language, form = _language(request), _format(request)
        info = self._info(request, language)
        own_choice = info.summary.table_id == TableId.OWN_SELECTION
        if own_choice and not posted:
            raise ProblemError(
                403,
                "A further question costs of the year's privacy budget, for ever. Ask it by POST.",
                name="costs-privacy",
            )
        selections = selecting.resolve(info, chosen)
        if selecting.cells(info, selections) > MAX_DATA_CELLS and not own_choice:
            raise ProblemError(
                403, f"That is more than {MAX_DATA_CELLS} cells. Choose fewer codes.", name="too-many-cells"
            )
        answer = self._source.data(info.summary.table_id, selections, self._face.level, form, language)
        if isinstance(answer, Pending):
            return _pending(answer)
        headers = {"Content-Language": str(language)}
        if form in _SUFFIXES:
            name = f"{info.summary.table_id}.{_SUFFIXES[form]}"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return self._give(request, answer.content, answer.media_type, headers)

    def _catalogue(self, language: Language) -> list[TableSummary]:
        """The tables of this face: further questions are no affair of the public's."""
        public = self._face.level is Level.PUBLIC
        tables = self._source.tables(language)
        return [each for each in tables if not (public and each.table_id == TableId.OWN_SELECTION)]

    def _info(self, request: Request, language: Language) -> TableInfo:
        wanted = request.path_params["table"]
        if all(each.table_id != wanted for each in self._catalogue(language)):
            raise _no_table()
        return self._source.table(wanted, language)

    def _links(self, request: Request) -> described.Links:
        if self._face.base_url or not self._face.hosts:
            # A name that nobody checked is not repeated to others who ask.
            return described.links_from(self._face.base_url)
        return described.links_from(str(request.base_url.replace(path="")).rstrip("/"))

    def _say(self, request: Request, found: Mapping[str, Any]) -> Response:
        return self._give(request, json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode(), _JSON)

    def _give(
        self, request: Request, content: bytes, media_type: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        shared = "public" if self._face.level is Level.PUBLIC else "private"
        caching = {"ETag": tag, "Cache-Control": f"{shared}, max-age={KEEP_SECONDS}"}
        if request.method != "POST" and _has(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=caching)
        return Response(content, media_type=media_type, headers={**caching, **(headers or {})})


def _no_table() -> ProblemError:
    return ProblemError(404, "There is no such table. /tables lists them.")


def _pending(answer: Pending) -> Response:
    seconds = str(answer.ask_again_seconds)
    content = json.dumps(
        {
            "queryId": answer.query_id,
            "status": "pending",
            "detail": "The question is paid for and will be drawn. Ask the same again: it costs nothing more.",
        }
    )
    return Response(content, 202, {"Retry-After": seconds, "Cache-Control": "no-store"}, _JSON)


def _language(request: Request) -> Language:
    wanted = request.query_params.get("lang", str(Language.SWEDISH))
    if wanted not in set(Language):
        raise ProblemError(400, "There is no such language. lang is sv or en.")
    return Language(wanted)


def _format(request: Request) -> Format:
    wanted = request.query_params.get("outputFormat", str(Format.JSON_STAT2))
    if wanted not in set(Format):
        raise ProblemError(400, f"There is no such format. outputFormat is one of {', '.join(Format)}.")
    return Format(wanted)


def _number(request: Request, name: str, default: int, most: int = 1_000_000) -> int:
    written = request.query_params.get(name)
    if written is None:
        return default
    if not (written.isascii() and written.isdigit() and 1 <= int(written[:12]) <= most):
        raise ProblemError(400, f"{name} is a whole number from 1 to {most}.")
    return int(written)


def _matches(summary: TableSummary, words: list[str]) -> bool:
    text = " ".join((summary.table_id, summary.label, summary.description)).casefold()
    return all(word in text for word in words)


def _has(header: str, tag: str) -> bool:
    """Whether `If-None-Match` names a tag, weakly compared as RFC 9110 §13.1.2 has it."""
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in header.split(","))
