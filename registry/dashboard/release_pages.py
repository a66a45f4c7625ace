"""What was released and what it cost: calendar, coverage, revision log, budget; and the guarantee in words."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from registry.dashboard.guarantee import epsilon, guess_percent
from registry.dashboard.visit import Visit
from registry.statistics.catalogue import TableId
from registry.statistics.reading import Release

METER_WIDTH = 399
STANDARD_NANO_RHO = 250_000_000
"""Where nothing is spent yet the guarantee is told by the standard profile."""


def calendar(visit: Visit) -> Response:
    releases = visit.site.source.releases()
    labels = _labels(visit)
    return visit.show(
        "calendar.html",
        title=visit.words("calendar.title"),
        upcoming=[
            {"what": visit.release_name(each), "due_on": each.due_on}
            for each in sorted(releases.upcoming, key=lambda each: each.due_on)
        ],
        releases=[
            {
                "what": visit.release_name(each),
                "drawn_on": each.drawn_on,
                "tables": [(table, labels.get(table, table)) for table in each.table_ids],
            }
            for each in _newest_first(releases.drawn)
        ],
    )


def coverage(visit: Visit) -> Response:
    releases = visit.site.source.releases()
    return visit.show(
        "coverage.html",
        title=visit.words("coverage.title"),
        releases=[
            {
                "what": visit.release_name(each),
                "drawn_on": each.drawn_on,
                "current_members": each.current_members,
                "silent": [(code, visit.place_name(code)) for code in each.silent],
            }
            for each in _newest_first(releases.drawn)
        ],
    )


def revisions(visit: Visit) -> Response:
    drawn = _newest_first(visit.site.source.releases().drawn)
    return visit.show(
        "revisions.html",
        title=visit.words("revisions.title"),
        releases=[
            {
                "id": each.release_id,
                "what": visit.release_name(each),
                "drawn_on": each.drawn_on,
                "mechanism": each.mechanism,
                "library": each.library,
                "profile": each.profile,
            }
            for each in drawn
        ],
    )


def budget(visit: Visit) -> Response:
    labels = _labels(visit)
    years: list[dict[str, Any]] = [
        {
            "year": each.year,
            "profile": each.profile,
            "cap": each.cap_nano_rho,
            "spent": each.spent_nano_rho,
            "percent": 100 * each.spent_nano_rho / (each.cap_nano_rho or 1),
            "meter": round(METER_WIDTH * each.spent_nano_rho / (each.cap_nano_rho or 1), 1),
            "epsilon": epsilon(each.cap_nano_rho),
            "guess": guess_percent(each.cap_nano_rho),
            "caller_left": each.caller_left_nano_rho,
            "spends": [
                {
                    "what": _purpose(visit, spend.purpose, labels),
                    "nano_rho": spend.nano_rho,
                    "spent_on": spend.spent_on,
                }
                for spend in each.spends
            ],
        }
        for each in sorted(visit.site.source.budget(), key=lambda each: -each.year)
    ]
    return visit.show("budget.html", title=visit.words("budget.title"), years=years)


def about(visit: Visit) -> Response:
    newest = max(visit.site.source.budget(), key=lambda each: each.year, default=None)
    nano_rho = newest.cap_nano_rho if newest is not None else STANDARD_NANO_RHO
    return visit.show(
        "about.html",
        title=visit.words("about.title"),
        guess=guess_percent(nano_rho),
        rho=visit.formats.rho(nano_rho),
        epsilon=visit.formats.decimal(epsilon(nano_rho), 1),
    )


def accessibility(visit: Visit) -> Response:
    return visit.show("accessibility.html", title=visit.words("accessibility.title"))


def _newest_first(drawn: tuple[Release, ...]) -> list[Release]:
    return sorted(drawn, key=lambda each: (each.drawn_on, each.release_id), reverse=True)


def _labels(visit: Visit) -> dict[str, str]:
    return {summary.table_id: summary.label for summary in visit.site.source.tables(visit.language)}


def _purpose(visit: Visit, purpose: str, labels: dict[str, str]) -> str:
    """`2026/table/county-month` or `2026/query/…`; the last part alone may be given too."""
    table = purpose.rpartition("/")[2]
    if table in labels and table != TableId.OWN_SELECTION:
        return visit.words("budget.purpose_table", name=labels[table])
    return visit.words("budget.purpose_query")
