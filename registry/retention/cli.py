"""`upprop registry retention`: what is due to be taken away, and taking it away now."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from federation.options import OpenStub, config_option, json_option
from registry.retention import client

_STEPS = {
    "statistics": "what statistics keep of a year whose last table is drawn",
    "handles": "what answered and forgotten handles say, with their pseudonyms",
    "cases": "names of cases closed long ago",
    "notices": "notices that were acknowledged long ago",
    "batches": "answers to batches nobody asks for again",
    "closes": "closes of long ago",
    "contacts": "contacts between members that lapsed or are over",
}


@click.command(short_help="Take away what has served its purpose.")
@click.option("--dry-run", is_flag=True, help="Say what is due and change nothing.")
@config_option("registry")
@json_option
@click.pass_obj
def retention(open_stub: OpenStub, config: Path, *, dry_run: bool, as_json: bool) -> None:
    """Take away now what has served its purpose, by the policy's retention values.

    The running registry does this by itself after each close, in small portions; a round that was stopped goes on where
    it was. Every portion leaves a trace in the ledger. docs/manual/retention.md says for each table how long its rows
    are kept, and why.

    How much was taken away is not said: how many gaps and cases there are is no operator's to know.
    """
    with open_stub(config) as stub:
        done = client.retain(stub, _progress(shown=not as_json), dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({**done, "dry_run": dry_run}))
        return
    if done["closed_on"] is None:
        click.echo("No close has ended yet, or one is being made: nothing is taken away.")
        return
    yes, no = ("due", "nothing due") if dry_run else ("taken away", "nothing was due")
    click.echo(f"As of the close of {done['closed_on']}:")
    for step, due in done["due"].items():
        click.echo(f"  {_STEPS[step]}: {yes if due else no}")


def _progress(*, shown: bool) -> Callable[[str, int], None]:
    if not shown or not sys.stderr.isatty():
        return lambda step, done: None  # noqa: ARG005 - nobody watches

    def show(step: str, done: int) -> None:
        click.echo(f"\r\x1b[K{step}: portion {done:,}", nl=False, err=True)

    return show
