"""The page of imports: for whoever looks after the sources. Rows, fields and reasons; no pupil stands on it."""

from __future__ import annotations

from starlette.responses import Response

from federation.web.i18n import Language
from node.casework.actor import Role
from node.console.page import Page
from node.console.visit import Visit
from node.wording import Language as WordLanguage
from node.wording import words_in

ROLES = frozenset({Role.ADMINISTRATOR, Role.CASEWORKER, Role.PROTECTED, Role.AUDITOR})
SHOWN = 200
"""Rows that were left out on the page, of each source."""

MENDED = frozenset({"civicNo", "personnummer", "person_id", "row"})
"""Fields of which the page says how to mend them; of others it says it by what kind of source it is."""


def show(visit: Visit) -> Response:
    words = words_in(WordLanguage.SWEDISH if visit.language is Language.SWEDISH else WordLanguage.ENGLISH)
    return visit.show(
        "imports/imports.html",
        overview=visit.desk.health.look(),
        remark=words.remark,
        shown=SHOWN,
        mended=MENDED,
    )


PAGES = (Page("imports", "inlasning", "imports", show, ROLES, menu=True),)
