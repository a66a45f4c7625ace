"""`upprop node`: what a municipality's IT staff and case workers do with their node."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from prometheus_client import CollectorRegistry

from federation import settings as settings_files
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, exit_code
from federation.identity import Kind
from federation.lazy import LazyGroup
from federation.observability import Log, Metrics
from federation.renewal import own_identity
from federation.runtime import Daemon, make_clock
from node import printing
from node.client import Client
from node.options import config_option, json_option, open_stub, words_option
from node.settings import STORE_PACKAGE, NodeSettings, open_database
from node.wording import Words
from node.wording.texts import Text

MOUNTED = {
    "affirm": "node.casework.cli:affirm",
    "attendance": "node.casework.sources.cli:attendance",
    "backup": "node.recovery.cli:backup",
    "cases": "node.casework.cli:cases",
    "check": "node.explain.cli:check",
    "client": "node.push.cli:client",
    "doctor": "node.doctor.cli:doctor",
    "drill": "node.drill.cli:drill",
    "explain": "node.explain.cli:explain",
    "import": "node.records.cli:import_export",
    "join": "node.joining.cli:join",
    "journal": "node.casework.journal.cli:journal",
    "ledger": "node.ledger.cli:ledger",
    "recover": "node.recovery.cli:recover",
    "report": "node.casework.quality.cli:report",
    "residents": "node.casework.sources.cli:residents",
    "restore": "node.recovery.cli:restore",
    "review": "node.casework.cli:review",
    "routine": "node.casework.routines.cli:routine",
    "say": "node.casework.cli:say",
    "subject": "node.subject.cli:subject",
    "systems": "node.records.cli:systems",
}


@click.group(cls=LazyGroup, mounted=MOUNTED)
def node() -> None:
    """The node of a municipality or an independent school operator.

    It takes in the school system's exports, tells the federation in pseudonyms who has left and who has come, and keeps
    the case files of pupils who are accounted for nowhere. Names and numbers never leave it.

    \b
    A new node:      upprop node join DIR --member 0180 …
    Every night:     upprop node import FILE --as-of DATE
    Before it:       upprop node check FILE --as-of DATE
    In between:      upprop node serve   (or: upprop node sync)
    Case workers:    upprop node cases, explain, say, affirm, review
    Routines:        upprop node routine list, show, check
    Does it work:    upprop node doctor, upprop node status, upprop node drill
    Is it all there: upprop node ledger verify, upprop node journal verify
    Every year:      upprop node report
    Every night too: upprop node backup FILE     (and when the database is lost: restore, recover)
    A person asks what you keep, or that it goes: upprop node subject export, erase
    More than one school system, or one that pushes by itself: upprop node systems, upprop node client
    """


@node.command()
@config_option
def serve(config: Path) -> None:
    """Run the node: send and fetch at intervals until told to stop (Ctrl-C or SIGTERM).

    Commands given meanwhile are carried out by the running node. It opens no port to the outside; on this machine it
    shows its state under /healthz, /readyz and /metrics.
    """
    from node.app import App, build  # other commands have no use for a node's whole code

    settings = settings_files.load(config, NodeSettings)
    log, metrics = Log(level=settings.log_level), Metrics(CollectorRegistry())
    descriptors = DescriptorStore.of(settings, log)
    own = own_identity(settings, descriptors, Kind.NODE, log)
    clock = make_clock(settings, descriptors)

    def make() -> App:
        return build(settings, clock=clock, metrics=metrics, log=log, descriptors=descriptors, own=own)

    Daemon(settings, make, clock=clock, metrics=metrics, log=log, descriptors=descriptors, own=own).run()


@node.command()
@config_option
@json_option
def migrate(config: Path, as_json: bool) -> None:
    """Make the node's store, or bring it up to date. Stop the node before, and keep a copy. Twice does no harm."""
    from federation.migration import migrate_at_rest  # Alembic, which no other command has a use for

    settings = settings_files.load(config, NodeSettings)
    done = migrate_at_rest(settings.data_dir, lambda: open_database(settings), STORE_PACKAGE)
    if as_json:
        printing.as_json(asdict(done))
    else:
        click.echo(done.sentence)


@node.command()
@config_option
@words_option
@json_option
def status(config: Path, words: Words, as_json: bool) -> None:  # noqa: ARG001 - the first line speaks by `words`
    """Show how far the node has come: its newest import, what waits to be sent, the registry's ledger, its sources."""
    with open_stub(config) as stub:
        lines = Client(stub).status()
    if as_json:
        printing.as_json(lines)
        return
    for name, value in lines.items():
        click.echo(f"{name}: {value}")


@node.command()
@click.option("--notices-only", is_flag=True, help="Fetch what the registry has to say; send nothing.")
@config_option
@words_option
@json_option
def sync(notices_only: bool, config: Path, words: Words, as_json: bool) -> None:
    """Send what is new, and fetch what the registry has to say.

    What cannot be sent or fetched now is left for the next sync; then the exit code is 6.
    """
    with open_stub(config) as stub:
        report = printing.watch(Client(stub).sync(notices_only=notices_only), quiet=as_json, words=words)
    if as_json:
        printing.as_json(report)
    else:
        click.echo(
            words(
                Text.SYNCED,
                submitted=report["submitted"],
                waiting=report["waiting"],
                parked=report["parked"],
                notices=report["notices"],
            )
        )
        for problem in report["problems"]:
            click.echo(f"! {problem}", err=True)
    # That signals are parked is no failure of this sync: it is said until somebody has looked into them.
    if len(report["problems"]) > bool(report["parked"]):
        raise click.exceptions.Exit(exit_code(Code.PEER_UNREACHABLE))
