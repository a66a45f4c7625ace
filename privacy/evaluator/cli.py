"""`upprop evaluator`: what the operator of an evaluator types.

Errors are `UppropError`s; whoever mounts this group prints their sentence and ends with their exit code.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from prometheus_client import CollectorRegistry

from federation.descriptor import DescriptorStore, Epoch, sign_epoch
from federation.errors import Code, UppropError
from federation.files import read_secret, write_secret
from federation.identity import Kind
from federation.lock import DaemonLock
from federation.migration import migrate as migrate_store
from federation.observability import Log, Metrics
from federation.pki import private_pem
from federation.runtime import Daemon, make_clock
from federation.settings import load
from federation.tls import OwnIdentity
from privacy.evaluator.app import App, build
from privacy.evaluator.settings import STORE_PACKAGE, EvaluatorSettings, open_database
from privacy.keys import MAX_EPOCH, deal_epoch
from privacy.threshold import MAX_SHARES

_config = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("config.toml"),
    show_default=True,
    help="The evaluator's settings file.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")


@click.group(short_help="Run one of the evaluators that together hold the pseudonym key.")
def evaluator() -> None:
    """An evaluator holds one share of the key that turns identity numbers into pseudonyms. It answers municipalities,
    counts how much each asks, and never sees a number or a pseudonym.

    Evaluators are run by separate bodies: whoever holds enough shares can undo every pseudonym.
    """


@evaluator.command()
@_config
def serve(config: Path) -> None:
    """Start the evaluator and run until stopped (Ctrl-C or SIGTERM).

    Log lines go to standard error, one JSON object each.
    """
    settings = load(config, EvaluatorSettings)
    log = Log(level=settings.log_level)
    descriptors = DescriptorStore.of(settings, log)
    clock = make_clock(settings, descriptors)
    metrics = Metrics(CollectorRegistry())
    own = OwnIdentity.of(settings, descriptors, kind=Kind.EVALUATOR)

    def make() -> App:
        return build(settings, clock=clock, metrics=metrics, descriptors=descriptors, own=own, log=log)

    Daemon(settings, make, clock=clock, metrics=metrics, log=log, descriptors=descriptors, own=own).run()


@evaluator.command()
@_config
@_json
def migrate(config: Path, *, as_json: bool) -> None:
    """Create the database, or bring it up to date after an upgrade.

    Stop the evaluator and back up the database first. Running it twice does no harm.
    """
    settings = load(config, EvaluatorSettings)
    with DaemonLock(settings.data_dir):
        database = open_database(settings)
        try:
            before, after = migrate_store(database, STORE_PACKAGE)
        finally:
            database.close()
    unchanged = before == after
    _say(
        as_json,
        {"before": before, "after": after},
        f"The database is up to date ({after})." if unchanged else f"The database is now at {after}.",
    )


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
@_json
def keygen(epoch: int, threshold: int, shares: int, out: Path, *, as_json: bool) -> None:
    """Deal the shares of a new epoch's key, FOR DEMONSTRATIONS AND TESTS ONLY.

    Writes OUT/evaluator-N/epoch-N.share and, where there is none yet, OUT/evaluator-N/signing.key, readable by you
    alone, and prints what the authority puts into the federation descriptor.

    This command is a dealer: the machine it runs on knows the whole key for a moment, and with it every pseudonym.
    """
    if threshold > shares:
        raise click.BadParameter("cannot be more than --shares", param_hint="--threshold")
    click.echo(
        "WARNING: UNSAFE for real pupils: this machine has just known the whole key, and holds every share.", err=True
    )
    dealt = deal_epoch(epoch, threshold, shares, secrets.token_bytes)
    homes = {index: out / f"evaluator-{index}" for index in sorted(dealt.shares)}
    names = {index: home / f"epoch-{epoch}.share" for index, home in homes.items()}
    if taken := [path for path in names.values() if path.exists()]:
        raise UppropError(Code.CONFIG_INVALID, f"{taken[0]} exists already and is not overwritten; move it away first.")
    listed = Epoch(
        epoch=epoch,
        threshold=threshold,
        shares=shares,
        share_version=dealt.share_version,
        public_key=dealt.public_key,
        commitments=dict(dealt.commitments),
    )
    signing_keys = {}
    for index, home in homes.items():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        signing_keys[index] = _signing_key(home / "signing.key")
        listed = sign_epoch(listed, index, signing_keys[index])
        write_secret(names[index], dealt.shares[index])
    evaluators = [
        {"index": index, "signing_key": key.public_key().public_bytes_raw()} for index, key in signing_keys.items()
    ]
    entry = {"evaluators": evaluators, "epochs": [msgspec.to_builtins(listed, str_keys=True)]}
    if as_json:
        click.echo(msgspec.json.encode({**entry, "share_files": {i: str(p) for i, p in names.items()}}).decode())
        return
    click.echo(f"Wrote {', '.join(map(str, names.values()))}. Move each to its evaluator, name it there under")
    click.echo("share_files, and put this into the descriptor (with each evaluator's address):\n")
    click.echo(msgspec.toml.encode(entry).decode(), nl=False)


def _signing_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        write_secret(path, private_pem(key))
        return key
    try:
        found = load_pem_private_key(read_secret(path), password=None)
    except (ValueError, TypeError) as error:
        raise UppropError(Code.CONFIG_INVALID, f"{path} does not hold a private key (PEM).") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise UppropError(Code.CONFIG_INVALID, f"{path} holds a key of another kind than Ed25519.")
    return found


def _say(as_json: bool, fields: Mapping[str, object], sentence: str) -> None:
    click.echo(json.dumps(fields) if as_json else sentence)
