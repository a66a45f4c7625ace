"""The dashboard put together: pages, API, and what stands before both.

Every answer, whatever it is, has the security headers; the name asked for is checked before anything is looked up;
calls are counted for each address.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Scope

from federation.errors import UppropError
from federation.observability import Log, place_of
from federation.web.headers import SecurityHeaders
from federation.web.limits import LimitedCalls, NamedHosts
from registry.dashboard import pages, problems
from registry.dashboard.addresses import API
from registry.dashboard.api import Api
from registry.dashboard.observability import FAILED, HEALTH, REFUSED, CountedAnswers, DashboardMetrics, face_of
from registry.dashboard.problems import ProblemError
from registry.dashboard.settings import Face
from registry.dashboard.site import Site
from registry.statistics.reading import Level

_ASKED_WRONG = 400


def build(site: Site, face: Face, *, log: Log, metrics: DashboardMetrics | None = None) -> ASGIApp:
    """The application that serves one face of the statistics."""

    def failed(request: Request, problem: ProblemError) -> Response:
        if face_of(request.url.path) == "api":
            return problems.response(problem)
        return pages.failure(site, request, problem.status, int(problem.headers.get("Retry-After", "60")))

    def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = ProblemError(
            error.status_code, _SENTENCES.get(error.status_code, error.detail), headers=error.headers
        )
        return failed(request, problem)

    def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return failed(request, error)

    def on_refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, UppropError)
        problem = problems.of_error(error)
        if problem.status > _ASKED_WRONG:
            log(REFUSED, code=error.code)
        return failed(request, problem)

    def on_failure(request: Request, error: Exception) -> Response:
        log(FAILED, exception=type(error).__name__, where=place_of(error))
        return failed(request, ProblemError(500, "Something nobody foresaw went wrong. Try again later."))

    def too_many(scope: Scope, seconds: int) -> Response:
        sentence = f"At most {face.limit.calls} calls in {face.limit.seconds} seconds. Come back in {seconds} seconds."
        return failed(Request(scope), ProblemError(429, sentence, headers={"Retry-After": str(seconds)}))

    app: ASGIApp = Starlette(
        routes=[
            Route(HEALTH, _health),
            Mount(API, routes=Api(site, face).routes(), middleware=_sharing(face)),
            *pages.routes(site),
        ],
        exception_handlers={
            HTTPException: on_http,
            ProblemError: on_problem,
            UppropError: on_refusal,
            Exception: on_failure,
        },
    )
    app = LimitedCalls(app, limit=face.limit, face_of=face_of, refuse=too_many)
    app = NamedHosts(app, hosts=face.hosts, exempt=(HEALTH,), refuse=_misdirected)
    app = SecurityHeaders(app)
    return app if metrics is None else CountedAnswers(app, metrics=metrics)


_SENTENCES = {
    404: "There is nothing at this address. /api/v2/tables lists the tables.",
    405: "This address does not take that method.",
    413: "The question is too large.",
}


def _sharing(face: Face) -> list[Middleware]:
    """Anybody's pages may fetch what is everybody's anyway; the authority's figures are for its own alone."""
    if face.level is not Level.PUBLIC:
        return []
    exposed = ["ETag", "Retry-After", "Content-Disposition"]
    return [Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], expose_headers=exposed)]


async def _health(_request: Request) -> Response:
    # No thread is needed for it: they may all be waiting for the registry.
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


def _misdirected() -> Response:
    return problems.response(
        ProblemError(
            421, "This site is not asked for by that name. Its operator sets public_url to the name that it has."
        )
    )
