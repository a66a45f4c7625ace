"""The search. What is searched for comes in the form, never in an address."""

from __future__ import annotations

from starlette.responses import Response

from node.casework.files.searching import MAX_TYPED, Found, TooManySearchesError
from node.console.page import READERS, Page
from node.console.visit import Visit


def show(visit: Visit) -> Response:
    return _page(visit)


def act(visit: Visit) -> Response:
    person = visit.field("person")
    if not person or len(person) > MAX_TYPED:
        return _page(visit, flaw="empty", status=400)
    try:
        found = visit.desk.searching.search(person, visit.actor)
    except TooManySearchesError as error:
        return _page(visit, flaw="too-many", minutes=error.minutes, status=429)
    return _page(visit, asked=True, found=found)


def _page(
    visit: Visit,
    *,
    flaw: str = "",
    minutes: int = 0,
    asked: bool = False,
    found: Found | None = None,
    status: int = 200,
) -> Response:
    template = "search/found.html" if visit.partial else "search/search.html"
    return visit.show(template, status, flaw=flaw, minutes=minutes, asked=asked, found=found)


PAGES = (Page("search", "sok", "search", show, READERS, act=act, menu=True),)
