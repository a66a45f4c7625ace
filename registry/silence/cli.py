"""`upprop registry members` and `status`: what its operator sees of the federation and of the registry itself."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from federation.options import OpenStub, config_option, json_option
from registry.silence import client

_STATES = {
    "CURRENT": "current",
    "SILENT": "silent",
    "NEVER_HEARD": "never heard",
    "LEFT": "left the federation",
}


@click.command(short_help="Show when each member was last heard of.")
@config_option("registry")
@json_option
@click.pass_obj
def members(open_stub: OpenStub, config: Path, *, as_json: bool) -> None:
    """Show when each member was last heard of, and how much of the federation that covers.

    A member is heard of when its node reports an import. It is silent once more of its own school days have passed
    since than the policy allows (silence_school_days). While any member is silent, or was never heard, a gap that opens
    is marked: the pupil may be in a school nobody has heard from. Turn to that member.

    Coverage is the share of the federation's pupils whose members are current. A member that was never heard counts
    with the pupils its population lets expect. Pupils are shown in steps of 50.
    """
    with open_stub(config) as stub:
        found = client.members(stub)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    table = Table()
    for column in ("Member", "Last import", "School days since", "Pupils", "State"):
        table.add_column(column, overflow="fold")
    for line in found["members"]:
        table.add_row(
            f"{line['member']} {line['name']}".strip(),
            line["last_contact"] or "",
            "" if line["days_silent"] is None else str(line["days_silent"]),
            "" if line["roster"] is None else f"{line['roster']:,}",
            _STATES[line["state"]],
        )
    Console(markup=False, highlight=False).print(table)
    click.echo(f"Current members have {found['covered_percent']} % of the federation's pupils.")


@click.command(short_help="Show how the registry stands.")
@config_option("registry")
@json_option
@click.pass_obj
def status(open_stub: OpenStub, config: Path, *, as_json: bool) -> None:
    """Show the newest close, whether one is being made, and how many members are current or silent.

    It counts no gaps, cases or notices: how many children are missed is no operator's to know.
    """
    with open_stub(config) as stub:
        lines = client.status(stub)
    if as_json:
        click.echo(json.dumps(lines))
        return
    for name, value in lines.items():
        click.echo(f"{name}: {value}")
