"""`upprop node doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from federation import settings as settings_files
from federation.clock import ManualClock, utc_now
from federation.doctor import printing
from federation.doctor.examination import Check, business_date, examine
from federation.doctor.findings import Finding, Topic
from federation.doctor.papers import Papers
from federation.doctor.store import store
from federation.errors import UppropError
from federation.identity import Kind
from node.doctor import backlog
from node.doctor.console import console
from node.doctor.journal import journal
from node.doctor.mails import mails
from node.doctor.uplink import quotas
from node.options import config_option, json_option, words_option
from node.settings import DATABASE_NAME, STORE_PACKAGE, NodeSettings, open_sealer
from node.wording import Words

_ANYWHERE = "Europe/Stockholm"
"""The zone until a descriptor states one."""


@click.command()
@config_option
@words_option
@json_option
def doctor(config: Path, words: Words, as_json: bool) -> None:
    """Look whether all is well with this node, and say what to do where it is not.

    Looked at are the settings and secret files, the data directory and its disk, the descriptor, the certificate, this
    machine's clock, every registry and evaluator, what is left of the quotas, the store, and what waits in it. It
    changes nothing, and works whether the node is running or not. Run it as the user whom the node runs as.

    Every check is made, whatever another one finds. The exit code is 0 where all is well or only warned of, else that
    of the worst finding (upprop --help lists them).
    """
    settings = settings_files.load(config, NodeSettings)
    code = printing.report(examination(config, settings), words, as_json=as_json)
    raise click.exceptions.Exit(code)


def examination(config: Path, settings: NodeSettings) -> Iterator[Finding]:
    """What is found about the node of these settings."""
    systems = settings.school_systems.values()
    pages = settings.console
    kept = (
        settings.record_key,
        settings.database_url_file,
        *(each.token_file for each in systems),
        *(each.client_secret_file for each in systems),
        None if pages is None else pages.private_key,
        None if pages is None or pages.openid is None else pages.openid.client_secret_file,
    )
    return examine(
        config,
        settings,
        Kind.NODE,
        role="node",
        secrets=[path for path in kept if path is not None],
        evaluators=_quorum,
        own=lambda papers: _own(settings, papers),
    )


def _quorum(papers: Papers) -> int:
    """How many evaluators have to answer."""
    epochs = () if papers.descriptor is None else papers.descriptor.epochs
    return max((each.threshold for each in epochs), default=1)


def _own(settings: NodeSettings, papers: Papers) -> Sequence[tuple[Topic, Check]]:
    zone = _ANYWHERE if papers.descriptor is None else papers.descriptor.zone
    today = business_date(settings, zone)

    def look_into_store() -> Iterator[Finding]:
        try:
            sealer = open_sealer(settings)
        except UppropError:
            # Told among the secrets. The schema can be looked at without it.
            return store(settings.data_dir / DATABASE_NAME, settings.database_url_file, STORE_PACKAGE, "node")
        now = utc_now()
        mailed = [] if settings.mail is None else [(Topic.BACKLOG, lambda tx: mails(tx, sealer, today, now))]
        return store(
            settings.data_dir / DATABASE_NAME,
            settings.database_url_file,
            STORE_PACKAGE,
            "node",
            (Topic.IMPORT, lambda tx: backlog.imported(tx, sealer, today)),
            (Topic.BACKLOG, lambda tx: backlog.backlog(tx, sealer, today)),
            (Topic.FETCHES, lambda tx: backlog.notices(tx, today)),
            (Topic.JOURNAL, lambda tx: journal(tx, sealer, settings.data_dir)),
            *mailed,
        )

    served: Sequence[tuple[Topic, Check]] = ()
    if (pages := settings.console) is not None:
        served = [(Topic.CONSOLE, lambda: console(pages, utc_now()))]
    return [(Topic.QUOTA, lambda: quotas(papers, ManualClock(zone, today))), (Topic.STORE, look_into_store), *served]
