"""`upprop evaluator backup` and `restore`: the evaluator's store, which holds what members used of their quotas."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from federation import copying
from federation.lock import DaemonLock
from federation.migration import check_schema
from federation.options import config_option, json_option
from federation.settings import load
from privacy.evaluator.settings import DATABASE_NAME, STORE_PACKAGE, EvaluatorSettings, open_database
from privacy.evaluator.store.copying import EVALUATOR


@click.command(short_help="Copy the store into a file, while the evaluator runs.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option("evaluator")
@json_option
def backup(file: Path, config: Path, *, as_json: bool) -> None:
    """Copy the evaluator's store into the new file FILE, while it runs: what members asked for against their quotas,
    which shares were destroyed, and what it has seen of the registry's ledger.

    No share is in it (upprop evaluator share backup), and no key. Make one every hour: what members ask for after a
    copy is not counted once the copy is restored, so that they may ask for as much again.
    """
    settings = load(config, EvaluatorSettings)
    path = file.absolute()
    with closing(open_database(settings)) as database:
        check_schema(database, STORE_PACKAGE)
        copying.write(EVALUATOR, database, path, lambda _done, _total: None, lambda _tx: None)
    size = path.stat().st_size
    click.echo(json.dumps({"path": str(path), "bytes": size}) if as_json else f"Wrote {path}: {size:,} bytes.")


@click.command(short_help="Make the store out of a copy. Stop the evaluator before.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put the copy in place of what the store holds now, or of a damaged one.")
@config_option("evaluator")
@json_option
def restore(file: Path, config: Path, *, replace: bool, as_json: bool) -> None:
    """Make the evaluator's store out of FILE, a copy that `upprop evaluator backup` made. Stop the evaluator before.

    What members asked for since the copy was made is forgotten here, and they may ask for it again: where the copy is
    days old, tell the authority, and look at what they ask for in the weeks to come (upprop evaluator status). As a
    witness it has forgotten what it co-signed since; members' nodes say so.
    """
    settings = load(config, EvaluatorSettings)
    with (
        DaemonLock(settings.data_dir),
        copying.working(EVALUATOR, file, settings.data_dir) as copy,
    ):
        made = None if copy.made_at is None else copy.made_at.isoformat()
        copying.into_file(EVALUATOR, copy, settings.data_dir / DATABASE_NAME, replace=replace)
    if as_json:
        click.echo(json.dumps({"made_at": made}))
        return
    click.echo(f"Restored the copy of {made or 'an unknown time'}. What members asked for since is not counted.")
