"""`upprop node recover`, `backup` and `restore`: a node that has lost its database, and how not to lose it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from federation import settings as settings_files
from federation.errors import Code, exit_code
from node import printing
from node.client import Answer, Step
from node.options import config_option, json_option, open_stub, words_option
from node.recovery import client
from node.recovery.copies import KeysOf
from node.recovery.copies import restore as restore_copy
from node.recovery.texts import RecoveryText
from node.settings import NodeSettings
from node.streaming import relayed, streamed
from node.wording import Words

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "--person",
    type=click.Choice(["-"]),
    help="Give the number of one pupil who has no name yet; you are asked for it, so that it stands in no history.",
)
@words_option
@config_option
@json_option
def recover(person: str | None, words: Words, config: Path, as_json: bool) -> None:
    """Take up again what the registry knows of you, after the node's database was lost or restored from an old copy.

    A node whose store knows less than the registry sends nothing, so that no gap is raised twice, and says so at each
    sync. Then:

    \b
    1. upprop node restore FILE, if you have a copy; else upprop node migrate.
    2. upprop node import the last export from before the loss, if it is still at hand: a pupil who left since, and of
       whom nothing had been said, is found by no other means. Then the newest export. So for each school system.
    3. upprop node recover
    4. upprop node sync

    It asks the evaluators for the pseudonyms of all your pupils, and the registry which of them it knows from you; it
    sends nothing. If that is more than your quota, ask the evaluators' administrators for an allowance and run it
    again: it goes on where it stopped. It may be run as often as you like.

    Case files of pupils who are in no export any more come back without a name (recovered-1, recovered-2, …). Whoever
    has the papers gives their numbers, one at a time: upprop node recover --person -. They may be pupils with a
    protected identity: those are the protected-identity role's to name. What people had written to case files, and all
    that was kept at this node alone (pupils without a number or with a protected identity), comes back from a copy
    alone.

    The exit code is 6 where it could not be ended.
    """
    with open_stub(config) as stub:
        if person is not None:
            person_id = client.attach(stub, click.prompt(words(RecoveryText.NUMBER), hide_input=True, err=True))
            if as_json:
                printing.as_json({"person_id": person_id})
            else:
                click.echo(words(RecoveryText.NAMED, person=person_id))
            return
        report = printing.watch(client.recover(stub), quiet=as_json, words=words)
    if as_json:
        printing.as_json(report)
    else:
        click.echo(words(RecoveryText.RECOVERED, known=report["known"], attached=report["attached"]))
        if report["nameless"]:
            click.echo(words(RecoveryText.NAMELESS, nameless=report["nameless"], open=report["nameless_open"]))
        if report["numbers_missing"]:
            click.echo(words(RecoveryText.NUMBERS_MISSING, missing=report["numbers_missing"]))
        for problem in report["problems"]:
            click.echo(f"! {problem}", err=True)
        click.echo(words(RecoveryText.NEXT if report["complete"] else RecoveryText.AGAIN))
    if not report["complete"]:
        raise click.exceptions.Exit(exit_code(Code.PEER_UNREACHABLE))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--case-keys", type=_FILE, help="Write the keys of the case files here, over the copy of the last time.")
@words_option
@config_option
@json_option
def backup(file: Path, case_keys: Path | None, words: Words, config: Path, as_json: bool) -> None:
    """Copy the node's store into the new file FILE, while the node runs.

    One file, whatever kind of database the node has; it can be restored into either kind. Make one every night, after
    the import, and keep several. Identities in it are sealed: without the record key nobody reads them, so keep the
    copies and the record key apart. FILE is readable by you alone and never overwrites anything.

    What is written in a case file is sealed under a key of its own, which is not in FILE either: without --case-keys
    nobody can read or work a case file after the machine was lost. There is one copy of these keys, written over each
    time, so that what was shredded is gone from all copies by the next night. Keep no older one, and keep it apart from
    the record key: it is of no use without that.
    """
    with open_stub(config) as stub:
        report = printing.watch(
            client.backup(stub, file.absolute(), None if case_keys is None else case_keys.absolute()),
            quiet=as_json,
            words=words,
        )
    if as_json:
        printing.as_json(report)
    else:
        newest = report.get("newest_import", words(RecoveryText.NO_IMPORT))
        click.echo(words(RecoveryText.BACKED_UP, path=report["path"], size=report["bytes"], newest=newest))
        click.echo(words(RecoveryText.KEEP_KEY_APART))
        click.echo(
            words(RecoveryText.CASE_KEYS_MISSING if case_keys is None else RecoveryText.CASE_KEYS, path=case_keys)
        )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--case-keys", type=_FILE, help="The copy of the keys of the case files, if they are lost here.")
@click.option("--case-keys-lost", is_flag=True, help="There is no such copy: go on without what was written.")
@click.option("--replace", is_flag=True, help="Put the copy in place of what the store holds now, or of a damaged one.")
@words_option
@config_option
@json_option
def restore(
    file: Path,
    case_keys: Path | None,
    case_keys_lost: bool,
    replace: bool,
    words: Words,
    config: Path,
    as_json: bool,
) -> None:
    """Make the node's store out of FILE, a copy that `upprop node backup` made. Stop the node before.

    A copy of an older version is brought up to date; FILE itself is left as it is. Before the restored node sends
    anything it asks the registry whether anything was said since the copy was made; if so, run upprop node recover.

    The keys of the case files lie in the data directory. Where they are lost too, give --case-keys. Without them it is
    refused: with --case-keys-lost the case files are worked on, and what was written in them until now is gone. A case
    file that was shredded comes back by neither.
    """
    settings = settings_files.load(config, NodeSettings)
    report = printing.watch(
        _restoring(settings, file, KeysOf(case_keys, case_keys_lost), replace=replace), quiet=as_json, words=words
    )
    if as_json:
        printing.as_json(report)
    else:
        click.echo(words(RecoveryText.RESTORED, newest=report["newest_import"] or words(RecoveryText.NO_IMPORT)))


def _restoring(settings: NodeSettings, file: Path, keys: KeysOf, *, replace: bool) -> Iterator[Step | Answer]:
    """Steps, and last the as-of of the newest import in the copy."""
    steps = streamed(
        "restore", lambda report: restore_copy(settings, file, replace=replace, report=report, case_keys=keys)
    )
    newest = yield from relayed(steps, lambda each: Step(*each))
    yield {"newest_import": None if newest is None else newest.isoformat()}
