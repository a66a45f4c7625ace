"""Login and logout by the municipality's OpenID provider.

Invariants
    - A login on its way is known by a cookie of its own alone: sealed, for ten minutes, for one answer. Whoever is sent
      an answer that somebody else began (login CSRF) has no such cookie.
    - The login's own page stands before the provider: a form may not be redirected to another site, and whoever has
      logged out is not logged in again at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from federation.observability import Log
from federation.web.i18n import Language, preferred
from node.casework.actor import Actor, Role, roles_of, units_of
from node.console.login.addresses import ADDRESSES, local, own_page
from node.console.login.gate import MakeVisit
from node.console.login.provider import Attempt, Provider, RefusedLoginError
from node.console.login.stored import StoredSessions
from node.console.observability import LOGIN_REFUSED
from node.console.visit import LEAVE
from node.store.sealing import Sealer, SealError

ONWARD = {Language.SWEDISH: "/sv/inloggning/vidare", Language.ENGLISH: "/en/login/onward"}
LEFT = {Language.SWEDISH: "/sv/utloggad", Language.ENGLISH: "/en/logged-out"}
ANSWER = "/login/answer"
"""The redirect address that the provider is told; `public_url` stands before it."""

ATTEMPT = timedelta(minutes=10)
TOKEN_BYTES = 32


class _Cookie(msgspec.Struct, frozen=True):
    state: str
    nonce: str
    verifier: str
    language: str
    to: str
    began_at: datetime


class OpenIdGate:
    """`public_url` is the console's own address; `roles`: group → role; `units`: what the provider calls a school unit
    → its id."""

    def __init__(
        self,
        provider: Provider,
        sessions: StoredSessions,
        sealer: Sealer,
        *,
        public_url: str,
        issuer: str,
        roles: dict[str, str],
        units: dict[str, str],
        now: Callable[[], datetime],
        log: Log,
    ) -> None:
        self._provider, self._sessions, self._sealer = provider, sessions, sealer
        self._public_url, self._issuer, self._roles, self._units = public_url, issuer, roles, units
        self._now, self._log = now, log

    def routes(self, make: MakeVisit) -> list[Route]:
        found = [Route(ANSWER, _threaded(lambda request: self._answer(request, make)))]
        for language in Language:
            found += [
                Route(ADDRESSES[language], _threaded(self._page(make, language, left=False))),
                Route(LEFT[language], _threaded(self._page(make, language, left=True))),
                Route(ONWARD[language], _threaded(self._onward(make, language))),
                Route(LEAVE[language], _threaded(self._leave(make, language)), methods=["POST"]),
            ]
        return found

    def _page(self, make: MakeVisit, language: Language, *, left: bool) -> Callable[[Request], Response]:
        def show(request: Request) -> Response:
            to = local(request.query_params.get("to", ""), language)
            visit = make(request, language, None)
            return visit.show("login/openid.html", onward=ONWARD[language], to=to, left=left, refused="")

        return show

    def _onward(self, make: MakeVisit, language: Language) -> Callable[[Request], Response]:
        def go(request: Request) -> Response:
            attempt = Attempt(*(secrets.token_urlsafe(TOKEN_BYTES) for _ in range(3)))
            try:
                address = self._provider.login_address(attempt, language)
            except RefusedLoginError as error:
                return self._refused(make, request, language, error.reason)
            to = local(request.query_params.get("to", ""), language)
            told = _Cookie(attempt.state, attempt.nonce, attempt.verifier, language, to, self._now())
            sealed = self._sealer.seal("console_login", b"", "cookie", msgspec.json.encode(told))
            response = RedirectResponse(address, 303)
            response.set_cookie(
                self._cookie,
                sealed.hex(),
                max_age=int(ATTEMPT.total_seconds()),
                secure=self._sessions.secure,
                httponly=True,
                samesite="lax",
                path="/",
            )
            return response

        return go

    def _answer(self, request: Request, make: MakeVisit) -> Response:
        begun = self._begun(request)
        if begun is None:
            return self._refused(make, request, preferred(request.headers.get("accept-language", "")), "cookie")
        language = Language(begun.language)
        try:
            attempt = Attempt(begun.state, begun.nonce, begun.verifier)
            person = self._provider.person(request.query_params, attempt)
        except RefusedLoginError as error:
            return self._refused(make, request, language, error.reason)
        roles = roles_of(person.groups, self._roles)
        if not roles:
            return self._refused(make, request, language, "roles")
        response = RedirectResponse(begun.to, 303)
        units = units_of(person.units, self._units) if Role.PRINCIPAL in roles else frozenset[str]()
        actor = Actor(f"{self._issuer}|{person.subject}", person.name, frozenset[Role](roles), units)
        self._sessions.begin(response, actor, id_token=person.id_token)
        self._forget(response)
        return response

    def _leave(self, make: MakeVisit, language: Language) -> Callable[[Request], Response]:
        def leave(request: Request) -> Response:
            if not own_page(request):
                return RedirectResponse(f"/{language}/", 303)
            ended = RedirectResponse(LEFT[language], 303)
            id_token = self._sessions.end(request, ended)
            there = self._provider.logout_address(id_token, f"{self._public_url}{LEFT[language]}")
            if there is None:
                return ended
            # Not by a redirection: a form's answer may lead to no other site.
            page = make(request, language, None).show("login/leaving.html", there=there)
            self._sessions.end(request, page)
            page.headers["Refresh"] = f"0; url={there}"
            return page

        return leave

    def _refused(self, make: MakeVisit, request: Request, language: Language, reason: str) -> Response:
        self._log(LOGIN_REFUSED, reason=reason)
        status = 403 if reason == "roles" else 502 if reason in ("unreachable", "metadata", "keys") else 400
        key = reason if reason in ("roles", "denied", "unreachable") else "other"
        page = make(request, language, None).show(
            "login/openid.html", status, onward=ONWARD[language], to=f"/{language}/", left=False, refused=key
        )
        self._forget(page)
        return page

    @property
    def _cookie(self) -> str:
        return f"{self._sessions.cookie}-login"

    def _forget(self, response: Response) -> None:
        response.delete_cookie(self._cookie, secure=self._sessions.secure, httponly=True, samesite="lax", path="/")

    def _begun(self, request: Request) -> _Cookie | None:
        try:
            sealed = bytes.fromhex(request.cookies.get(self._cookie, ""))
            told = msgspec.json.decode(self._sealer.open("console_login", b"", "cookie", sealed), type=_Cookie)
        except (ValueError, SealError, msgspec.DecodeError):
            return None
        return told if told.began_at <= self._now() < told.began_at + ATTEMPT else None


def _threaded(work: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(work, request)

    return answer
