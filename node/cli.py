"""`upprop node`: what a municipality's IT staff and case workers do with their node."""

from __future__ import annotations

import io
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from prometheus_client import CollectorRegistry

from federation import settings as settings_files
from federation.control import session
from federation.descriptor import DescriptorStore
from federation.errors import Code, UppropError, exit_code
from federation.files import write_secret
from federation.identity import Kind
from federation.identity import node as node_identity
from federation.migration import migrate_at_rest
from federation.observability import Log, Metrics
from federation.pki import new_tls_key, private_pem
from federation.runtime import Daemon, make_clock
from federation.tls import OwnIdentity, public_key_sha256
from node import printing
from node.app import App, build
from node.casework.sayings import words
from node.client import Client
from node.joining import signing_request
from node.model import Reason
from node.settings import STORE_PACKAGE, NodeSettings, open_database
from node.store.sealing import RECORD_KEY_BYTES


class Day(click.ParamType[date]):
    """A date as 2026-10-19."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 (a plain date has no zone)
        except ValueError:
            self.fail("write the date as 2026-10-19", param, ctx)


_config = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.toml"),
    envvar="UPPROP_NODE_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The node's settings file.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script, and no progress.")


@click.group()
def node() -> None:
    """The node of a municipality or an independent school operator.

    It takes in the school system's exports, tells the federation in pseudonyms who has left and who has come, and keeps
    the case files of pupils who are accounted for nowhere. Names and numbers never leave it.

    \b
    A new node:      upprop node init DIR --member 0180
    Every night:     upprop node import FILE --as-of DATE
    In between:      upprop node serve   (or: upprop node sync)
    Case workers:    upprop node cases, say, review
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
@_config
def serve(config: Path) -> None:
    """Run the node: send and fetch at intervals until told to stop (Ctrl-C or SIGTERM).

    Commands given meanwhile are carried out by the running node. It opens no port to the outside; on this machine it
    shows its state under /healthz, /readyz and /metrics.
    """
    settings = settings_files.load(config, NodeSettings)
    log, metrics = Log(level=settings.log_level), Metrics(CollectorRegistry())
    descriptors = DescriptorStore.of(settings, log)
    own = OwnIdentity.of(settings, descriptors, kind=Kind.NODE)
    clock = make_clock(settings, descriptors)

    def make() -> App:
        return build(settings, clock=clock, metrics=metrics, log=log, descriptors=descriptors, own=own)

    Daemon(settings, make, clock=clock, metrics=metrics, log=log, descriptors=descriptors, own=own).run()


@node.command()
@_config
@_json
def migrate(config: Path, as_json: bool) -> None:
    """Make the node's store, or bring it up to date. Stop the node before, and keep a copy. Twice does no harm."""
    settings = settings_files.load(config, NodeSettings)
    done = migrate_at_rest(settings.data_dir, lambda: open_database(settings), STORE_PACKAGE)
    if as_json:
        printing.as_json(asdict(done))
    else:
        click.echo(done.sentence)


@node.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--as-of", required=True, type=Day(), help="The day whose state the export shows, as 2026-10-19.")
@click.option("--accept-shrink", is_flag=True, help="Take an export that lacks half the roster: they have really left.")
@click.option(
    "--confirm-leavings", is_flag=True, help="Let through leavings that wait because a school unit emptied at once."
)
@_config
@_json
def import_export(
    file: Path, as_of: date, accept_shrink: bool, confirm_leavings: bool, config: Path, as_json: bool
) -> None:
    """Take in one export FILE of the school system (SS 12000, GET /persons).

    The first import is the baseline: it says who is here, and nothing about pupils who simply stay. The same file again
    changes nothing. An export that is broken, older than the last one, another municipality's, or that lacks half the
    roster is refused whole, and what is known stays as it is.
    """
    with _client(config) as client:
        steps = client.import_export(
            file.absolute(), as_of, accept_shrink=accept_shrink, confirm_leavings=confirm_leavings
        )
        report = printing.watch(steps, quiet=as_json)
    if as_json:
        printing.as_json(report)
        return
    printing.import_report(report, confirmed=confirm_leavings)


@node.command()
@click.option("--notices-only", is_flag=True, help="Fetch what the registry has to say; send nothing.")
@_config
@_json
def sync(notices_only: bool, config: Path, as_json: bool) -> None:
    """Send what is new, and fetch what the registry has to say.

    What cannot be sent or fetched now is left for the next sync; then the exit code is 6.
    """
    with _client(config) as client:
        report = printing.watch(client.sync(notices_only=notices_only), quiet=as_json)
    if as_json:
        printing.as_json(report)
    else:
        click.echo(
            f"{report['submitted']} signals sent, {report['waiting']} waiting, {report['parked']} parked; "
            f"{report['notices']} notices."
        )
        for problem in report["problems"]:
            click.echo(f"! {problem}", err=True)
    # That signals are parked is no failure of this sync: it is said until somebody has looked into them.
    if len(report["problems"]) > bool(report["parked"]):
        raise click.exceptions.Exit(exit_code(Code.PEER_UNREACHABLE))


