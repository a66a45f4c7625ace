"""The aggregate "session": one login of one person at the console.

State: begun → ended (logged out, idle for too long, or too old); one that ended has no row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update

from node.casework.actor import Actor, Role
from node.store.schema_sessions import console_sessions
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts: without a page, and at most."""

    idle: timedelta
    most: timedelta


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session that has not ended. `id_token` is what the OpenID provider is told at the logout."""

    actor: Actor
    csrf_token: str = field(repr=False)
    development: bool
    began_at: datetime
    seen_at: datetime
    id_token: str = field(default="", repr=False)


class SessionStore:
    """Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer, lifetime: Lifetime) -> None:
        self._sealer, self._lifetime = sealer, lifetime

    def add(self, tx: Connection, token: str, session: StoredSession) -> None:
        """Begin a session; those that have run out go."""
        self._end_old(tx, session.began_at)
        index = self._index(token)
        told = {
            "person_id": session.actor.person_id,
            "name": session.actor.name,
            "roles": sorted(session.actor.roles),
            "units": sorted(session.actor.units),
            "csrf_token": session.csrf_token,
            "development": session.development,
            "id_token": session.id_token,
        }
        sealed = self._sealer.seal("console_sessions", index, "sealed_session", msgspec.json.encode(told))
        tx.execute(
            insert(console_sessions).values(
                session_index=index, sealed_session=sealed, began_at=session.began_at, seen_at=session.seen_at
            )
        )

    def find(self, tx: Connection, token: str, now: datetime) -> StoredSession | None:
        """None where there is none, or it has ended."""
        index = self._index(token)
        row = tx.execute(select(console_sessions).where(console_sessions.c.session_index == index)).one_or_none()
        if row is None or row.seen_at < now - self._lifetime.idle or row.began_at < now - self._lifetime.most:
            return None
        told = msgspec.json.decode(self._sealer.open("console_sessions", index, "sealed_session", row.sealed_session))
        actor = Actor(
            told["person_id"], told["name"], frozenset(map(Role, told["roles"])), frozenset(told.get("units", ()))
        )
        return StoredSession(
            actor, told["csrf_token"], told["development"], row.began_at, row.seen_at, told["id_token"]
        )

    def seen(self, tx: Connection, token: str, now: datetime) -> None:
        """Note that the session is used."""
        row = update(console_sessions).where(console_sessions.c.session_index == self._index(token))
        tx.execute(row.values(seen_at=now))

    def end(self, tx: Connection, token: str) -> None:
        tx.execute(delete(console_sessions).where(console_sessions.c.session_index == self._index(token)))

    def _end_old(self, tx: Connection, now: datetime) -> None:
        idle, most = now - self._lifetime.idle, now - self._lifetime.most
        tx.execute(
            delete(console_sessions).where(or_(console_sessions.c.seen_at < idle, console_sessions.c.began_at < most))
        )

    def _index(self, token: str) -> bytes:
        return self._sealer.index("console session", token.encode())
