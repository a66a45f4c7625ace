"""`upprop registry backup` and `restore`."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import click

from federation.copying import Progress
from federation.options import config_option, json_option
from federation.settings import load
from registry.copies import restoring
from registry.copies.restoring import HELD_HOURS, RestoreReport
from registry.settings import RegistrySettings


@click.command(short_help="Copy the store into a file, while the registry runs.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option("registry")
@json_option
def backup(file: Path, config: Path, *, as_json: bool) -> None:
    """Copy the registry's store into the new file FILE, while it and its replicas run.

    One file, whatever kind of database the registry has; it can be restored into either kind. Make one every hour or
    oftener: what members were told is theirs, and is sent again, but each restore of an older copy is an alarm at every
    member. FILE is readable by you alone and never overwrites anything.

    No key is in it. The registry's keys must lie where no copy lies: whoever has a copy and an epoch's key can tell
    whether a pseudonym is in it. Back up the ledger's key, and the files statistics.drawn and ledger.checkpoint of the
    data directory, each time anew, on another machine: they tell what was drawn and signed since a copy was made.
    """
    made = restoring.backup(load(config, RegistrySettings), file.absolute(), _progress("copying", shown=not as_json))
    if as_json:
        click.echo(json.dumps({"path": str(made.path), "bytes": made.size, "leaves": made.leaves}))
        return
    click.echo(f"Wrote {made.path}: {made.size:,} bytes, {made.leaves} leaves of the ledger.")
    click.echo("No key is in it. Keep copies and keys apart.")


@click.command(short_help="Make the store out of a copy. Stop the registry before.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put the copy in place of what the store holds now, or of a damaged one.")
@click.option(
    "--set-back",
    is_flag=True,
    help="Go on although the copy lacks what was signed since, or nobody can tell. Read above what follows from it.",
)
@click.option(
    "--hold-hours",
    type=click.FloatRange(0, 72),
    default=HELD_HOURS,
    show_default=True,
    help="With --set-back: how long to wait for what members send again before a day is closed.",
)
@config_option("registry")
@json_option
def restore(file: Path, config: Path, *, replace: bool, set_back: bool, hold_hours: float, as_json: bool) -> None:
    """Make the registry's store out of FILE, a copy that `upprop registry backup` made. Stop all replicas before.

    A copy of an older version is brought up to date; FILE itself is left as it is. On PostgreSQL run it where the
    settings name the role that owns the tables, as for upprop registry migrate.

    A copy that lacks what was acknowledged since is refused without --set-back, which is what a registry that has lost
    its database needs, and nobody else. Then:

    \b
    - Each member's node finds at its next sync that the ledger was set back, raises an alarm and sends again what the
      registry lacks. Nobody's gap is lost, none is raised twice. A person there acknowledges the alarm, once the
      authority has said that all is well: upprop node ledger acknowledge --by NAME.
    - For --hold-hours no day is closed by itself, nothing is purged and no statistics are drawn, so that answers which
      were lost do not make children look missing. A node whose gap falls due meanwhile opens its case file itself.
    - Witnesses co-sign nothing until each evaluator's administrator accepts the ledger as it now is:
      upprop evaluator witness reset FILE, with the file that this command names.
    - What was decided or asked at the registry alone since the copy comes from no member: openings that a person let
      through (upprop registry unblock), questions to the statistics. Do these again.
    """
    done = restoring.restore(
        load(config, RegistrySettings),
        file,
        replace=replace,
        set_back=set_back,
        held=timedelta(hours=hold_hours),
        progress=_progress("restoring", shown=not as_json),
    )
    if as_json:
        click.echo(json.dumps(_fields(done)))
    else:
        _print(done)


def _fields(done: RestoreReport) -> dict[str, object]:
    return {
        "made_at": None if done.made_at is None else done.made_at.isoformat(),
        "leaves": done.leaves,
        "signed_leaves": done.signed_leaves,
        "lost": done.lost,
        "held_until": done.held_until.isoformat(timespec="seconds"),
        "note": None if done.note is None else str(done.note),
        "aside": None if done.aside is None else str(done.aside),
        "drawn_known": done.drawn_known,
    }


def _print(done: RestoreReport) -> None:
    made = "an unknown time" if done.made_at is None else f"{done.made_at:%Y-%m-%d %H:%M} UTC"
    click.echo(f"Restored the copy of {made}, with {done.leaves} leaves of the ledger.")
    if not done.lost:
        click.echo("Nothing that was signed here is lost. Start the registry: upprop registry serve")
        return
    if done.signed_leaves is None:
        click.echo("Whatever was acknowledged since is lost here. How much that is nobody can tell.")
    else:
        click.echo(f"Leaves {done.leaves} to {done.signed_leaves - 1} are lost, and what was acknowledged with them.")
    click.echo(f"No day is closed by itself before {done.held_until:%Y-%m-%d %H:%M} UTC. What to do:")
    click.echo("1. Tell the authority, and every member: its node raises an alarm and sends again by itself.")
    if done.note is not None:
        click.echo(f"2. Give {done.note} to each evaluator: upprop evaluator witness reset {done.note.name}")
    click.echo("3. Start the registry: upprop registry serve")
    if done.aside is not None:
        click.echo(f"The newest checkpoint of before is kept as evidence: {done.aside}")
    if not done.drawn_known:
        click.echo(
            "! No statistics.drawn lies in the data directory: statistics that were drawn since the copy may be drawn "
            "again. Before that time write their ids into it, one on a line, as they stand in what was published.",
            err=True,
        )


def _progress(doing: str, *, shown: bool) -> Progress:
    if not shown or not sys.stderr.isatty():
        return lambda done, total: None  # noqa: ARG005 - nobody watches

    def show(done: int, total: int) -> None:
        click.echo(f"\r\x1b[K{doing}: {done} of {total} tables", nl=done >= total, err=True)

    return show
