"""The console put together: pages, and what stands before them.

Every answer, whatever it is, has the security headers and is kept by no cache; the name asked for is checked before
anything is looked up.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from federation.observability import Log, place_of
from federation.web.headers import SecurityHeaders
from node.console.desk import Desk
from node.console.login.gate import Gate
from node.console.observability import FAILED
from node.console.pages import Router
from node.console.session import Sessions


def build(desk: Desk, sessions: Sessions, *, log: Log, gate: Gate | None = None) -> ASGIApp:
    """The application that serves the pages of one node."""
    router = Router(desk, sessions, gate)

    def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return router.failure(request, error.status_code)

    def on_failure(request: Request, error: Exception) -> Response:
        log(FAILED, exception=type(error).__name__, where=place_of(error))
        return router.failure(request, 500)

    app: ASGIApp = Starlette(routes=router.routes(), exception_handlers={HTTPException: on_http, Exception: on_failure})
    return SecurityHeaders(app)
