"""What the API says when it gives no answer: application/problem+json (RFC 9457).

Invariants
    - A problem tells what was wrong with the question, or that nobody can answer now. What the registry holds has no
      part in it, nor has an exception's text.
    - `type` is a name of ours for machines, `detail` a sentence for people that says what to do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

from federation.errors import Code, UppropError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 30
"""When to come back after a failure that passes."""

_TITLES = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    413: "Content too large",
    415: "Unsupported media type",
    421: "Misdirected request",
    429: "Too many requests",
    500: "Internal server error",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}

_PASSING = {
    Code.PEER_UNREACHABLE: 503,
    Code.OVERLOADED: 503,
    Code.STORE_UNREACHABLE: 503,
    Code.STORE_LOCKED: 503,
    Code.DEADLINE: 504,
}

_ASKED_WRONG = frozenset({Code.REQUEST_INVALID, Code.INPUT_REFUSED})
_REFUSED = frozenset({Code.METHOD_FORBIDDEN, Code.BUDGET_EXHAUSTED})
_OWN_TROUBLE = "The registry does not accept what this service asks it. Its operator finds the cause in the log."


class ProblemError(Exception):
    """An answer that is none; `name` distinguishes it for machines."""

    def __init__(
        self, status: int, detail: str, *, name: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.name = name
        self.headers = dict(headers or {})


def of_error(error: UppropError) -> ProblemError:
    """The problem that a reader meets where the registry, or the way to it, refused."""
    name = error.code.value.lower().replace("_", "-")
    if error.code in _PASSING:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        detail = "The registry cannot be asked at the moment. Try again later."
        return ProblemError(_PASSING[error.code], detail, name=name, headers=headers)
    if error.code in _ASKED_WRONG:
        return ProblemError(400, error.sentence, name=name)
    if error.code in _REFUSED:
        return ProblemError(403, error.sentence, name=name)
    # Certificates, descriptors and versions are between this service and the registry.
    return ProblemError(502, _OWN_TROUBLE, name=name)


def response(problem: ProblemError) -> Response:
    name = problem.name or _TITLES.get(problem.status, "error").lower().replace(" ", "-")
    body = {
        "type": f"urn:upprop:problem:{name}",
        "title": _TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.detail,
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(json.dumps(body).encode(), problem.status, headers=headers, media_type=MEDIA_TYPE)