@node.command()
@click.option("--all", "all_gaps", is_flag=True, help="Every gap that was ever open, with its newest state.")
@click.option(
    "--protected", is_flag=True, help="With protected identities. For the protected-identity role alone: see below."
)
@_config
@_json
def cases(all_gaps: bool, protected: bool, config: Path, as_json: bool) -> None:
    """List the open case files, and what other members ask.

    A question stands where another member has an urgent case about a pupil who is enrolled here: has somebody seen the
    pupil in school? Answer with `upprop node say PERSON met --on DAY`, or with no-show or gone.

    A parked signal was not taken by the registry: look into it with the registry's operator, by the code it bears.

    Before any contact with family, school or classmates, ask the population register about each of them: is the pupil
    protected, renumbered, deceased, emigrated?

    Pupils with a protected identity, and those whose number was replaced, are shown with --protected only. It is for
    the few people of your municipality who may handle protected identities; let nobody else run it.
    """
    with _client(config) as client:
        listed = client.cases(all_gaps=all_gaps, protected=protected)
    if as_json:
        printing.as_json(listed)
        return
    if listed["cases"]:
        printing.cases(listed["cases"])
    else:
        click.echo("No open case files.")
    printing.questions(listed["questions"])
    printing.parked(listed["parked"])


@node.command(
    epilog="Reasons: "
    + ", ".join(code.value for code in Reason)
    + ". The first two, and urgent, open the case file at once."
)
@click.argument("person")
@click.argument("what", type=click.Choice(words()), metavar="WHAT")
@click.option("--on", type=Day(), help="The day it is about; today where left out.")
@click.option("--reason", default="", help="With reason: one of the codes below. Else: a text kept here, sealed.")
@click.option("--review", type=Day(), help="With duty-ended: the day on which the decision must be looked at again.")
@click.option("--by", "said_by", required=True, help="Who states it: a person's name.")
@_config
@_json
def say(
    person: str,
    what: str,
    on: date | None,
    reason: str,
    review: date | None,
    said_by: str,
    config: Path,
    as_json: bool,
) -> None:
    """State about PERSON what exports lack.

    PERSON is a national number or the school system's id; write - to be asked for it, so that it does not stay in the
    shell's history. WHAT is one of:

    \b
    reason         why the pupil left (--reason CODE)
    planned-start  first school day elsewhere that the family has told (--on)
    urgent         look for the pupil at once
    not-placed     of school age, resident since --on, no place here, none known elsewhere *
    no-show        never came: the presence that holds --on is taken back *
    gone           gone though enrolled; --on is the last day attended *
    found          accounted for since --on
    met            seen in school on --on
    affirm         made sure on --on that the pupil is in school here
    duty-ended     decided abroad or taught otherwise from --on (--review DATE)
    typing-error   the number before was wrong; the pupil was not renumbered
    release        the protected identity has ended; the pupil may be matched again

    * makes a case by hand, and counts only once a second person has agreed: upprop node review.
    """
    if person == "-":
        person = click.prompt("National number or school-system id", hide_input=sys.stdin.isatty())
    with _client(config) as client:
        saying_id, waits = client.say(person, what, on=on, reason=reason, review=review, said_by=said_by)
    if as_json:
        printing.as_json({"saying_id": saying_id, "waits_for_review": waits})
    elif waits:
        click.echo(f"Noted as {saying_id}. It counts once a second person agrees: upprop node review {saying_id}")
    else:
        click.echo(f"Noted as {saying_id}. It goes out with the next sync.")


@node.command()
@click.argument("saying_id", type=click.IntRange(min=1), required=False)
@click.option("--by", "reviewed_by", default="", help="Who reviews it: a person's name, another than who stated it.")
@click.option("--refuse", is_flag=True, help="It is not so: it never counts.")
@_config
@_json
def review(saying_id: int | None, reviewed_by: str, refuse: bool, config: Path, as_json: bool) -> None:
    """Agree to what another person stated (or --refuse it). Without SAYING_ID: list what waits."""
    if saying_id is not None and not reviewed_by:
        raise click.UsageError("Give your name with --by.")
    with _client(config) as client:
        waiting = client.review(saying_id or 0, reviewed_by=reviewed_by, refuse=refuse)
    if as_json:
        printing.as_json(waiting)
        return
    if saying_id is not None:
        click.echo(f"{saying_id} is {'refused' if refuse else 'agreed to'}.")
    if not waiting:
        click.echo("Nothing waits for review.")
        return
    printing.waiting(waiting)


@contextmanager
def _client(config: Path) -> Iterator[Client]:
    """Speaks to the running node or, where none runs, to one in this process."""
    settings = settings_files.load(config, NodeSettings)

    def host() -> App:
        # What goes wrong is said in the command's own words.
        log = Log(io.StringIO())
        descriptors = DescriptorStore.of(settings, log)
        clock = make_clock(settings, descriptors)
        return build(settings, clock=clock, metrics=Metrics(CollectorRegistry()), log=log, descriptors=descriptors)

    with session(settings.data_dir, host) as stub:
        yield Client(stub)


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
# database_url_file = "db.url"     # a postgresql:// URL (mode 0600) in place of SQLite in data_dir
"""
