"""`upprop registry doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from federation import settings as settings_files
from federation.clock import utc_now
from federation.doctor import printing
from federation.doctor.examination import Check, business_date, examine
from federation.doctor.findings import Finding, Topic
from federation.doctor.papers import Papers
from federation.doctor.store import Look, store
from federation.identity import Kind
from federation.options import config_option, json_option
from registry.doctor import checks
from registry.doctor.english import DOCTOR
from registry.settings import DATABASE_NAME, STORE_PACKAGE, RegistrySettings


@click.command(short_help="Look whether all is well, and say what to do where it is not.")
@config_option("registry")
@json_option
def doctor(config: Path, *, as_json: bool) -> None:
    """Look whether all is well with this registry, and say what to do where it is not.

    Looked at are the settings, keys and CA, the data directory and its disk, the descriptor, the certificate, this
    machine's clock, the other registries, the evaluators as witnesses of the ledger, the database, the close, and what
    waits for you. It changes nothing, and works whether the registry is running or not. Run it as the user whom the
    registry runs as.

    Every check is made, whatever another one finds. The exit code is 0 where all is well or only warned of, else that
    of the worst finding (upprop --help lists them).
    """
    settings = settings_files.load(config, RegistrySettings)
    raise click.exceptions.Exit(
        printing.report(examination(config, settings), printing.english(DOCTOR), as_json=as_json)
    )


def examination(config: Path, settings: RegistrySettings) -> Iterator[Finding]:
    """What is found about the registry of these settings."""
    directory = settings.epoch_key_dir
    kept = (
        settings.database_url_file,
        settings.ledger_key,
        settings.ca_key,
        *settings.epoch_keys.values(),
        *(() if directory is None else sorted(directory.glob("epoch-*.key"))),
    )
    return examine(
        config,
        settings,
        Kind.REGISTRY,
        role="registry",
        secrets=[path for path in kept if path is not None],
        registries=0,
        evaluators=lambda papers: 1 if papers.descriptor is not None and papers.descriptor.ledger_key else 0,
        own=lambda papers: _own(settings, papers),
    )


def _own(settings: RegistrySettings, papers: Papers) -> Sequence[tuple[Topic, Check]]:
    descriptor = papers.descriptor
    own: list[tuple[Topic, Check]] = [(Topic.CA, lambda: checks.authority(settings))]
    if settings.ledger_key is not None:
        own.append((Topic.LEDGER, checks.ledger))
    looks: list[tuple[Topic, Look]] = [(Topic.BACKLOG, checks.waiting)]
    if descriptor is not None:
        zone = descriptor.zone
        today = business_date(settings, zone) if settings.clock == "manual" else None
        own.insert(0, (Topic.KEYS, lambda: checks.epoch_keys(settings, descriptor)))
        looks.insert(0, (Topic.CLOSE, lambda tx: checks.close(tx, zone, utc_now(), today)))
    database, url_file = settings.data_dir / DATABASE_NAME, settings.database_url_file
    return [*own, (Topic.STORE, lambda: store(database, url_file, STORE_PACKAGE, "registry", *looks))]
