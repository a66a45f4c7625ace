"""`upprop ledger`: what an operator or auditor of the registry types about the ledger.

Errors are `UppropError`s; whoever mounts this group prints their sentence and ends with their exit code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from federation import checkpoint
from federation.checkpoint import Checkpoint
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.migration import check_schema
from federation.observability import Log
from federation.options import config_option, json_option
from federation.pki import read_private_signing_key
from federation.settings import load
from registry.ledger.checking import Compared, compare
from registry.ledger.checkpoints import read_newest
from registry.ledger.verifying import Progress
from registry.settings import STORE_PACKAGE, RegistrySettings, open_database
from registry.store import ledger_audit

SHOWN = 50
"""Flaws printed, unless --json asks for all of them."""


@click.group(short_help="Compare the registry's ledger with its database.")
def ledger() -> None:
    """The ledger is an append-only Merkle tree (RFC 9162) of all that the registry took and did. Members and witnesses
    hold the registry to it from outside; these commands look from inside.
    """


@ledger.command(short_help="Derive the ledger from the database and say what does not fit.")
@config_option("registry")
@click.option(
    "--checkpoint",
    "given",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A signed checkpoint that somebody else has kept, such as a member or a witness; repeatable.",
)
@json_option
def verify(config: Path, given: tuple[Path, ...], *, as_json: bool) -> None:
    """Derive every node, root and stored digest of the ledger from the database, and compare what stands with what was
    written into it. One line for each flaw, with the index of the leaf it shows at; exit code 8 if there is any.

    Works while the registry runs, too, on one snapshot of its database. The newest checkpoint that the registry signed
    is read from its data directory: a database that was set back does not lead on to it. Checkpoints that others have
    kept say more than the registry's own.
    """
    settings = load(config, RegistrySettings)
    public_key = _public_key(settings)
    # Read before the snapshot is taken: what was signed by then is in it.
    checkpoints = [checkpoint.verify(path.read_bytes(), public_key) for path in given] if public_key else []
    if given and public_key is None:
        raise UppropError(Code.CONFIG_INVALID, "Neither descriptor nor settings name a ledger key to check them with.")
    kept = read_newest(settings.data_dir, public_key) if public_key is not None else None
    database = open_database(settings)
    try:
        check_schema(database, STORE_PACKAGE)
        found = compare(database, [*checkpoints, *([] if kept is None else [kept])], _progress(shown=not as_json))
    finally:
        database.close()
    if as_json:
        click.echo(json.dumps(_fields(found, kept)))
    else:
        _print(found, kept)
    if found.flaws:
        raise UppropError(
            Code.LEDGER_BROKEN,
            "Ledger and database contradict each other. Keep a copy of both as they are, find out who changed what, "
            "and tell the authority.",
        )


@ledger.command("quota-reports", short_help="List what evaluators reported of their quotas.")
@config_option("registry")
@json_option
def quota_reports(config: Path, *, as_json: bool) -> None:
    """List the reports that evaluators gave of what members asked them for: one line for each evaluator and day, with
    the leaf it is in and its digest.

    What a report says only its evaluator knows. It shows it with `upprop evaluator quota-reports`, and holds it against
    what stands here: --ledger takes what this command prints under --json.
    """
    settings = load(config, RegistrySettings)
    database = open_database(settings)
    try:
        check_schema(database, STORE_PACKAGE)
        with database.read("ledger_quota_reports") as tx:
            found = [
                {
                    "evaluator": report.evaluator,
                    "on": report.on.isoformat(),
                    "leaf_index": leaf_index,
                    "digest": report.digest.hex(),
                }
                for report, leaf_index in ledger_audit.quota_reports(tx)
            ]
    finally:
        database.close()
    if as_json:
        click.echo(json.dumps({"reports": found}))
        return
    for each in found:
        place = "waits for its leaf" if each["leaf_index"] is None else f"leaf {each['leaf_index']}"
        click.echo(f"{each['on']}  evaluator {each['evaluator']}  {place}  {each['digest']}")
    if not found:
        click.echo("No evaluator has reported yet.")


def _public_key(settings: RegistrySettings) -> bytes | None:
    listed = DescriptorStore.of(settings, Log(level="error")).current().ledger_key
    if listed is not None or settings.ledger_key is None:
        return listed
    return read_private_signing_key(settings.ledger_key).public_key().public_bytes_raw()


def _fields(found: Compared, kept: Checkpoint | None) -> dict[str, object]:
    return {
        "size": found.size,
        "root": found.root.hex(),
        "checkpoint_size": None if kept is None else kept.size,
        "flaws": [
            {"kind": flaw.kind.value, "leaf_index": flaw.leaf_index, "sentence": flaw.sentence} for flaw in found.flaws
        ],
    }


def _print(found: Compared, kept: Checkpoint | None) -> None:
    for flaw in found.flaws[:SHOWN]:
        click.echo(flaw.sentence)
    if len(found.flaws) > SHOWN:
        click.echo(f"… and {len(found.flaws) - SHOWN} more (--json lists all)")
    known = "no checkpoint was kept here" if kept is None else f"leads on to the checkpoint of {kept.size}"
    if not found.flaws:
        click.echo(
            f"The ledger of {found.size} leaves is whole, {known}, and fits the database. Root: {found.root.hex()}"
        )


def _progress(*, shown: bool) -> Progress:
    if not shown or not sys.stderr.isatty():
        return lambda step, done, total: None  # noqa: ARG005 - nobody watches

    def show(step: str, done: int, total: int) -> None:
        end = step == "done"
        click.echo(f"\r\x1b[Kcomparing {step}: {done:,} of {total:,}", nl=end, err=True)

    return show
