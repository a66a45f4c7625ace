"""`upprop node subject`: answers a data subject's request."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from federation import files
from federation.errors import Code, UppropError
from node import printing
from node.client import Answer
from node.explain.cli import protected_option
from node.options import config_option, json_option, open_stub, words_option
from node.subject import client, waiting
from node.subject.texts import SubjectText
from node.wording import Words
from node.wording.texts import Text

by_option = click.option("--by", required=True, help="Who does it: a name. It is kept; whom it is about is not.")


@click.group()
def subject() -> None:
    """Answer a person who asks what you keep, or that it be erased.

    NUMBER is a national number; write - to be asked for it (or to give it on standard input), so that it does not stay
    in the shell's history.

    Something that is wrong (GDPR art. 16) is put right in the school system: with the next import the node takes it
    over, takes a wrong number back at the registry and says what is right.
    """


@subject.command()
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this new file (0600).")
@by_option
@protected_option
@config_option
@words_option
@json_option
def export(number: str, out: Path | None, by: str, protected: bool, config: Path, words: Words, as_json: bool) -> None:
    """Show everything that is kept of one person, for that person (GDPR art. 15).

    It is for the person alone: hand it over as you would a copy of a school file. Names of staff and of schools stand
    in it; look through it first. Handles and pseudonyms are not in it, only that there are some: they would help
    whoever finds the document to link it with other data. That you exported is kept, with your name and the day.
    """
    with open_stub(config) as stub:
        document = client.export(stub, _asked(number, words), by, protected=protected)
    told = json.dumps(document, ensure_ascii=False, indent=2) if as_json else "\n".join(_readable(document, words))
    if out is None:
        click.echo(told)
        return
    if out.exists():
        raise UppropError(Code.CONFIG_INVALID, f"{out} exists already and is not overwritten. Choose a new name.")
    files.write_secret(out, f"{told}\n".encode())
    click.echo(words(SubjectText.WRITTEN, path=out))


@subject.command()
@click.argument("number")
@by_option
@click.option("--reason", required=True, help="Why, without saying who: it is kept after the erasure.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Sync at once, and again until the registry has taken it and it is done.")
@protected_option
@config_option
@words_option
@json_option
def erase(
    number: str,
    by: str,
    reason: str,
    yes: bool,
    wait: bool,
    protected: bool,
    config: Path,
    words: Words,
    as_json: bool,
) -> None:
    """Erase everything that is kept of one person (GDPR art. 17).

    Refused while the pupil stands in a school system's newest roster (erase there first), and while a gap is watched or
    open: the duty to follow up comes first. What was said at the registry is taken back first; when the registry has
    taken that, every row of the pupil here goes: upprop node subject log shows it. Shown before you confirm: what goes,
    and that another member's case may open again.

    With --wait the exit code is 6 where the registry cannot be reached or did not take it, 4 where the pupil came into
    a roster again. What was begun goes on with the next sync all the same. Asked for again it is one erasure; what the
    registry did not take is then sent anew.
    """
    asked = _asked(number, words)
    with open_stub(config) as stub:
        told = functools.partial(client.erase, stub, asked, by=by, reason=reason, protected=protected)
        plan = told(confirmed=False)
        if not as_json:
            for line in _plan(plan, words):
                click.echo(line)
        if not yes:
            click.confirm(words(SubjectText.SURE), abort=True, err=as_json)
        begun = told(confirmed=True)
        waits = wait and client.request(stub, begun["request_id"])["state"] == "PENDING"
        waited = waiting.wait(stub, begun["request_id"], words, quiet=as_json) if waits else None
        came_to = client.request(stub, begun["request_id"])
    outcome = waited or waiting.Outcome.of(came_to)
    if as_json:
        pending = came_to["state"] == "PENDING"
        printing.as_json(
            {**begun, "state": came_to["state"], "not_taken": came_to.get("not_taken"), "pending": pending}
        )
    else:
        click.echo(words(outcome.text, code=came_to.get("not_taken", "")))
        if outcome in (waiting.Outcome.DONE, waiting.Outcome.BEGUN):
            click.echo(words(SubjectText.OLD_COPIES))
    if outcome.exit_code:
        raise click.exceptions.Exit(outcome.exit_code)


@subject.command()
@config_option
@words_option
@json_option
def log(config: Path, words: Words, as_json: bool) -> None:
    """Show who exported and erased when, and what holds an erasure up. Whom it was about is not kept."""
    with open_stub(config) as stub:
        lines = client.requests(stub)
    if as_json:
        printing.as_json(lines)
        return
    if not lines:
        click.echo(words(SubjectText.NO_REQUESTS))
    for line in lines:
        shown = (line["asked_on"], words.term(line["kind"]), words.term(line["state"]), line.get("ended_on", ""))
        click.echo("  ".join(filter(None, (*shown, line["by"], line["reason"]))))
        if "not_taken" in line:
            click.echo(f"  ! {words(SubjectText.NOT_TAKEN, code=line['not_taken'])}")


def _asked(number: str, words: Words) -> str:
    return str(click.prompt(words(Text.WHO), hide_input=sys.stdin.isatty(), err=True)) if number == "-" else number


def _plan(plan: Answer, words: Words) -> Iterator[str]:
    yield words(SubjectText.WILL_GO, rows=sum(each["rows"] for each in plan["rows"]))
    for each in plan["rows"]:
        yield f"  {each['table']}: {each['rows']}"
    if plan["takes_back"]:
        yield words(SubjectText.TAKES_BACK)
    if plan["relied_on"]:
        yield words(SubjectText.RELIED_ON)
    if any(each["table"] == "pupils" for each in plan["rows"]):
        yield words(SubjectText.LEFT_AT_REGISTRY)


def _readable(document: Answer, words: Words) -> Iterator[str]:
    yield words(SubjectText.ABOUT, member=document["member"], day=document["made_on"])
    pupil = "sent_to_registry" in document
    for text in (SubjectText.SOURCE, SubjectText.RECIPIENTS) if pupil else (SubjectText.SOURCE_RESIDENTS,):
        yield words(text)
    for name, content in document.items():
        if name in ("made_on", "member"):
            continue
        yield f"\n{words.term(f'subject.{name}')}"
        if name == "pseudonyms":
            yield f"  {words(SubjectText.PSEUDONYMS)}"
        if name == "told_for_statistics":
            yield f"  {words(SubjectText.STATISTICS, cases=content)}"
        elif not content:
            yield f"  {words(SubjectText.NOTHING)}"
        else:
            yield from _lines(content, words, 2)
    yield ""
    yield words(SubjectText.COPIES)
    yield words(SubjectText.RIGHTS if pupil else SubjectText.RIGHTS_RESIDENTS)


def _lines(content: object, words: Words, depth: int) -> Iterator[str]:
    """A value by names and indentation; what is not stated is left out."""
    pad = " " * depth
    if isinstance(content, dict):
        for name, value in content.items():
            if value in (None, "", [], {}):
                continue
            label = words.term(f"subject.{name}").removeprefix("subject.")
            if isinstance(value, dict | list):
                yield f"{pad}{label}:"
                yield from _lines(value, words, depth + 2)
            else:
                yield f"{pad}{label}: {_shown(value, words)}"
    elif isinstance(content, list):
        for position, each in enumerate(content):
            if isinstance(each, dict):
                if position:
                    yield ""
                yield from _lines(each, words, depth)
            else:
                yield f"{pad}{_shown(each, words)}"


def _shown(value: object, words: Words) -> str:
    return (
        words.term(f"subject.{str(value).lower()}").removeprefix("subject.")
        if isinstance(value, bool)
        else (words.term(str(value)))
    )
