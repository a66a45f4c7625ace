"""`upprop node import` and `upprop node systems`: taking in what school systems deliver."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from node import printing
from node.options import Day, config_option, json_option, open_stub, words_option
from node.records.client import ImportClient
from node.records.options import Given, GivenApi, api_options, given_options
from node.records.plain_csv import TEMPLATE
from node.wording import Words
from node.wording.texts import Text


@click.command(name="import")
@given_options
@api_options
@click.option("--as-of", type=Day(), help="The day whose state the export shows, as 2026-10-19.")
@click.option("--accept-shrink", is_flag=True, help="Take an export that lacks half the roster: they have really left.")
@click.option(
    "--confirm-leavings", is_flag=True, help="Let through leavings that wait because a school unit emptied at once."
)
@click.option("--template", is_flag=True, help="Print a plain CSV to fill in, with two made-up pupils; import nothing.")
@config_option
@words_option
@json_option
def import_export(
    given: Given | None,
    api: GivenApi,
    as_of: date | None,
    accept_shrink: bool,
    confirm_leavings: bool,
    template: bool,
    config: Path,
    words: Words,
    as_json: bool,
) -> None:
    """Take in what the school system exports.

    \b
    SS 12000, what GET /persons answers:   upprop node import FILE --as-of DATE
    SS 12000, what has changed since:      upprop node import --changes FILE --as-of DATE
    OneRoster 1.2, directory or zip:       upprop node import --oneroster PATH --as-of DATE
    Anything else, as a table:             upprop node import --csv FILE --as-of DATE
    SS 12000, its API:                     upprop node import --ss12000 URL --token-file FILE
    An API that the settings name:         upprop node import [--system NAME]

    The first import is the baseline: it says who is here, and nothing about pupils who simply stay. The same export
    again changes nothing. An export that is broken, older than the last one, another municipality's, or that lacks half
    the roster is refused whole, and what is known stays as it is. From an API everyone is fetched the first time and
    every week, and in between what has changed; a fetch that was broken off goes on where it was. To see what an import
    would say without saying it: upprop node check.
    """
    if template:
        click.echo(TEMPLATE, nl=False)
        return
    if given is not None and as_of is None:
        raise click.UsageError("Say with --as-of which day's state the export shows.")
    if given is None and as_of is not None:
        raise click.UsageError(
            "Give an export: FILE, --changes, --oneroster or --csv. An API shows today's state, without --as-of."
        )
    allowed = {"accept_shrink": accept_shrink, "confirm_leavings": confirm_leavings}
    with open_stub(config) as stub:
        client = ImportClient(stub)
        if given is None or as_of is None:
            steps = client.fetch(api, **allowed)
        else:
            steps = client.import_export(given, as_of, **allowed)
        report = printing.watch(steps, quiet=as_json, words=words)
    if as_json:
        printing.as_json(report)
        return
    printing.import_report(report, words, confirmed=confirm_leavings)


@click.command()
@click.option("--retire", metavar="NAME", help="This school system is no more: take its roster away.")
@config_option
@words_option
@json_option
def systems(retire: str | None, config: Path, words: Words, as_json: bool) -> None:
    """List the school systems whose rosters this node holds, and how current each is.

    The registry counts this node as heard up to the day of the oldest of them: one that has fallen silent must not let
    its pupils pass for accounted for. Retire one that has been replaced, after the first import of the one that follows
    it: whoever is in no other roster then has vanished.
    """
    with open_stub(config) as stub:
        client = ImportClient(stub)
        report = None if retire is None else printing.watch(client.retire(retire), quiet=as_json, words=words)
        lines = client.systems()
    if as_json:
        printing.as_json(lines)
        return
    if report is not None:
        click.echo(words(Text.SYSTEM_TAKEN_AWAY, system=retire, pupils=report["vanished"]))
    for line in lines:
        told = Text.SYSTEM_RETIRED if line["retired"] else Text.SYSTEM_CURRENT
        click.echo(words(told, system=line["system"], as_of=line["as_of"]))
