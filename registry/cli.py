"""`upprop registry`: what the operator of the registry types.

Errors are `UppropError`s; whoever mounts this group prints their sentence and ends with their exit code.
"""

from __future__ import annotations

import gc
import json
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from federation import control
from federation.database import Database
from federation.descriptor_store import DescriptorStore
from federation.files import replace, write_secret
from federation.identity import Kind
from federation.migration import migrate_at_rest
from federation.observability import Log, Metrics
from federation.options import config_option, json_option
from federation.pki import private_pem, public_pem
from federation.renewal import own_identity
from federation.runtime import Daemon, make_clock
from federation.settings import load
from privacy.key_file import MAX_EPOCH
from privacy.registry_key import REGISTRY_KEY_BYTES, RegistryKey, serialise_registry_key
from registry.app import App, build
from registry.certificates.issuing import certifiers
from registry.client import evaluate as evaluate_day
from registry.copies.cli import backup, restore
from registry.doctor.cli import doctor
from registry.epochs.cli import epoch as epoch_group
from registry.founding import init
from registry.limits.cli import unblock
from registry.retention.cli import retention
from registry.settings import STORE_PACKAGE, RegistrySettings, open_for_migration
from registry.silence.cli import members, status
from registry.statistics.publishing.cli import publish
from registry.store import roles as store_roles


@click.group(short_help="Run the national registry that matches gaps.")
@click.pass_context
def registry(context: click.Context) -> None:
    """The registry takes pseudonymised signals from the municipalities, compares them once a day, and tells a
    municipality when one of its pupils who left has not turned up anywhere.

    It never sees a name or an identity number.
    """
    context.obj = _open_stub


@registry.command(short_help="Start the registry and run until stopped.")
@config_option("registry")
def serve(config: Path) -> None:
    """Start the registry and run until stopped (Ctrl-C or SIGTERM).

    Takes signals at any time and closes the day at 18:00. Log lines go to standard error, one JSON object each.
    """
    settings = load(config, RegistrySettings)
    log = Log(level=settings.log_level)
    descriptors = DescriptorStore.of(settings, log)
    clock = make_clock(settings, descriptors)
    metrics = Metrics(CollectorRegistry())

    def make() -> App:
        # Batches and closes make many short-lived values and no cycles; looking for cycles as often as usual takes an
        # eighth of their time.
        gc.set_threshold(50_000, 20, 20)
        return build(settings, clock=clock, metrics=metrics, descriptors=descriptors, own=own, log=log)

    own = own_identity(settings, descriptors, Kind.REGISTRY, log, certifiers(settings, descriptors, log))
    Daemon(settings, make, clock=clock, metrics=metrics, log=log, descriptors=descriptors, own=own).run()


@registry.command(short_help="Create the database or bring it up to date.")
@config_option("registry")
@json_option
def migrate(config: Path, *, as_json: bool) -> None:
    """Create the database, or bring it up to date after an upgrade.

    Back up first: upprop registry backup FILE. Running it twice does no harm; of two at once the second waits.

    On PostgreSQL replicas of the version before go on meanwhile and afterwards: a new version only adds to the schema.
    Migrate with the new version, then replace the replicas one by one. One of the old version that is stopped does not
    start again (exit code 13). No version may be left out. On SQLite stop the registry first.

    On PostgreSQL three roles keep apart who owns the tables, who changes them and who works on them. Make them once:

    \b
      CREATE ROLE upprop_owner NOLOGIN;
      CREATE ROLE upprop_migrator LOGIN PASSWORD '...' IN ROLE upprop_owner;
      CREATE ROLE upprop_app LOGIN PASSWORD '...';
      CREATE DATABASE upprop OWNER upprop_owner;

    and name them in the settings of the machine that migrates:

    \b
      database_url_file = "app.url"
      [database_roles]
      owner = "upprop_owner"
      app = "upprop_app"
      migrator_url_file = "migrator.url"

    This command then gives upprop_app exactly what the registry needs. It may not change tables, nor update or delete
    what stands in the ledger, nor releases of the statistics and what was spent on them. The replicas need
    database_url_file alone.
    """
    settings = load(config, RegistrySettings)
    roles = settings.database_roles

    def grant(database: Database) -> None:
        if roles is not None:
            store_roles.grant(database, roles.app)

    done = migrate_at_rest(
        settings.data_dir,
        lambda: open_for_migration(settings),
        STORE_PACKAGE,
        then=grant,
        serving=settings.database_url_file is not None,
    )
    _say(as_json, asdict(done), done.sentence)


