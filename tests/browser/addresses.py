"""The pages there are, from the site's own list: a page that is added is looked at."""

from __future__ import annotations

import pytest

from federation.web.i18n import Language
from registry.dashboard.addresses import PAGES, path
from registry.statistics.catalogue import TABLES

COUNTY, MUNICIPALITY, SILENT = "01", "0180", "0980"
PARTS = {
    "table": [{"table": str(table)} for table in TABLES if TABLES[table].released_with],
    "place": [{"code": code} for code in (COUNTY, MUNICIPALITY, SILENT)],
    "find": [],
}
"""What stands in addresses; `find` only leads elsewhere."""


def every_page() -> list[str]:
    """The address of each page in each language, one for each table and each kind of place."""
    return [path(page, language, **parts) for language in Language for page in PAGES for parts in PARTS.get(page, [{}])]


EVERY_PAGE = pytest.mark.parametrize("address", every_page())
"""Once for each page."""
EITHER_LANGUAGE = pytest.mark.parametrize("language", list(Language), ids=str)
