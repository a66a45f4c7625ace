"""The node's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from federation import database
from federation.database import Database
from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.observability import Metrics
from federation.settings import DaemonSettings
from node.casework.holds.settings import WebhookSettings
from node.casework.mailing.settings import MailSettings
from node.console.settings import ConsoleSettings
from node.records.ss12000_api.settings import SchoolSystems
from node.store.sealing import RECORD_KEY_BYTES, Sealer

DATABASE_NAME = "node.sqlite"
STORE_PACKAGE = "node.store"
DEFAULT_SYNC_SECONDS = 15 * 60.0
DEFAULT_DRILL_DAYS = 30


class NodeSettings(DaemonSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a node's `config.toml` holds.

    `record_key` is the file with the 32 bytes under which identities are sealed (mode 0600; keep a copy of it apart
    from the copies of the data directory: without it the store cannot be read). `database_url_file` holds a
    `postgresql://` URL (mode 0600); without it the store is SQLite in the data directory. `sync_seconds` is how often
    a running node sends and fetches. `upper_secondary`: whether gymnasium (GY, GYS, GYAN) counts as presence.
    `enrolment_listen` is where school systems may push, `host:port` inside the municipality's own network; without it
    no port is opened. `enrolment_names` are the host names and addresses by which they call, where it is not that host.
    `school_systems` are those from which the node fetches, by name: a table `[school_systems.NAME]` for each.
    `drill_days`: a running node drills by itself once in so many days; 0: never. `webhooks`: how school systems are
    told of withdrawals that waited, a table `[webhooks.NAME]` for each. `casework_dir`: the municipality's own routines
    and directory of help. `shred_years`: after so many years what a closed case file says is shredded. `console`: the
    pages for the people of the municipality, a table `[console]`; without it none are served. `mail`: the mail server
    by which whoever is on duty is told, a table `[mail]`; without it nobody is written to.
    """

    record_key: Path
    database_url_file: Path | None = None
    sync_seconds: float = DEFAULT_SYNC_SECONDS
    upper_secondary: bool = False
    enrolment_listen: str | None = None
    enrolment_names: tuple[str, ...] = ()
    school_systems: SchoolSystems = msgspec.field(default_factory=dict)
    drill_days: Annotated[int, msgspec.Meta(ge=0)] = DEFAULT_DRILL_DAYS
    webhooks: dict[str, WebhookSettings] = msgspec.field(default_factory=dict)
    casework_dir: Path | None = None
    shred_years: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5
    console: ConsoleSettings | None = None
    mail: MailSettings | None = None


def open_database(settings: NodeSettings, metrics: Metrics | None = None) -> Database:
    """The store the settings name; connects on first use."""
    return database.open_database(
        settings.data_dir / DATABASE_NAME, settings.database_url_file, metrics, uncounted={"metrics_read"}
    )


def open_sealer(settings: NodeSettings) -> Sealer:
    """The sealer of the record key; UppropError where it is missing, open to others or too short."""
    key = read_secret(settings.record_key)
    if len(key) != RECORD_KEY_BYTES:
        raise UppropError(
            Code.CONFIG_INVALID,
            f"The record key {settings.record_key} has {len(key)} bytes and must have {RECORD_KEY_BYTES}. "
            "Use the file that `upprop node join` wrote.",
        )
    return Sealer(key)
