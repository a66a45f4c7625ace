"""All pages of the console: addresses, who may come, and what is said when something is wrong.

Invariants
    - A GET changes nothing but the log of views. A POST is taken only with its session's token.
    - Whoever has not logged in is sent to the login; whoever may not come is told so; a case file that somebody may not
      see is a page that is not there.
    - Pages ask nothing of any third party and hold no script and no style of their own.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from federation.web.i18n import Language, preferred
from node.console.board import pages as board
from node.console.case import pages as case
from node.console.contact import pages as contact
from node.console.desk import Desk
from node.console.duty import pages as duty
from node.console.figures import pages as figures
from node.console.holds import pages as holds
from node.console.imports import pages as imports
from node.console.journal import pages as journal
from node.console.lead import pages as lead
from node.console.login.addresses import ADDRESSES
from node.console.login.gate import Gate
from node.console.page import EVERYBODY, Maker, Page
from node.console.quality import pages as quality
from node.console.routines import pages as routines
from node.console.search import pages as search
from node.console.session import Session, Sessions
from node.console.sources import pages as sources
from node.console.visit import ASSETS, PARTIAL, NoSuchPageError, Visit
from node.console.worry import pages as worry
from node.store.case_keys import CaseShreddedError

PAGES: Sequence[Page] = (
    *board.PAGES,
    *search.PAGES,
    *worry.PAGES,
    *case.PAGES,
    *contact.PAGES,
    *holds.PAGES,
    *journal.PAGES,
    *lead.PAGES,
    *routines.PAGES,
    *sources.PAGES,
    *figures.PAGES,
    *quality.PAGES,
    *imports.PAGES,
    *duty.PAGES,
)

START = "board"
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"

MAX_FIELDS = 500
MAX_FILES = 10


class Router:
    """Makes the routes of all pages over one desk."""

    def __init__(self, desk: Desk, sessions: Sessions, gate: Gate | None = None, pages: Sequence[Page] = PAGES) -> None:
        self._desk = desk
        self._sessions = sessions
        self._gate = gate
        self._pages = {page.name: page for page in pages}

    def routes(self) -> list[Route]:
        """All of them, static files and the way in from `/` included."""
        found = [Route("/", self._way_in), Route("/static/{name}", ASSETS.answer)]
        if self._gate is not None:
            found += self._gate.routes(self._unseated)
        for language in Language:
            found += [
                Route(page.pattern(language), self._endpoint(language, page), methods=["GET", "POST"])
                for page in self._pages.values()
            ]
        nowhere = Page("error", "", "", _no_such_page, EVERYBODY)
        # Last: every other address of a language is no page of ours, said in that language.
        found += [Route(f"/{language}/{{rest:path}}", self._endpoint(language, nowhere)) for language in Language]
        return found

    def failure(self, request: Request, status: int, *, seated: bool = True) -> Response:
        """The page for what went wrong outside of any page, in the language of the address.

        `seated` false: nobody is looked up for it.
        """
        head = request.url.path.split("/")[1]
        language = Language(head) if head in list(Language) else preferred(request.headers.get("accept-language", ""))
        return self._error(
            self._visit(request, language, "error", self._sessions.of(request) if seated else None), status
        )

    def _endpoint(self, language: Language, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.method != "POST":
                return await run_in_threadpool(self._answer, request, language, page, page.show, None)
            async with request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES) as form:
                return await run_in_threadpool(self._answer, request, language, page, page.act, form)

        return answer

    def _answer(
        self, request: Request, language: Language, page: Page, maker: Maker | None, form: FormData | None
    ) -> Response:
        session = self._sessions.of(request)
        if session is None:
            way_in = f"{ADDRESSES[language]}?to={quote(request.url.path)}"
            if request.headers.get(PARTIAL) == "true":
                # The whole page goes there, not the part that was asked for.
                return Response(status_code=204, headers={"HX-Redirect": way_in})
            return RedirectResponse(way_in, 303)
        visit = self._visit(request, language, page.name, session, form)
        if maker is None:
            return self._error(visit, 405)
        roles = page.roles if form is None or page.act_roles is None else page.act_roles
        if not session.actor.has(*roles):
            if page.name == START and form is None and visit.menu():
                # Who has no board begins where their own work is.
                return RedirectResponse(visit.link(visit.menu()[0].name), 303)
            return self._error(visit, 403)
        if form is not None and not _token_fits(visit, request, session):
            return self._error(visit, 409)
        try:
            return maker(visit)
        except NoSuchPageError:
            return self._error(visit, 404)
        except CaseShreddedError:
            return self._error(visit, 410)

    def _unseated(self, request: Request, language: Language, form: FormData | None) -> Visit:
        return self._visit(request, language, "login", None, form)

    def _visit(
        self, request: Request, language: Language, page: str, session: Session | None, form: FormData | None = None
    ) -> Visit:
        return Visit(self._desk, self._pages, request, language, page, session, form)

    @staticmethod
    def _error(visit: Visit, status: int) -> Response:
        key = status if f"error.{status}.title" in visit.words else 500
        visit.page = "error"
        title, text = visit.words(f"error.{key}.title"), visit.words(f"error.{key}.text")
        return visit.show("error.html", status, title=title, text=text)

    def _way_in(self, request: Request) -> Response:
        language = preferred(request.headers.get("accept-language", ""))
        return RedirectResponse(f"/{language}/", 302, {"Vary": "Accept-Language"})


def _token_fits(visit: Visit, request: Request, session: Session) -> bool:
    sent = request.headers.get(CSRF_HEADER) or visit.field(CSRF_FIELD)
    return hmac.compare_digest(sent.encode(), session.csrf_token.encode())


def _no_such_page(_visit: Visit) -> NoReturn:
    raise NoSuchPageError
