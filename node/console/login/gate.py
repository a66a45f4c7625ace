"""The way in and out: addresses, and which kind of login stands behind them.

A login form has no session whose token it could bear: it is taken only from a page of this console itself, by what the
browser says of where it comes from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from federation.web.i18n import Language
from node.console.login import development
from node.console.login.addresses import ADDRESSES, own_page
from node.console.login.stored import StoredSessions
from node.console.visit import LEAVE, Visit

MAX_FIELDS = 20

MakeVisit = Callable[[Request, Language, FormData | None], Visit]


class Gate(Protocol):
    """One kind of login."""

    def routes(self, make: MakeVisit) -> list[Route]: ...


class DevelopmentGate:
    """Anybody is whoever they say."""

    def __init__(self, sessions: StoredSessions) -> None:
        self._sessions = sessions

    def routes(self, make: MakeVisit) -> list[Route]:
        found = []
        for language in Language:
            found.append(Route(ADDRESSES[language], self._login(make, language), methods=["GET", "POST"]))
            found.append(Route(LEAVE[language], leaving(self._sessions, language), methods=["POST"]))
        return found

    def _login(self, make: MakeVisit, language: Language) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.method == "GET":
                return await run_in_threadpool(development.show, make(request, language, None))
            if not own_page(request):
                return RedirectResponse(ADDRESSES[language], 303)
            async with request.form(max_fields=MAX_FIELDS, max_files=0) as form:
                return await run_in_threadpool(development.log_in, make(request, language, form), self._sessions)

        return answer


def leaving(sessions: StoredSessions, language: Language) -> Callable[[Request], Awaitable[Response]]:
    """The address to log out at."""

    def leave(request: Request) -> Response:
        response = RedirectResponse(ADDRESSES[language], 303)
        if own_page(request):
            sessions.end(request, response)
        return response

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(leave, request)

    return answer
