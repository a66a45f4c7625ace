"""The sessions of the store, by the cookie that a browser holds.

Invariants: the token is 256 random bits and stands nowhere but in the cookie; the cookie is for this host alone, read
by no script, and sent over TLS only wherever the console is reached by it. A login gives a new token, whatever cookie
came with it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from federation.clock import Clock
from federation.database import Database
from node.casework.actor import Actor
from node.console.session import Session
from node.store.sessions import SessionStore, StoredSession

TOKEN_BYTES = 32
LOOKS_AGAIN = "X-Looks-Again"
"""A page that looks by itself whether something is new says so: nobody need sit before it."""
SEEN_STEP = timedelta(minutes=1)
"""A session's last use is noted so coarsely: not every page writes."""


class StoredSessions:
    """`node.console.session.Sessions` over the store. `secure`: the console is reached by TLS."""

    def __init__(self, database: Database, store: SessionStore, clock: Clock, *, secure: bool) -> None:
        self._database, self._store, self._clock, self.secure = database, store, clock, secure

    @property
    def cookie(self) -> str:
        """`__Host-` binds the cookie to this host and to TLS: browsers refuse it otherwise."""
        return "__Host-upprop" if self.secure else "upprop"

    def of(self, request: Request) -> Session | None:
        token = request.cookies.get(self.cookie)
        found = None if token is None else self._find(token, used=LOOKS_AGAIN not in request.headers)
        return None if found is None else Session(found.actor, found.csrf_token, found.development)

    def begin(self, response: Response, actor: Actor, *, development: bool = False, id_token: str = "") -> None:
        """Log this person in; the answer carries the cookie."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock.now()
        session = StoredSession(actor, secrets.token_urlsafe(TOKEN_BYTES), development, now, now, id_token)
        self._database.run("console_login", lambda tx: self._store.add(tx, token, session))
        response.set_cookie(self.cookie, token, secure=self.secure, httponly=True, samesite="lax", path="/")

    def end(self, request: Request, response: Response) -> str:
        """Log out; returns the session's id token, empty where it has none."""
        token = request.cookies.get(self.cookie)
        found = None if token is None else self._find(token)
        if token is not None:
            self._database.run("console_logout", lambda tx: self._store.end(tx, token))
        response.delete_cookie(self.cookie, secure=self.secure, httponly=True, samesite="lax", path="/")
        return "" if found is None else found.id_token

    def _find(self, token: str, *, used: bool = True) -> StoredSession | None:
        now = self._clock.now()
        found = self._database.view("console_session", lambda tx: self._store.find(tx, token, now))
        if used and found is not None and found.seen_at < now - SEEN_STEP:
            self._database.run("console_seen", lambda tx: self._store.seen(tx, token, now))
        return found
