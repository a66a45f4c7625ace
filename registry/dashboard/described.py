"""The catalogue as PxWebApi 2 writes it: tables, metadata as a JSON-stat dataset without values, code lists. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from federation.web.i18n import Language
from privacy.noise import NANO
from registry.dashboard.addresses import API
from registry.statistics.reading import CodeList, Dimension, Level, TableInfo, TableSummary

SOURCE = "Upprop"

Json = dict[str, Any]
Links = Callable[[str, Language], str]
"""The address of what stands under the API, in a language."""

_TIME_UNITS = {4: "Annual", 7: "Monthly"}
"""By the length of a period's code."""


def links_from(base_url: str) -> Links:
    return lambda where, language: f"{base_url}{API}/{where}?lang={language}"


def link(relation: str, language: Language, address: str) -> Json:
    return {"rel": relation, "hreflang": str(language), "href": address}


def table(summary: TableSummary, level: Level, language: Language, links: Links) -> Json:
    at = f"tables/{quote(summary.table_id, safe='')}"
    found: Json = {
        "type": "Table",
        "id": summary.table_id,
        "label": summary.label,
        "description": summary.description,
        "updated": _updated(summary),
        "firstPeriod": summary.first_period,
        "lastPeriod": summary.last_period,
        "category": "public" if level is Level.PUBLIC else "internal",
        "variableNames": list(summary.dimensions),
        "discontinued": False,
        "source": SOURCE,
    }
    if summary.first_period is not None and len(summary.first_period) in _TIME_UNITS:
        found["timeUnit"] = _TIME_UNITS[len(summary.first_period)]
    found["links"] = [
        link("self", language, links(at, language)),
        link("metadata", language, links(f"{at}/metadata", language)),
        link("data", language, links(f"{at}/data", language)),
    ]
    return found


def tables(
    found: Sequence[TableSummary], page: int, size: int, listed: list[Json], language: Language, own: Json
) -> Json:
    """One page of tables; `found` are all that there are."""
    pages = max(1, -(-len(found) // size))
    return {
        "language": str(language),
        "tables": listed,
        "page": {"pageNumber": page, "pageSize": size, "totalElements": len(found), "totalPages": pages, "links": []},
        "links": [own],
    }


def metadata(info: TableInfo, language: Language, links: Links) -> Json:
    summary = info.summary
    at = f"tables/{quote(summary.table_id, safe='')}"
    roles: dict[str, list[str]] = {}
    for each in info.dimensions:
        if each.role:
            roles.setdefault(each.role, []).append(each.name)
    return {
        "version": "2.0",
        "class": "dataset",
        "href": links(f"{at}/metadata", language),
        "label": summary.label,
        "source": SOURCE,
        "updated": _updated(summary),
        "link": {"describes": [{"type": "application/json", "href": links(f"{at}/data", language)}]},
        "note": list(info.notes),
        "role": roles,
        "id": [each.name for each in info.dimensions],
        "size": [len(each.codes) for each in info.dimensions],
        "dimension": {each.name: _dimension(each, info, language, links) for each in info.dimensions},
        "extension": {
            "noteMandatory": {str(number): True for number in range(len(info.notes))},
            "px": {
                "tableid": summary.table_id,
                "decimals": 0,
                "official-statistics": False,
                "aggregallowed": False,
                "language": str(language),
                "description": summary.description,
            },
            "firstPeriod": summary.first_period,
            "lastPeriod": summary.last_period,
            "discontinued": False,
            "sdc": {"mechanism": info.mechanism, "rho": info.nano_rho / NANO},
        },
        "value": None,
    }


def code_list(dimension: Dimension, listed: CodeList, language: Language, links: Links) -> Json:
    labels = {each.code: each.label for each in dimension.codes}
    return {
        "id": listed.code_list_id,
        "label": listed.label,
        "language": str(language),
        "languages": [str(each) for each in Language],
        "type": "Valueset",
        "elimination": False,
        "values": [{"code": code, "label": labels.get(code, code), "valueMap": [code]} for code in listed.codes],
        "links": [link("self", language, _listed_at(listed, language, links))],
    }


def default_selection(info: TableInfo, language: Language, links: Links) -> Json:
    """What a question without choices gives: everything."""
    at = f"tables/{quote(info.summary.table_id, safe='')}"
    return {
        "selection": [{"variableCode": each.name, "valueCodes": ["*"]} for each in info.dimensions],
        "language": str(language),
        "links": [link("self", language, links(f"{at}/defaultselection", language))],
    }


def _updated(summary: TableSummary) -> str | None:
    return None if summary.updated is None else f"{summary.updated.isoformat()}T00:00:00Z"


def _listed_at(listed: CodeList, language: Language, links: Links) -> str:
    return links(f"codelists/{quote(listed.code_list_id, safe='')}", language)


def _dimension(dimension: Dimension, info: TableInfo, language: Language, links: Links) -> Json:
    category: Json = {
        "index": {each.code: place for place, each in enumerate(dimension.codes)},
        "label": {each.code: each.label for each in dimension.codes},
    }
    if dimension.role == "metric":
        category["unit"] = {each.code: {"base": info.unit, "decimals": 0} for each in dimension.codes}
    listed = [
        {
            "id": each.code_list_id,
            "label": each.label,
            "type": "Valueset",
            "links": [link("metadata", language, _listed_at(each, language, links))],
        }
        for each in dimension.code_lists
    ]
    # Left out, a dimension is given whole: nothing is summed that was not drawn.
    return {"label": dimension.label, "category": category, "extension": {"elimination": False, "codeLists": listed}}
