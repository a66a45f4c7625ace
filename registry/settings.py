"""The registry's settings."""

from __future__ import annotations

from pathlib import Path

import msgspec

from federation import database
from federation.database import Database
from federation.observability import Metrics
from federation.settings import DaemonSettings

DEFAULT_LISTEN = "127.0.0.1:7450"
DATABASE_NAME = "registry.sqlite"
STORE_PACKAGE = "registry.store"


class RegistrySettings(DaemonSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the registry's `config.toml` holds.

    `database_url_file` holds a `postgresql://` URL (mode 0600: it may contain a password); without it the store is
    SQLite in the data directory. `epoch_keys` maps epochs to their key files; in `epoch_key_dir` the key of epoch N is
    `epoch-N.key`, also one that comes while the registry runs. `ledger_key` is the key (PEM, Ed25519, mode 0600)
    under which the descriptor knows the ledger. Replicas need the same keys.
    """

    listen: str | None = DEFAULT_LISTEN
    database_url_file: Path | None = None
    ledger_key: Path | None = None
    epoch_keys: dict[int, Path] = msgspec.field(default_factory=dict)
    epoch_key_dir: Path | None = None


def open_database(settings: RegistrySettings, metrics: Metrics | None = None) -> Database:
    """The store the settings name; connects on first use."""
    return database.open_database(settings.data_dir / DATABASE_NAME, settings.database_url_file, metrics)
