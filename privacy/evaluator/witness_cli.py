"""`upprop evaluator witness`: what its administrator decides about the registry's ledger."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from federation.lock import DaemonLock
from federation.migration import check_schema
from federation.observability import Log
from federation.options import config_option, json_option
from privacy.evaluator.home import Home
from privacy.evaluator.settings import STORE_PACKAGE, open_database
from privacy.evaluator.witness import resetting

MAX_NOTE_BYTES = 16_384


@click.group(short_help="Decide about the registry's ledger, which this evaluator witnesses.")
def witness() -> None:
    """As a witness this evaluator co-signs each checkpoint of the registry's ledger that continues what it has seen. A
    ledger that was set back finds no cosignature here until a person says so.
    """


@witness.command()
@click.argument("checkpoint", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option("evaluator")
@json_option
def reset(checkpoint: Path, config: Path, *, yes: bool, as_json: bool) -> None:
    """Go on from CHECKPOINT, of a ledger that was set back: a registry that has lost its database and was restored.

    Stop the evaluator before. CHECKPOINT is the file ledger.restored that `upprop registry restore` wrote. Whoever asks
    for this asks to have history forgotten: do it only once the authority has told you over the telephone that the
    registry was restored, and how many leaves it has; compare that number with what is shown here.

    What was co-signed before stays in this evaluator's store as evidence, and every member has seen the set-back too.
    From then on only what continues CHECKPOINT is co-signed.
    """
    home = Home.of(config)
    with checkpoint.open("rb") as file:
        note = file.read(MAX_NOTE_BYTES)
    with DaemonLock(home.settings.data_dir), closing(open_database(home.settings)) as database:
        check_schema(database, STORE_PACKAGE)
        decided = resetting.prepared(database, note, home.descriptor.ledger_key)
        before, after = decided.before, decided.after
        assert before is not None
        if not yes:
            click.echo(
                f"Co-signed: {before.size} leaves, on {before.cosigned_at:%Y-%m-%d %H:%M} UTC.\n"
                f"To go on from: {after.size} leaves, root {after.root.hex()}.",
                err=True,
            )
            click.confirm("Forget what was co-signed beyond that?", abort=True, err=True)
        resetting.reset(
            database, note, decided, home.index, home.signing_key(), lambda: datetime.now(UTC), Log(level="info")
        )
    if as_json:
        click.echo(json.dumps({"seen_size": before.size, "size": after.size, "root": after.root.hex()}))
    else:
        click.echo(f"This witness goes on from {after.size} leaves. Start the evaluator again.")