@registry.command(short_help="Close the day now and make the notices.")
@config_option("registry")
@json_option
def evaluate(config: Path, *, as_json: bool) -> None:
    """Close the day now: compare all signals and make the notices for the municipalities.

    The running registry does this by itself at 18:00. Running it twice on a day changes nothing that has not changed
    since. Works whether the registry is running or not.
    """
    with _open_stub(config) as stub:
        report = evaluate_day(stub, _progress(shown=not as_json))
    _say(as_json, report, f"{report['closed_on']} is closed.")


@registry.command(short_help="Make the registry's key of an epoch, or of its ledger.")
@click.option("--epoch", type=click.IntRange(1, MAX_EPOCH), help="The epoch the key is for.")
@click.option("--ledger", "of_ledger", is_flag=True, help="Make the key that signs the ledger instead.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it.  [default: epoch-N.key, or ledger.key]",
)
def keygen(epoch: int | None, out: Path | None, *, of_ledger: bool) -> None:
    """Make one of the registry's own keys.

    With --epoch N: the key over the pseudonyms of an epoch. Name the file under [epoch_keys] in the settings. Keep it
    apart from the database and its backups: whoever has only one of the two can do nothing with it.

    With --ledger: the key that signs the ledger's checkpoints, once for all replicas. Name it as ledger_key in the
    settings, and send the public key beside it to the authority for the descriptor. Back it up: members take no
    checkpoint under another key.
    """
    if of_ledger == (epoch is not None):
        raise click.UsageError("Say which key: --epoch N or --ledger.")
    if epoch is None:
        _ledger_keygen(out or Path("ledger.key"))
        return
    path = out or Path(f"epoch-{epoch}.key")
    write_secret(path, serialise_registry_key(RegistryKey(epoch, secrets.token_bytes(REGISTRY_KEY_BYTES))))
    click.echo(f'Wrote {path}. Name it in the settings:\n\n[epoch_keys]\n{epoch} = "{path.name}"')


def _ledger_keygen(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    write_secret(path, private_pem(key))
    public = path.with_suffix(".pub")
    replace(public, public_pem(key.public_key()))
    click.echo(
        f'Wrote {path} and {public}. In the settings: ledger_key = "{path.name}". The authority lists the public key:'
        f"\n\nupprop federation add ledger DRAFT --public-key {public.name}"
    )


@contextmanager
def _open_stub(config: Path) -> Iterator[control.Stub]:
    """Speaks to the running registry or, where none runs, to one in this process, which logs to standard error."""
    settings = load(config, RegistrySettings)
    log = Log(level="warning")
    descriptors = DescriptorStore.of(settings, log)
    clock = make_clock(settings, descriptors)

    def make() -> App:
        return build(settings, clock=clock, metrics=Metrics(CollectorRegistry()), descriptors=descriptors, log=log)

    with control.session(settings.data_dir, make, clock=clock, log=log) as stub:
        yield stub


def _progress(*, shown: bool) -> Callable[[int, int], None]:
    if not shown or not sys.stderr.isatty():
        return lambda done, total: None  # noqa: ARG005 - nobody watches

    def show(done: int, total: int) -> None:
        click.echo(f"\rclosing: {done:,} of {total:,}", nl=done >= total, err=True)

    return show


def _say(as_json: bool, fields: Mapping[str, object], sentence: str) -> None:
    click.echo(json.dumps(fields) if as_json else sentence)


for _command in (init, status, doctor, members, unblock, backup, restore, retention, publish, epoch_group):
    registry.add_command(_command)
