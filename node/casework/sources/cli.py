"""`upprop node attendance import` and `upprop node residents import`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from node import printing
from node.casework.attendance.table import TEMPLATE as ATTENDANCE_TEMPLATE
from node.casework.residents.table import TEMPLATE as RESIDENTS_TEMPLATE
from node.casework.sources import client
from node.casework.sources.texts import SourcesText
from node.client import Answer
from node.options import Day, config_option, json_option, open_stub, words_option
from node.records.person import DEFAULT_SYSTEM
from node.wording import Words

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def attendance() -> None:
    """Attendance: who has not been in school for days. Stays at the node."""


@attendance.command(name="import")
@click.argument("file", required=False, type=_FILE)
@click.option("--system", default=DEFAULT_SYSTEM, show_default=True, help="The school system that it is from.")
@click.option("--template", is_flag=True, help="Print a table to fill in, with two made-up pupils; import nothing.")
@config_option
@words_option
@json_option
def import_attendance(
    file: Path | None, system: str, template: bool, config: Path, words: Words, as_json: bool
) -> None:
    """Take in attendance from FILE (CSV), or without FILE from the school system's API (SS 12000).

    A pupil without attendance for five school days and without granted leave then stands in the console under Tasks,
    for somebody to tell problematic absence from missing. What is taken in is kept for 60 days. A running node fetches
    from the API by itself, once a day.
    """
    if template:
        click.echo(ATTENDANCE_TEMPLATE, nl=False)
        return
    with open_stub(config) as stub:
        report = client.import_attendance(stub, file, system)
    if as_json:
        printing.as_json(report)
        return
    click.echo(words(SourcesText.ATTENDANCE_TAKEN, as_of=report["as_of"], rows=report["rows"]))
    if report["unknown"]:
        click.echo(words(SourcesText.ATTENDANCE_UNKNOWN, unknown=report["unknown"]))
    click.echo(words(SourcesText.ABSENCES, tasks=report["tasks"]))
    _rejected(report, words)


@click.group()
def residents() -> None:
    """Resident children of school age: who goes to no school that is known. Stays at the node."""


@residents.command(name="import")
@click.argument("file", required=False, type=_FILE)
@click.option("--as-of", type=Day(), help="The day whose state the list shows, as 2026-10-19.")
@click.option("--accept-shrink", is_flag=True, help="Take a list with less than half the children of the one before.")
@click.option("--template", is_flag=True, help="Print a table to fill in, with two made-up children; import nothing.")
@config_option
@words_option
@json_option
def import_residents(
    file: Path | None,
    as_of: date | None,
    accept_shrink: bool,
    template: bool,
    config: Path,
    words: Words,
    as_json: bool,
) -> None:
    """Take in the list of resident children (CSV), as the population register has it.

    Whoever of them is of school age, has no presence here and goes to no school that is known then stands in the
    console under Tasks. The list itself is not kept. Give the whole list each time: who is no longer in it is asked
    about no more.
    """
    if template:
        click.echo(RESIDENTS_TEMPLATE, nl=False)
        return
    if file is None or as_of is None:
        raise click.UsageError("Give FILE, and with --as-of which day's state the list shows.")
    with open_stub(config) as stub:
        report = client.import_residents(stub, file, as_of, accept_shrink=accept_shrink)
    if as_json:
        printing.as_json(report)
        return
    click.echo(words(SourcesText.RESIDENTS_TAKEN, as_of=report["as_of"], rows=report["rows"]))
    click.echo(words(SourcesText.NOT_PLACED, tasks=report["tasks"]))
    _rejected(report, words)


def _rejected(report: Answer, words: Words) -> None:
    if report["rejected"]:
        printing.remarks({"rejected": report["rejected"], "unlinkable": [], "notes": []}, words)
