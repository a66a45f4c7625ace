"""The registry's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from federation import database
from federation.database import Database
from federation.observability import Metrics
from federation.settings import DaemonSettings
from registry.observability import UNCOUNTED

DEFAULT_LISTEN = "127.0.0.1:7450"
DATABASE_NAME = "registry.sqlite"
STORE_PACKAGE = "registry.store"


RoleName = Annotated[str, msgspec.Meta(pattern="^[a-z_][a-z0-9_]{0,62}$")]


class DatabaseRoles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PostgreSQL roles, so that what serves requests can neither change tables nor rewrite the ledger.

    `owner` owns all tables, `app` is the login of `database_url_file`, and `migrator_url_file` holds the URL of a login
    that is a member of `owner`; only `upprop registry migrate` reads it, so only the machine that migrates has it.
    """

    owner: RoleName
    app: RoleName
    migrator_url_file: Path


class RegistrySettings(DaemonSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the registry's `config.toml` holds.

    `database_url_file` holds a `postgresql://` URL (mode 0600: it may contain a password); without it the store is
    SQLite in the data directory. `epoch_keys` maps epochs to their key files; in `epoch_key_dir` the key of epoch N is
    `epoch-N.key`, also one that comes while the registry runs. `ledger_key` is the key (PEM, Ed25519, mode 0600)
    under which the descriptor knows the ledger. Replicas need the same keys. `lease_seconds` is how long a replica may
    take over a portion of a close before another one does it; `database_roles` separates who owns the tables from who
    works on them. `ca_certificate` and `ca_key` (PEM; the key mode 0600) are of the federation's own CA, with which the
    registry gives certificates to keys that the descriptor lists. `join_listen` is where parties that have none yet
    ask for one and for the descriptor; without it no such port is opened.
    """

    listen: str | None = DEFAULT_LISTEN
    database_url_file: Path | None = None
    ledger_key: Path | None = None
    epoch_keys: dict[int, Path] = msgspec.field(default_factory=dict)
    epoch_key_dir: Path | None = None
    lease_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    database_roles: DatabaseRoles | None = None
    join_listen: str | None = None
    ca_certificate: Path | None = None
    ca_key: Path | None = None


def open_database(settings: RegistrySettings, metrics: Metrics | None = None) -> Database:
    """The store the settings name; connects on first use."""
    # A replica that is paused in the middle of a transaction holds its rows no longer than its lease.
    return database.open_database(
        settings.data_dir / DATABASE_NAME,
        settings.database_url_file,
        metrics,
        idle_seconds=settings.lease_seconds,
        uncounted=UNCOUNTED,
    )


def open_for_migration(settings: RegistrySettings) -> Database:
    """The store as whoever owns its tables opens it."""
    roles = settings.database_roles
    if roles is None:
        return open_database(settings)
    return database.open_database(settings.data_dir / DATABASE_NAME, roles.migrator_url_file, role=roles.owner)
