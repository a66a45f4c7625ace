"""`upprop evaluator doctor`."""

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
from privacy.evaluator.doctor import checks
from privacy.evaluator.doctor.english import DOCTOR
from privacy.evaluator.settings import DATABASE_NAME, STORE_PACKAGE, EvaluatorSettings
from privacy.evaluator.shares import SHARE_SUFFIX


@click.command(short_help="Look whether all is well, and say what to do where it is not.")
@config_option("evaluator")
@json_option
def doctor(config: Path, *, as_json: bool) -> None:
    """Look whether all is well with this evaluator, and say what to do where it is not.

    Looked at are the settings, shares and keys, the data directory and its disk, the descriptor and whether a newer one
    waits for you, the certificate, this machine's clock, every registry, the store, members near their quota, and the
    checkpoints of the registry's ledger. It changes nothing, and works whether the evaluator is running or not. Run it
    as the user whom the evaluator runs as.

    Every check is made, whatever another one finds. The exit code is 0 where all is well or only warned of, else that
    of the worst finding (upprop --help lists them).
    """
    settings = settings_files.load(config, EvaluatorSettings)
    raise click.exceptions.Exit(
        printing.report(examination(config, settings), printing.english(DOCTOR), as_json=as_json)
    )


def examination(config: Path, settings: EvaluatorSettings) -> Iterator[Finding]:
    """What is found about the evaluator of these settings."""
    in_directory = [] if settings.share_dir is None else sorted(settings.share_dir.glob(f"*{SHARE_SUFFIX}"))
    signing = [] if settings.signing_key is None else [settings.signing_key]
    return examine(
        config,
        settings,
        Kind.EVALUATOR,
        role="evaluator",
        secrets=[*settings.share_files, *in_directory, *signing],
        takes_up=False,
        own=lambda papers: _own(settings, papers),
    )


def _own(settings: EvaluatorSettings, papers: Papers) -> Sequence[tuple[Topic, Check]]:
    identity, descriptor = papers.identity, papers.descriptor
    looks: list[tuple[Topic, Look]] = [(Topic.LEDGER, lambda tx: checks.witnessed(tx, utc_now()))]
    own: list[tuple[Topic, Check]] = []
    if descriptor is not None:
        today = business_date(settings, descriptor.zone)
        looks.insert(0, (Topic.QUOTA, lambda tx: checks.quotas(tx, descriptor, today)))
        if identity is not None and identity.kind is Kind.EVALUATOR:
            own = [
                (Topic.SHARES, lambda: checks.shares(settings, identity, descriptor)),
                (Topic.KEYS, lambda: checks.signing_key(settings, identity, descriptor)),
            ]
    database = settings.data_dir / DATABASE_NAME
    return [*own, (Topic.STORE, lambda: store(database, None, STORE_PACKAGE, "evaluator", *looks))]
