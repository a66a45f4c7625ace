"""The pages of the statistics: addresses, who makes each, and what is said when something is wrong.

Invariants
    - Every page is a GET and changes nothing; no choice on any page costs privacy.
    - A page that cannot be made says so in the reader's language, with a status of its own: 400 for a choice that is
      not there, 404, 503 where the registry does not answer. It tells nothing of what the registry holds.
    - Pages hold no script and no style of their own, and ask nothing of any third party.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from federation.errors import Code, UppropError
from federation.web.i18n import Language, preferred
from registry.dashboard import addresses, place_page, release_pages, start_page, table_page
from registry.dashboard.site import Site
from registry.dashboard.visit import ASSETS, BadChoiceError, NoSuchPageError, Visit
from registry.statistics.geography import geography

_NOT_THERE = frozenset({Code.REQUEST_INVALID})
"""What the registry says of a choice that its catalogue does not hold."""

Maker = Callable[[Visit], Response]


def _find(visit: Visit) -> Response:
    """From the list of places to the page of one."""
    code = visit.field("code")
    if code is None:
        return RedirectResponse(visit.link("start") + "#map", 303)
    if code not in geography().counties and code not in geography().municipalities:
        raise NoSuchPageError
    return RedirectResponse(visit.link("place", code=code), 303)


_MAKERS: dict[str, Maker] = {
    "start": start_page.show,
    "tables": table_page.show_list,
    "table": lambda visit: table_page.show(visit, visit.request.path_params["table"]),
    "find": _find,
    "place": lambda visit: place_page.show(visit, visit.request.path_params["code"]),
    "calendar": release_pages.calendar,
    "coverage": release_pages.coverage,
    "revisions": release_pages.revisions,
    "budget": release_pages.budget,
    "about": release_pages.about,
    "accessibility": release_pages.accessibility,
}


def routes(site: Site) -> list[Route]:
    """All of them, static files and the way in from `/` included."""
    found = [Route("/", _way_in), Route("/static/{name}", ASSETS.answer)]
    for language in Language:
        found += [
            Route(addresses.pattern(page, language), _endpoint(site, language, page, maker))
            for page, maker in _MAKERS.items()
        ]
        found.append(Route(f"/{language}", _to_start(language)))
    # Last: every other address of a language is no page of ours, said in that language.
    found += [
        Route(f"/{language}/{{rest:path}}", _endpoint(site, language, "error", _no_such_page)) for language in Language
    ]
    return found


def failure(site: Site, request: Request, status: int, seconds: int = 60) -> Response:
    """The page for what went wrong outside of any page: 404, 429, 500, 503. In the language of the address."""
    head = request.url.path.split("/")[1]
    language = Language(head) if head in list(Language) else preferred(request.headers.get("accept-language", ""))
    return _error(Visit(site, request, language, "error"), status, seconds)


def _endpoint(site: Site, language: Language, page: str, maker: Maker) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        visit = Visit(site, request, language, page)
        try:
            return maker(visit)
        except NoSuchPageError:
            return _error(visit, 404)
        except BadChoiceError:
            return _error(visit, 400)
        except UppropError as error:
            return _error(visit, 400 if error.code in _NOT_THERE else 503)

    return answer


def _error(visit: Visit, status: int, seconds: int = 60) -> Response:
    key = status if f"error.{status}.title" in visit.words else 500
    parameters = {"seconds": seconds} if key == 429 else {}
    visit.page = "error"
    response = visit.show(
        "error.html",
        status,
        title=visit.words(f"error.{key}.title"),
        text=visit.words(f"error.{key}.text", **parameters),
    )
    if status in (429, 503):
        response.headers["Retry-After"] = str(seconds)
    return response


def _no_such_page(_visit: Visit) -> NoReturn:
    raise NoSuchPageError


def _way_in(request: Request) -> Response:
    language = preferred(request.headers.get("accept-language", ""))
    return RedirectResponse(addresses.path("start", language), 302, {"Vary": "Accept-Language"})


def _to_start(language: Language) -> Callable[[Request], Response]:
    return lambda _request: RedirectResponse(addresses.path("start", language), 301)
