"""`upprop node ledger`: whether the registry still has what it was sent, and the alarms about it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from federation.errors import EXIT_LEDGER, Code, exit_code
from node import printing
from node.client import Answer
from node.ledger import client
from node.ledger.telling import alarm_sentence
from node.ledger.texts import LedgerText
from node.options import config_option, json_option, open_stub, words_option
from node.wording import Words


@click.group()
def ledger() -> None:
    """Watch over the registry's ledger.

    The registry keeps an append-only ledger of all it takes, and gives a receipt for every batch: the index of its
    leaf, and a signed checkpoint of the tree. The node keeps the receipts and holds the registry to them; the
    evaluators, as witnesses, see to it that all members are shown one ledger. Whoever edits, deletes, reorders or sets
    back what the registry holds is found out, also with full power over its database.

    A running node verifies everything twice a day and looks at the newest checkpoint in every sync. What it finds is an
    alarm: it stands in the first line of every command until a person has acknowledged it. Nothing is held back
    meanwhile: signals go on being sent and case files opened.
    """


@ledger.command()
@config_option
@words_option
@json_option
def verify(config: Path, words: Words, as_json: bool) -> None:
    """Verify everything now: the ledger, every receipt, the witnesses, and what the registry states of your signals.

    \b
    1. The newest checkpoint continues the one that is kept here.
    2. Every leaf of yours stands where its receipt says.
    3. What each witness has co-signed is the same ledger, and not old.
    4. What the registry states of each pupil is what you sent last, and its pseudonyms find it.

    What the registry may have deleted by the federation's retention rules is not missed. The exit code is 8 where an
    alarm stands, and 6 where the verification did not come to its end.
    """
    with open_stub(config) as stub:
        report = printing.watch(client.verify(stub), quiet=as_json, words=words)
        standing = client.alarms(stub)
    if as_json:
        printing.as_json({**report, "alarms": standing})
    else:
        _show(report, words)
        for alarm in standing:
            click.echo(f"! {_line(alarm, words)}", err=True)
    if standing:
        raise click.exceptions.Exit(EXIT_LEDGER)
    if report["problems"]:
        raise click.exceptions.Exit(exit_code(Code.PEER_UNREACHABLE))
    if not as_json and report["size"] is not None:
        click.echo(words(LedgerText.NOTHING_STANDS))


@ledger.command()
@config_option
@words_option
@json_option
def resend(config: Path, words: Words, as_json: bool) -> None:
    """Look for what the registry acknowledged and has no more, and let it go out again with the next sync.

    A registry that was restored from an older copy lacks what you sent since. A node notices that by the ledger and
    sends again by itself: this command is for when the registry's operator asks you to do it now, and for a federation
    without a ledger. What goes out again is what was said, under the same name and number; a registry that has it after
    all changes nothing.

    Not sent again is what was said of pupils who have a protected identity since. Their gaps stand at this node.
    """
    with open_stub(config) as stub:
        found = client.resend(stub)
    if as_json:
        printing.as_json(found)
        return
    click.echo(words(LedgerText.RESENT, **found))
    if found["again"]:
        click.echo(words(LedgerText.RESENT_NEXT))


@ledger.command()
@config_option
@words_option
@json_option
def alarms(config: Path, words: Words, as_json: bool) -> None:
    """List every alarm there ever was, and who has acknowledged it.

    --json shows the evidence too: what the registry has signed, and what contradicts it. Send it to the authority.
    """
    with open_stub(config) as stub:
        known = client.alarms(stub, every=True)
    if as_json:
        printing.as_json(known)
        return
    for alarm in known:
        click.echo(_line(alarm, words))


@ledger.command()
@click.option("--by", required=True, help="Who has read the alarms and called whom they ask to call: a person's name.")
@config_option
@words_option
@json_option
def acknowledge(by: str, config: Path, words: Words, as_json: bool) -> None:
    """Say that you have read the alarms that stand. They leave the first line and stay on record.

    What an alarm was about is not raised again. Where the ledger itself was changed or set back, the node follows it
    from here on as the registry now shows it: do this once the authority has told you what happened.
    """
    with open_stub(config) as stub:
        seen = client.acknowledge(stub, by)
    if as_json:
        printing.as_json(seen)
    else:
        click.echo(words(LedgerText.ACKNOWLEDGED, by=by, number=len(seen)))


def _show(report: Answer, words: Words) -> None:
    if report["size"] is None and not report["problems"]:
        click.echo(words(LedgerText.NO_LEDGER))
        return
    if report["size"] is not None:
        counts = {name: report[name] for name in ("size", "receipts", "compared")}
        click.echo(words(LedgerText.VERIFIED, **counts))
    for seen in report["witnesses"]:
        if seen["size"] is None or seen["cosigned_at"] is None:
            click.echo(words(LedgerText.WITNESS_SILENT, witness=seen["witness"]))
        else:
            at = f"{datetime.fromisoformat(seen['cosigned_at']).astimezone():%Y-%m-%d %H:%M}"
            click.echo(words(LedgerText.WITNESSED, witness=seen["witness"], size=seen["size"], at=at))
    for problem in report["problems"]:
        click.echo(f"! {problem}", err=True)
    if report["problems"]:
        click.echo(words(LedgerText.NOT_TO_THE_END))


def _line(alarm: Answer, words: Words) -> str:
    by = f"({alarm['acknowledged_by']})" if alarm["acknowledged_by"] else ""
    what = alarm_sentence(alarm, words)
    return words(
        LedgerText.HISTORY, alarm_id=alarm["alarm_id"], raised_on=alarm["raised_on"], what=what, by=by
    ).rstrip()
