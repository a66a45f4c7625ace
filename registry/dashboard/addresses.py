"""Addresses of the pages: each language has its own words in them. Pure.

`path` gives what a browser asks for, `PATTERNS` what the router listens to; both from one list.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from federation.web.i18n import Language
from registry.statistics.reading import Format, Selection

PAGES = {
    "start": {Language.SWEDISH: "", Language.ENGLISH: ""},
    "tables": {Language.SWEDISH: "tabeller", Language.ENGLISH: "tables"},
    "table": {Language.SWEDISH: "tabeller/{table}", Language.ENGLISH: "tables/{table}"},
    "find": {Language.SWEDISH: "omraden", Language.ENGLISH: "areas"},
    "place": {Language.SWEDISH: "omraden/{code}", Language.ENGLISH: "areas/{code}"},
    "calendar": {Language.SWEDISH: "publicering", Language.ENGLISH: "releases"},
    "coverage": {Language.SWEDISH: "tackning", Language.ENGLISH: "coverage"},
    "revisions": {Language.SWEDISH: "revisionslogg", Language.ENGLISH: "revisions"},
    "budget": {Language.SWEDISH: "sekretessbudget", Language.ENGLISH: "budget"},
    "about": {Language.SWEDISH: "om", Language.ENGLISH: "about"},
    "accessibility": {Language.SWEDISH: "tillganglighet", Language.ENGLISH: "accessibility"},
}
API = "/api/v2"


def pattern(page: str, language: Language) -> str:
    """For the router: `/sv/tabeller/{table}`."""
    return f"/{language}/{PAGES[page][language]}"


def path(page: str, language: Language, **parts: str) -> str:
    """For a link: `/sv/tabeller/nation-month`."""
    return pattern(page, language).format(**{name: quote(part, safe="") for name, part in parts.items()})


def api_path(where: str, language: Language) -> str:
    return f"{API}/{where}?{urlencode({'lang': language})}"


def export_path(table_id: str, selections: Sequence[Selection], form: Format, language: Language) -> str:
    """The same cells as a file, from the API."""
    query = [("lang", str(language))]
    for selection in selections:
        if selection.code_list_id is not None:
            query.append((f"codelist[{selection.dimension}]", selection.code_list_id))
        if selection.codes:
            query.append((f"valueCodes[{selection.dimension}]", ",".join(selection.codes)))
    query.append(("outputFormat", str(form)))
    return f"{API}/tables/{quote(table_id, safe='')}/data?{urlencode(query, safe=',*[]')}"
