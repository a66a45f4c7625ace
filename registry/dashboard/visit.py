"""One request of one page: its language, its words and links, and the figures that it may show.

Invariants
    - Figures are asked at the level of the face, never at one that the request names.
    - What is asked of the registry is one of the tables that releases draw: no page spends of the reserve.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from federation.errors import Code, UppropError
from federation.web.assets import Assets
from federation.web.i18n import Language, Texts
from federation.web.templates import environment
from registry.dashboard import addresses, figures
from registry.dashboard.figures import EMPTY, Figures
from registry.dashboard.formatting import Formats
from registry.dashboard.site import Site
from registry.dashboard.wording import texts
from registry.statistics.catalogue import DimensionId, ReleaseKind, TableId
from registry.statistics.geography import geography
from registry.statistics.reading import Dimension, Document, Format, Release, Selection, TableInfo, Upcoming

TIME = str(DimensionId.TIME)
REGION = str(DimensionId.REGION)
ALL = "*"
"""All codes of a dimension."""


class NoSuchPageError(Exception):
    """The address names nothing that there is."""


class BadChoiceError(Exception):
    """A form's field holds what its list does not."""


ASSETS = Assets("registry.dashboard")


@functools.cache
def _templates() -> Any:
    return environment("registry.dashboard")


class Visit:
    """What a page's maker is given."""

    def __init__(self, site: Site, request: Request, language: Language, page: str) -> None:
        self.site = site
        self.request = request
        self.language = language
        self.page = page
        self.words: Texts = texts(language)
        self.formats = Formats(language)

    def link(self, page: str, **parts: str) -> str:
        return addresses.path(page, self.language, **parts)

    def field(self, name: str) -> str | None:
        """What a form sent; None where it did not."""
        return self.request.query_params.get(name)

    def tables(self) -> list[TableInfo]:
        """The tables that releases draw."""
        return [
            self.site.source.table(summary.table_id, self.language)
            for summary in self.site.source.tables(self.language)
            if summary.table_id != TableId.OWN_SELECTION
        ]

    def table(self, table_id: str) -> TableInfo:
        """Raises NoSuchPageError for one that there is not."""
        if table_id == TableId.OWN_SELECTION or table_id not in list(TableId):
            raise NoSuchPageError
        return self.site.source.table(table_id, self.language)

    def figures(self, table_id: str, selections: Sequence[Selection]) -> Figures:
        """The cells of a released table. Nothing where a selection chooses nothing."""
        if any(not each.codes and each.code_list_id is None for each in selections):
            return EMPTY
        asked = (*selections, Selection(figures.CONTENTS, figures.MEASURES))
        answer = self.site.source.data(table_id, asked, self.site.level, Format.JSON_STAT2, self.language)
        if not isinstance(answer, Document):
            raise UppropError(Code.INTERNAL, "A released table was answered as if it were still to be drawn.")
        return figures.parse(answer.content)

    def exports(self, table: TableInfo, selections: Sequence[Selection]) -> dict[str, str]:
        """Addresses of the same cells as files."""
        forms = {"csv": Format.CSV, "xlsx": Format.XLSX, "json": Format.JSON_STAT2}
        short = [_shortened(table, each) for each in selections]
        return {
            name: addresses.export_path(table.summary.table_id, short, form, self.language)
            for name, form in forms.items()
        }

    def release_name(self, release: Release | Upcoming) -> str:
        key = {ReleaseKind.MONTH: "month", ReleaseKind.YEAR: "year", ReleaseKind.CLOSED: "closed"}[release.kind]
        return self.words(f"release.{key}", period=self.formats.period(release.period))

    def place_name(self, code: str) -> str:
        places = geography()
        if name := places.counties.get(code) or places.municipalities.get(code):
            return name
        return self.words("word.nation") if code == "00" else code

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """The page. `values` are the template's own names beside those of every page."""
        names: dict[str, Any] = {
            "t": self.words,
            "f": self.formats,
            "language": self.language,
            "page": self.page,
            "within": _WITHIN.get(self.page, ""),
            "face": str(self.site.level),
            "site_title": self.site.title,
            "link": self.link,
            "other_link": self._other_link(),
            "asset": ASSETS.path,
            "api": functools.partial(addresses.api_path, language=self.language),
        }
        content = _templates().get_template(template).render(names | values)
        return HTMLResponse(content, status, headers={"Content-Language": str(self.language)})

    def _other_link(self) -> str | None:
        """The same page in the other language, the same choices made."""
        if self.page not in addresses.PAGES:
            return addresses.path("start", self.language.other)
        parts = {name: str(part) for name, part in self.request.path_params.items()}
        query = self.request.url.query
        return addresses.path(self.page, self.language.other, **parts) + (f"?{query}" if query else "")


_WITHIN = {"table": "tables", "place": "start", "accessibility": "about"}
"""Pages that stand under another one in the menu."""


def times(table: TableInfo) -> tuple[str, ...]:
    """The periods that a table has, oldest first; none before its first release."""
    dimension = table.dimension(TIME)
    return () if dimension is None or table.summary.first_period is None else tuple(sorted(codes_of(dimension)))


def codes_of(dimension: Dimension) -> tuple[str, ...]:
    return tuple(each.code for each in dimension.codes)


def _shortened(table: TableInfo, selection: Selection) -> Selection:
    """The same codes by the name of a code list where there is one: an address has no room for 290 codes."""
    dimension = table.dimension(selection.dimension)
    chosen = frozenset(selection.codes)
    if dimension is None or len(chosen) == 1:
        return selection
    if chosen == frozenset(codes_of(dimension)):
        return Selection(selection.dimension, (ALL,))
    lists = (each for each in dimension.code_lists if frozenset(each.codes) == chosen)
    found = next(lists, None)
    return selection if found is None else Selection(selection.dimension, code_list_id=found.code_list_id)
