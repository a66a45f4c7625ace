"""`upprop registry unblock`: a person lets openings be answered that were too many for their member's month."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from federation.options import OpenStub, config_option, json_option
from registry.limits import client


@click.command(short_help="Let a member's openings be answered that were too many for a month.")
@click.argument("member", required=False, default="")
@click.option("--by", default="", help="Who lets them: a person's name. Asked for where left out.")
@click.option("--reason", default="", help="Why they may be answered, in a sentence or two. Asked for where left out.")
@config_option("registry")
@json_option
@click.pass_obj
def unblock(open_stub: OpenStub, member: str, by: str, reason: str, config: Path, *, as_json: bool) -> None:
    """Show what waits of MEMBER, and let it be answered. Without MEMBER: show who has something that waits.

    A member that states more openings in a month than the policy allows (monthly_openings, or that percentage of its
    roster) may be searching for pupils that are not its own. What goes beyond is watched, and its cases open in time,
    but no answer is given until a person has asked the member why it has so many: a school that was closed, a school
    system that was replaced. Whoever lets them is kept with the reason, and stands in the ledger; the answers are
    given by the next close.

    How many they are is said in words alone: a few, tens, hundreds, thousands. With --json nothing is asked for.
    """
    if bool(by) != bool(reason) and as_json:
        raise click.UsageError("Give both --by and --reason, or neither to see what waits.")
    with open_stub(config) as stub:
        lines = client.waiting(stub, member)
        if member and lines and not as_json:
            _show(lines)
            by = by or click.prompt("Who lets them (a person's name; Ctrl-C to leave them)")
            reason = reason or click.prompt("Why")
        released = bool(member and by and reason)
        if released:
            lines = client.release(stub, member, by, reason)
    if as_json:
        click.echo(json.dumps({"waiting": lines, "released": released}))
    elif released:
        click.echo("They are answered by the next close.")
    elif lines:
        _show(lines)
    else:
        click.echo(f"Nothing waits of {member}." if member else "Nothing waits of any member.")


def _show(lines: Sequence[client.Waits]) -> None:
    for line in lines:
        click.echo(f"{line['member']}: {line['openings']} of those received in {line['month']} wait.")
