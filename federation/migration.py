"""The shape of a database: brought up by `upprop <role> migrate`, checked by every other command.

Invariants: a daemon never changes a schema by itself, and never works on one that it does not know, be it older or
newer; no store gets a table that has no rule of retention. The migrations of a package stand in `<package>/migrations`;
they run in one transaction, one migration at a time (`Database.restructuring`).

**A migration only adds** (tables, columns with a default or null, indexes): a program of the version before goes on
working on the newer schema, which it never looks at again once it has started; so replicas are replaced one by one.
What has become of no use is taken away by a later version, when no program is left that knows it. A program never
*starts* on a schema that it does not know, because nobody has tested that.

Every start asks whether the schema is the one known, few change it: Alembic, which takes longer to import than all else
that a daemon needs, is imported by those alone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from federation import retention
from federation.errors import Code, UppropError
from federation.lock import DaemonLock

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, MetaData

    from federation.database import Database


ATTEMPTS = 6
"""Of half a minute each, where another migration runs."""

TABLE_TIMEOUT_MS = 5_000
"""How long a change waits for a table; whoever comes meanwhile waits behind it, so that replicas stand still."""

_LOCK_NOT_HAD = "55P03"


_STATED = re.compile(r'^(revision|down_revision)(?:: [^=]+)? = (?:"([^"]+)"|None)', re.MULTILINE)


def _migrations(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"{package} is not a package")
    return Path(spec.submodule_search_locations[0]) / "migrations"


def _config(package: str) -> Config:
    from alembic.config import Config  # at a migration alone: see above

    config = Config()
    # Percent signs are interpolation in Alembic's configuration.
    config.set_main_option("script_location", str(_migrations(package)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def known(package: str) -> dict[str, str | None]:
    """The revisions that this version of the program knows, and the one before each: as the migrations state them."""
    found: dict[str, str | None] = {}
    for path in sorted((_migrations(package) / "versions").glob("*.py")):
        stated = dict(_STATED.findall(path.read_text(encoding="utf-8")))
        found[stated["revision"]] = stated["down_revision"] or None
    return found


def head(package: str) -> str:
    """The newest revision that this version of the program knows."""
    revisions = known(package)
    newest = revisions.keys() - set(revisions.values())
    if len(newest) != 1:
        raise ValueError(f"{package} has no migrations, or two that are the newest")
    return newest.pop()


def current(db: Database) -> str | None:
    """The revision a database is at; None where it is empty. Raises UppropError(STORE_UNREACHABLE)."""
    return db.view("schema_revision", _revision)


def _revision(connection: Connection) -> str | None:
    """What Alembic keeps in the table of its own."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    return revision


def migrate(db: Database, package: str) -> tuple[str | None, str]:
    """Bring a database to the newest revision; returns the revisions before and after.

    Of two that migrate at once the second waits, and finds nothing left to do. Raises UppropError: SCHEMA_NEWER where a
    newer program has been at it; STORE_LOCKED where its turn, or a table, was not to be had in time.
    """
    from sqlalchemy.exc import OperationalError

    for _ in range(ATTEMPTS):
        try:
            with db.restructuring("migrate") as connection:
                if not db.is_sqlite:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {TABLE_TIMEOUT_MS}")
                # Asked once it is our turn: whoever had it before may have changed it.
                before = _revision(connection)
                _refuse_newer(before, package)
                if before != head(package):
                    _upgrade(connection, package)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_HAD:
                raise
        else:
            return before, head(package)
    raise UppropError(
        Code.STORE_LOCKED,
        "The database was not to be had for the migration: another one runs, or a long transaction holds a table. "
        "Nothing was changed. See what runs (pg_stat_activity), and migrate again.",
    )


def _upgrade(connection: Connection, package: str) -> None:
    from alembic import command

    config = _config(package)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@dataclass(frozen=True, slots=True)
class Migrated:
    """The revisions of a store before and after; `before` is None where it was empty."""

    before: str | None
    after: str

    @property
    def sentence(self) -> str:
        if self.before == self.after:
            return f"The database is up to date ({self.after})."
        return f"The database is now at {self.after}."


def migrate_at_rest(
    data_dir: Path,
    open_database: Callable[[], Database],
    package: str,
    *,
    then: Callable[[Database], None] = lambda _database: None,
    serving: bool = False,
) -> Migrated:
    """Migrate the store of a party that is not running, under its lock: what `upprop <role> migrate` does.

    `then` is called with the store in its new shape. `serving`: replicas of the version before may work on it
    meanwhile, so the lock of the data directory is nobody's concern; the database has one of its own.

    Raises UppropError: STORE_LOCKED while the party runs, SCHEMA_NEWER.
    """
    with contextlib.nullcontext() if serving else DaemonLock(data_dir):
        database = open_database()
        try:
            migrated = Migrated(*migrate(database, package))
            then(database)
            return migrated
        finally:
            database.close()


def check_schema(db: Database, package: str) -> None:
    """Raise UppropError SCHEMA_OUTDATED or SCHEMA_NEWER unless the database has exactly the shape we know.

    One that is refused is closed: whoever opened it to start on it has nothing left open.
    """
    try:
        _refuse_other(current(db), package)
    except BaseException:
        db.close()
        raise


def run(metadata: MetaData) -> None:
    """What a package's `migrations/env.py` does: run the migrations on the connection that `migrate` hands over.

    Raises UppropError(RETENTION_UNSTATED) where a table of the newest schema lacks its rule of retention.
    """
    from alembic import context

    retention.rules(metadata)
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("migrations run through `upprop <role> migrate`, which hands over its connection")
    # Batch mode: SQLite changes a table by copying it.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def _refuse_other(revision: str | None, package: str) -> None:
    _refuse_newer(revision, package)
    if revision != head(package):
        role = package.removesuffix(".store").split(".")[-1]
        raise UppropError(
            Code.SCHEMA_OUTDATED, f"The database is not up to date. Stop the daemon and run: upprop {role} migrate"
        )


def _refuse_newer(revision: str | None, package: str) -> None:
    if revision is not None and revision not in known(package):
        raise UppropError(
            Code.SCHEMA_NEWER, "The database was written by a newer version of upprop. Install that version."
        )
