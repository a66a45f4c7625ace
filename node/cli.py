"""`upprop node`: what a municipality's IT staff and case workers do with their node."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path

import click
from prometheus_client import CollectorRegistry

from federation import settings as settings_files
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError, exit_code
from federation.files import write_secret
from federation.identity import Kind
from federation.identity import node as node_identity
from federation.migration import migrate_at_rest
from federation.observability import Log, Metrics
from federation.pki import new_tls_key, private_pem
from federation.renewal import own_identity
from federation.runtime import Daemon, make_clock
from federation.tls import OwnIdentity, public_key_sha256
from node import printing
from node.app import App, build
from node.casework.cli import affirm, cases, review, say
from node.client import Client
from node.doctor.cli import doctor
from node.drill.cli import drill
from node.explain.cli import check, explain
from node.joining import signing_request
from node.ledger.cli import ledger
from node.options import config_option, json_option, open_stub, words_option
from node.push.cli import client
from node.records.cli import import_export, systems
from node.recovery.cli import backup, recover, restore
from node.settings import STORE_PACKAGE, NodeSettings, open_database
from node.store.sealing import RECORD_KEY_BYTES
from node.wording import Words
from node.wording.texts import Text


@click.group()
def node() -> None:
    """The node of a municipality or an independent school operator.

    It takes in the school system's exports, tells the federation in pseudonyms who has left and who has come, and keeps
    the case files of pupils who are accounted for nowhere. Names and numbers never leave it.

    \b
    A new node:      upprop node init DIR --member 0180
    Every night:     upprop node import FILE --as-of DATE
    Before it:       upprop node check FILE --as-of DATE
    In between:      upprop node serve   (or: upprop node sync)
    Case workers:    upprop node cases, explain, say, affirm, review
    Does it work:    upprop node doctor, upprop node status, upprop node drill
    Is it all there: upprop node ledger verify
    Every night too: upprop node backup FILE     (and when the database is lost: restore, recover)
    More than one school system, or one that pushes by itself: upprop node systems, upprop node client
    """


@node.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--member", required=True, help="Your member id: the municipality code, or code-organisation number.")
def init(directory: Path, member: str) -> None:
    """Write settings and keys for a new node into DIRECTORY.

    Makes the record key, under which identities are sealed, and the TLS key; both can be read by you alone. Keep a copy
    of the record key somewhere else than the copies of the data: without it the data cannot be read, and with it they
    can.
    """
    identity = node_identity(member)
    config = directory / "config.toml"
    if config.exists():
        raise UppropError(Code.CONFIG_INVALID, f"{config} exists already and is not overwritten.")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(directory / "record.key", secrets.token_bytes(RECORD_KEY_BYTES))
    key = new_tls_key()
    write_secret(directory / "tls.key", private_pem(key))
    (directory / "tls.csr").write_bytes(signing_request(identity, key))
    config.write_text(_SKELETON.format(identity=identity.uri), encoding="utf-8")
    click.echo(
        f"Written to {directory}: config.toml, record.key, tls.key, tls.csr.\n\n"
        f"Next:\n"
        f"1. Send tls.csr to the federation's CA, and tell the authority over the telephone what its key is:\n"
        f"   {public_key_sha256(key.public_key())}\n"
        f"2. Put what they send back beside config.toml: tls.crt, federation.toml, authority.pub.\n"
        f"3. upprop node migrate --config {config}\n"
        f"4. upprop node import EXPORT --as-of DATE --config {config}\n"
        f"5. upprop node serve --config {config}"
    )


@node.command()
@config_option
def serve(config: Path) -> None:
    """Run the node: send and fetch at intervals until told to stop (Ctrl-C or SIGTERM).

    Commands given meanwhile are carried out by the running node. It opens no port to the outside; on this machine it
    shows its state under /healthz, /readyz and /metrics.
    """
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


for _commands in (
    (import_export, systems, client, check),
    (cases, explain, say, affirm, review),
    (drill, doctor, ledger, backup, restore, recover),
):
    for _command in _commands:
        node.add_command(_command)


_SKELETON = """\
# Settings of {identity}. Paths are relative to this file.
data_dir = "data"
record_key = "record.key"          # seals identities; mode 0600; keep a copy apart from copies of the data
certificate = "tls.crt"            # from the federation's CA
private_key = "tls.key"            # mode 0600
descriptor = "federation.toml"     # from the authority; replaced whenever it sends a newer one
authority_key = "authority.pub"    # pinned: whoever holds its private half says who belongs
metrics_listen = "127.0.0.1:9464"  # /metrics, /healthz, /readyz
log_level = "info"
# sync_seconds = 900               # how often a running node sends and fetches
# upper_secondary = true           # gymnasium (GY, GYS, GYAN) counts as presence
# drill_days = 30                  # a running node drills by itself so often; 0: never
# enrolment_listen = "10.0.0.5:7450"       # where your school systems may push, inside your own network
# enrolment_names = ["upprop.example.se"]  # how they call this machine, where it is not that address
# database_url_file = "db.url"     # a postgresql:// URL (mode 0600) in place of SQLite in data_dir
# [school_systems.main]            # tables come last: a school system whose API the node fetches from
# url = "https://skola.example.se/ss12000/v2"
# token_file = "school.token"      # mode 0600; or token_url, client_id, client_secret_file, scope
# at = "05:30"                     # a running node fetches every day from this time on
"""
