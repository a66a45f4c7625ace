"""`upprop registry epoch`: a change of the pseudonym key, as the registry's operator does it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from federation import files
from federation.options import OpenStub, config_option, json_option
from privacy.key_file import MAX_EPOCH
from registry.epochs import client

_SHARES = ("none or few", "over a quarter", "over half", "over three quarters", "all")

_epoch = click.option("--epoch", "number", type=click.IntRange(1, MAX_EPOCH), required=True, help="Its number.")


@click.group(short_help="Change the key behind all pseudonyms.")
def epoch() -> None:
    """A pseudonym key lives for one epoch. A change takes weeks, and nothing is missed in any moment of it:

    \b
    1. upprop registry epoch begin --epoch 2        makes the registry's own key of it
    2. The evaluators make and share the new key, and sign the epoch; the authority signs a
       descriptor that lists both epochs, and everyone puts it in place.
    3. Nodes give their pupils the new pseudonym by themselves:  upprop registry epoch status
    4. When every member is done, the authority signs a descriptor without the old epoch.
    5. upprop registry epoch retire --epoch 1       destroys the registry's key and its pseudonyms
       upprop evaluator share destroy --epoch 1     at each evaluator
    """


@epoch.command()
@_epoch
@config_option("registry")
@json_option
@click.pass_obj
def begin(open_stub: OpenStub, number: int, config: Path, *, as_json: bool) -> None:
    """Make the registry's key of a new epoch, in epoch_key_dir, mode 0600.

    Do this before the descriptor lists the epoch. A running registry needs no restart.
    """
    with open_stub(config) as stub:
        path = client.begin(stub, number)
    if as_json:
        click.echo(json.dumps({"epoch": number, "path": path}))
        return
    click.echo(f"Wrote {path}. Keep it apart from the database and its backups.")
    click.echo("Every replica of this registry needs the same file, in its own epoch_key_dir, before the next step.\n")
    click.echo(f"Then the descriptor: each evaluator gets its share of epoch {number}, the authority adds the epoch to")
    click.echo("its draft (upprop federation add epoch), every evaluator signs it (upprop federation sign-epoch), and")
    click.echo("the authority signs. Keep the old epoch listed. Nodes do the rest: upprop registry epoch status.")


@epoch.command()
@config_option("registry")
@json_option
@click.pass_obj
def status(open_stub: OpenStub, config: Path, *, as_json: bool) -> None:
    """Show the epochs and who has come over to the newest one.

    How many of a member's pupils still lack it is shown in quarters alone. Works whether the registry runs or not.
    """
    with open_stub(config) as stub:
        found = client.show(stub)
    if as_json:
        click.echo(json.dumps(found))
        return
    for each in found["epochs"]:
        click.echo(_line(each))
    behind = [each for each in found["members"] if not each["done"]]
    if sum(each["listed"] for each in found["epochs"]) < 2:
        click.echo("No change of epochs is under way.")
    for each in behind:
        gone = "" if each["listed"] else ", no member any more"
        heard = f"last heard of {each['last_contact']}" if each["last_contact"] else "never heard of"
        click.echo(f"  {each['member']:<15} {_SHARES[each['quarters']]} of its pupils done; {heard}{gone}")
    click.echo(f"{len(found['members']) - len(behind)} of {len(found['members'])} members are done.")


@epoch.command()
@_epoch
@click.option("--leave-behind", multiple=True, metavar="MEMBER", help="Give up what this member is not done with.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option("registry")
@json_option
@click.pass_obj
def retire(
    open_stub: OpenStub, number: int, leave_behind: Sequence[str], *, yes: bool, config: Path, as_json: bool
) -> None:
    """Destroy the registry's key of an epoch that the descriptor lists no more, and all its pseudonyms.

    Refused while a member is not done, naming it. One that can never be done (it has left the federation, or has pupils
    whose number nobody knows any more) is left behind by name: its gaps may then open again, and it answers nobody's.
    """
    with open_stub(config) as stub:
        client.retire(stub, number, leave_behind, _unseen, look_only=True)
        if not yes:
            for member in leave_behind:
                click.echo(f"{member} is left behind: what it said of pupils without the new pseudonym meets nobody.")
            click.confirm(f"Destroy the key and the pseudonyms of epoch {number} for good?", abort=True, err=as_json)
        path = client.retire(stub, number, leave_behind, _unseen if as_json else _shown, look_only=False)
    if as_json:
        click.echo(json.dumps({"epoch": number, "destroyed": path, "not_promised": files.LEFT_BEHIND}))
        return
    click.echo(f"Epoch {number} is retired: {path or 'its key'} is destroyed and its pseudonyms are deleted.")
    click.echo(files.LEFT_BEHIND)
    click.echo("Destroy the key of every other replica by the same command there. A database keeps deleted rows in its")
    click.echo("own files and in its backups; without the key they tell nothing, not even to the evaluators.")
    click.echo(f"Each evaluator now runs: upprop evaluator share destroy --epoch {number}")


def _line(each: dict[str, Any]) -> str:
    words = ["in force" if each["listed"] else "not in force"]
    words += [f"begun {each['begun_on']}"] if each["begun_on"] else []
    words += [f"ended {each['ended_on']}"] if each["ended_on"] else []
    words += [] if each["has_key"] else ["NO KEY HERE" if each["listed"] else "key destroyed"]
    words += [] if each["listed"] or not each["has_pseudonyms"] else ["pseudonyms still kept: retire it"]
    return f"Epoch {each['epoch']}: {', '.join(words)}"


def _unseen(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""


def _shown(done: int, total: int) -> None:
    click.echo(f"\rdeleting: {done:,} of {total:,}", nl=done >= total, err=True)
