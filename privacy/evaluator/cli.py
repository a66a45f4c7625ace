"""`upprop evaluator`: what the operator of an evaluator types.

Errors are `UppropError`s; whoever mounts this group prints their sentence and ends with their exit code.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from federation import control
from federation.errors import Code, UppropError
from federation.files import replace, write_secret
from federation.identity import Kind
from federation.migration import migrate_at_rest
from federation.observability import Log, Metrics
from federation.options import config_option, json_option
from federation.pki import private_pem, public_pem
from federation.renewal import own_identity
from federation.runtime import Daemon, make_clock
from federation.settings import load
from privacy.evaluator import share_cli
from privacy.evaluator.acceptance import open_descriptors
from privacy.evaluator.acceptance_cli import accept
from privacy.evaluator.app import App, build
from privacy.evaluator.client import allow as grant
from privacy.evaluator.client import status as read_status
from privacy.evaluator.copies_cli import backup, restore
from privacy.evaluator.doctor.cli import doctor
from privacy.evaluator.evaluation import LARGEST_ALLOWANCE
from privacy.evaluator.founding import init
from privacy.evaluator.quota_cli import quota_reports
from privacy.evaluator.settings import STORE_PACKAGE, EvaluatorSettings, open_database
from privacy.evaluator.witness_cli import witness
from privacy.key_file import MAX_EPOCH
from privacy.keys import deal_epoch
from privacy.threshold import MAX_SHARES

SIGNING_KEY = "signing.key"
PUBLIC_SIGNING_KEY = "signing.pub"


@click.group(short_help="Run one of the evaluators that together hold the pseudonym key.")
@click.pass_context
def evaluator(context: click.Context) -> None:
    """An evaluator holds one share of the key that turns identity numbers into pseudonyms. It answers municipalities,
    counts how much each asks, and never sees a number or a pseudonym.

    Evaluators are run by separate bodies: whoever holds enough shares can undo every pseudonym.
    """
    context.obj = _open_stub


@evaluator.command()
@config_option("evaluator")
def serve(config: Path) -> None:
    """Start the evaluator and run until stopped (Ctrl-C or SIGTERM).

    Log lines go to standard error, one JSON object each.
    """
    settings = load(config, EvaluatorSettings)
    log = Log(level=settings.log_level)
    descriptors = open_descriptors(settings, log)
    clock = make_clock(settings, descriptors)
    metrics = Metrics(CollectorRegistry())
    own = own_identity(settings, descriptors, Kind.EVALUATOR, log)

    def make() -> App:
        return build(settings, clock=clock, metrics=metrics, descriptors=descriptors, own=own, log=log)

    Daemon(settings, make, clock=clock, metrics=metrics, log=log, descriptors=descriptors, own=own).run()


@evaluator.command()
@config_option("evaluator")
@json_option
def migrate(config: Path, *, as_json: bool) -> None:
    """Create the database, or bring it up to date after an upgrade.

    Stop the evaluator and back up the database first. Running it twice does no harm.
    """
    settings = load(config, EvaluatorSettings)
    done = migrate_at_rest(settings.data_dir, lambda: open_database(settings), STORE_PACKAGE)
    _say(as_json, asdict(done), done.sentence)


@evaluator.command()
@config_option("evaluator")
@json_option
def status(config: Path, *, as_json: bool) -> None:
    """Show the epochs served, the newest checkpoint of the registry's ledger that this evaluator has co-signed, how
    much each member has asked for against its quota, and what is allowed beyond it.

    A checkpoint older than a few hours means that the registry does not reach you, or does not run.

    A member that uses far more than others of its size asks for a reason: look into it. Works whether the evaluator is
    running or not.
    """
    with _open_stub(config) as stub:
        lines = read_status(stub)
    _say(as_json, lines, "\n".join(f"{name}: {value}" for name, value in lines.items()))


@evaluator.command()
@click.argument("member")
@click.option(
    "--elements",
    type=click.IntRange(0, LARGEST_ALLOWANCE),
    required=True,
    help="How many numbers more than its quota; 0 takes back what was allowed.",
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The last day on which it may be used, such as 2026-10-19.",
)
@config_option("evaluator")
@json_option
def allow(member: str, elements: int, until: datetime, config: Path, *, as_json: bool) -> None:
    """Let MEMBER ask for more pseudonyms than its quota: for one that has lost its database.

    It then asks for the pseudonyms of its whole roster at once (upprop node recover). Allow as many elements as it has
    pupils, for a few days, once it has told you why over the telephone. What you allow takes the place of what was
    allowed before, is used up once, and goes into the log. So many evaluators have to allow it as must answer.
    """
    with _open_stub(config) as stub:
        grant(stub, member, elements, until.date())
    stated = {"member": member, "elements": elements, "until": until.date().isoformat()}
    if elements:
        _say(as_json, stated, f"{member} may ask for {elements} more than its quota until {until.date()}.")
    else:
        _say(as_json, stated, f"{member} may ask for no more than its quota.")


@evaluator.command()
@click.option("--epoch", type=click.IntRange(1, MAX_EPOCH), required=True, help="The epoch the key is for.")
@click.option(
    "--threshold",
    type=click.IntRange(2, MAX_SHARES),
    default=2,
    show_default=True,
    help="How many evaluators must answer for a pseudonym.",
)
@click.option(
    "--shares",
    type=click.IntRange(2, MAX_SHARES),
    default=3,
    show_default=True,
    help="How many evaluators there are.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Directory to write into; gets one directory per evaluator.",
)
@json_option
def keygen(epoch: int, threshold: int, shares: int, out: Path, *, as_json: bool) -> None:
    """Deal the shares of a new epoch's key, FOR DEMONSTRATIONS AND TESTS ONLY.

    Writes OUT/evaluator-N/epoch-N.share and, where there is none yet, a signing key beside it, readable by you alone,
    and prints the commands that put the epoch into the federation's descriptor.

    This command is a dealer: the machine it runs on knows the whole key for a moment, and with it every pseudonym.
    """
    if threshold > shares:
        raise click.BadParameter("cannot be more than --shares", param_hint="--threshold")
    click.echo("WARNING, unsafe for real pupils: this machine knows the whole key and holds every share.", err=True)
    homes = {index: out / f"evaluator-{index}" for index in range(1, shares + 1)}
    names = {index: home / f"epoch-{epoch}.share" for index, home in homes.items()}
    if taken := [path for path in names.values() if path.exists()]:
        raise UppropError(Code.CONFIG_INVALID, f"{taken[0]} exists already and is not overwritten; move it away first.")
    dealt = deal_epoch(epoch, threshold, shares, secrets.token_bytes)
    for index, home in homes.items():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(names[index], dealt.shares[index])
        _write_signing_key(home)
    if as_json:
        stated = {
            "epoch": epoch,
            "threshold": threshold,
            "share_version": dealt.share_version,
            "public_key": dealt.public_key.hex(),
            "commitments": {index: commitment.hex() for index, commitment in dealt.commitments.items()},
            "share_files": {index: str(path) for index, path in names.items()},
        }
        click.echo(json.dumps(stated))
        return
    click.echo(f"Wrote {shares} shares below {out}. Take each to its evaluator: into its share_dir, or name it under")
    click.echo("share_files.")
    click.echo("Where the descriptor lists no evaluators yet, the authority adds them:\n")
    for index, home in homes.items():
        click.echo(
            f"  upprop federation add evaluator draft.toml --index {index} --address HOST:PORT "
            f"--signing-key {home / PUBLIC_SIGNING_KEY} --certificate evaluator-{index}.crt"
        )
    click.echo("\nThen the epoch (or with --from, of what this command says with --json):\n")
    commitments = " ".join(f"--commitment {index}:{each.hex()}" for index, each in sorted(dealt.commitments.items()))
    click.echo(
        f"  upprop federation add epoch draft.toml --epoch {epoch} --threshold {threshold} "
        f"--public-key {dealt.public_key.hex()} {commitments}"
    )
    click.echo("\nAnd each evaluator signs it:\n")
    for index, home in homes.items():
        click.echo(
            f"  upprop federation sign-epoch draft.toml --epoch {epoch} --index {index} "
            f"--signing-key {home / SIGNING_KEY}"
        )


def _write_signing_key(home: Path) -> None:
    """The key with which the evaluator signs epochs, made once."""
    if not (home / SIGNING_KEY).exists():
        key = Ed25519PrivateKey.generate()
        write_secret(home / SIGNING_KEY, private_pem(key))
        replace(home / PUBLIC_SIGNING_KEY, public_pem(key.public_key()))


@contextmanager
def _open_stub(config: Path) -> Iterator[control.Stub]:
    """Speaks to the running evaluator or, where none runs, to one in this process, which logs to standard error."""
    settings = load(config, EvaluatorSettings)
    log = Log(level="warning")
    descriptors = open_descriptors(settings, Log(level="error"))
    clock = make_clock(settings, descriptors)

    def make() -> App:
        return build(settings, clock=clock, metrics=Metrics(CollectorRegistry()), descriptors=descriptors, log=log)

    with control.session(settings.data_dir, make, clock=clock, log=log) as stub:
        yield stub


def _say(as_json: bool, fields: Mapping[str, object], sentence: str) -> None:
    click.echo(json.dumps(fields) if as_json else sentence)


evaluator.add_command(doctor)
evaluator.add_command(init)
evaluator.add_command(accept)
evaluator.add_command(quota_reports)
evaluator.add_command(backup)
evaluator.add_command(restore)
evaluator.add_command(witness)
evaluator.add_command(share_cli.share)
evaluator.add_command(share_cli.invite)
evaluator.add_command(share_cli.refresh)
