"""The console put together: pages, and what stands before them.

Every answer, whatever it is, has the security headers and is kept by no cache; the name asked for and how often an
address asks are checked before anything is looked up.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from federation.observability import Log, place_of
from federation.web.headers import SecurityHeaders
from federation.web.limits import CallLimit, LimitedCalls, NamedHosts
from node.console.desk import Desk
from node.console.login.gate import Gate
from node.console.observability import FAILED
from node.console.pages import Router
from node.console.session import Sessions

PAGES = CallLimit(1200, 60)
"""Of one address: all people of a municipality may come by one."""
LOGINS = CallLimit(120, 60)
_LOGIN_PATHS = ("/sv/inloggning", "/en/login", "/login/")


def build(
    desk: Desk, sessions: Sessions, *, log: Log, gate: Gate | None = None, hosts: Collection[str] = ()
) -> ASGIApp:
    """The application that serves the pages of one node. `hosts`: the names it may be asked for by; empty: by any."""
    router = Router(desk, sessions, gate)

    def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return router.failure(request, error.status_code)

    def on_failure(request: Request, error: Exception) -> Response:
        log(FAILED, exception=type(error).__name__, where=place_of(error))
        return router.failure(request, 500)

    def too_often(scope: Scope, seconds: int) -> Response:
        response = router.failure(Request(scope), 429, seated=False)
        response.headers["Retry-After"] = str(seconds)
        return response

    app: ASGIApp = Starlette(routes=router.routes(), exception_handlers={HTTPException: on_http, Exception: on_failure})
    for limit, face_of in ((LOGINS, _login), (PAGES, _page)):
        app = LimitedCalls(app, limit=limit, face_of=face_of, refuse=too_often)
    app = NamedHosts(app, hosts=hosts, exempt=(), refuse=_misnamed)
    return SecurityHeaders(_Unkept(app))


class _Unkept:
    """What says nothing else of caching is kept nowhere: whoever sits there next must not page back to it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def unkept(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, unkept)


def _login(path: str) -> str | None:
    return "login" if path.startswith(_LOGIN_PATHS) else None


def _page(path: str) -> str | None:
    return None if path.startswith("/static/") else "page"


def _misnamed() -> Response:
    return PlainTextResponse("This console is not served under that name: see public_url in its settings.\n", 421)
