"""The aggregate "client": which keys may push for which school system.

A key is let in from `add` until it expires or `revoke` takes all keys of its client; a revoked one never comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from node.store.schema_systems import client_keys, pushes


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key of a client, by the SHA-256 of its SubjectPublicKeyInfo. `revoked_at`: None while it is let in."""

    name: str
    key_sha256: bytes
    added_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class Clients:
    """The clients of the node. Every method works on the connection of the caller's transaction."""

    def add(self, tx: Connection, key: ClientKey) -> None:
        tx.execute(
            insert(client_keys).values(
                name=key.name, key_sha256=key.key_sha256, added_at=key.added_at, expires_at=key.expires_at
            )
        )

    def by_key(self, tx: Connection, key_sha256: bytes) -> ClientKey | None:
        row = tx.execute(select(client_keys).where(client_keys.c.key_sha256 == key_sha256)).one_or_none()
        return None if row is None else ClientKey(*row)

    def of(self, tx: Connection, name: str) -> tuple[ClientKey, ...]:
        """The keys of a client, oldest first; empty where there never was one."""
        query = select(client_keys).where(client_keys.c.name == name)
        return tuple(ClientKey(*row) for row in tx.execute(query.order_by(client_keys.c.added_at)))

    def all(self, tx: Connection) -> tuple[ClientKey, ...]:
        """Every key there ever was, by client, oldest first."""
        query = select(client_keys).order_by(client_keys.c.name, client_keys.c.added_at)
        return tuple(ClientKey(*row) for row in tx.execute(query))

    def revoke(self, tx: Connection, name: str, at: datetime) -> int:
        """Let in none of a client's keys any more; returns how many were let in until now."""
        standing = (client_keys.c.name == name, client_keys.c.revoked_at.is_(None))
        return tx.execute(update(client_keys).where(*standing).values(revoked_at=at)).rowcount

    def last_pushes(self, tx: Connection) -> dict[str, datetime]:
        """Client → when its newest request was taken; without those whose requests are forgotten by now."""
        query = select(pushes.c.system, func.max(pushes.c.received_at)).group_by(pushes.c.system)
        return {row[0]: row[1] for row in tx.execute(query)}
