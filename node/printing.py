"""What the node's commands show: progress, reports, case files, on a terminal of any width."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from node.client import Answer, Step

SHOWN_REMARKS = 20
"""Rows of the import report shown per kind; --json gives all."""

_STEPS = {
    "read": "Reading the export",
    "compare": "Comparing with what is known",
    "write": "Writing what has changed",
    "restate": "Working out what to say",
    "pseudonymise": "Computing pseudonyms",
    "submit": "Sending signals",
    "notices": "Fetching notices",
}


def _console() -> Console:
    # What people wrote is shown as they wrote it: brackets in it are no markup.
    return Console(markup=False, highlight=False)


def _table(*columns: str, title: str | None = None, show_lines: bool = False) -> Table:
    """A table that cuts nothing off: half an id names nobody."""
    table = Table(title=title, title_justify="left", show_lines=show_lines)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def watch(steps: Iterator[Step | Answer], *, quiet: bool) -> Answer:
    """Shows progress; returns the report that comes last."""
    console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
    report: Answer = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        tasks = {}
        for step in steps:
            if isinstance(step, dict):
                report = step
                continue
            if step.step not in tasks:
                tasks[step.step] = progress.add_task(_STEPS.get(step.step, step.step), total=step.total)
            progress.update(tasks[step.step], completed=step.done, total=step.total)
    return report


def import_report(report: Answer, *, confirmed: bool) -> None:
    """`confirmed`: leavings that waited were let through with it."""
    first = " This is the baseline." if report["baseline"] else ""
    if report["already_imported"]:
        outcome = "what waited of it is let through" if confirmed else "nothing has changed"
        click.echo(f"The export of {report['as_of']} had been imported already; {outcome}.")
    else:
        click.echo(f"Imported the export of {report['as_of']}.{first}")
    click.echo(
        f"Read {report['persons']} persons with {report['rows']} enrolments: {report['changed']} changed, "
        f"{report['vanished']} no longer in the export."
    )
    _remarks("Rejected", report["rejected"])
    _remarks("Without a national number", report["unlinkable"])
    _remarks("Worth a look", report["notes"])
    for held in report["held"]:
        click.echo(
            f"! {held['pupils']} pupils left school unit {held['unit']} at once. They wait: correct the export, or "
            "confirm with --confirm-leavings."
        )


def _remarks(title: str, remarks: Sequence[Answer]) -> None:
    if not remarks:
        return
    table = _table("Row", "Field", "Why", title=f"{title}: {len(remarks)}")
    for remark in remarks[:SHOWN_REMARKS]:
        table.add_row(str(remark["row"]), remark["field"], remark["why"])
    _console().print(table)
    if len(remarks) > SHOWN_REMARKS:
        click.echo(f"… and {len(remarks) - SHOWN_REMARKS} more; --json lists them all.")


def as_json(answer: Any) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def cases(lines: Sequence[Answer]) -> None:
    table = _table("Since", "Pupil", "Case", show_lines=True)
    for line in lines:
        table.add_row(line["effective_date"], _pupil(line), _case(line))
    _console().print(table)


def clients(lines: Sequence[Answer]) -> None:
    table = _table("Client", "State", "Added", "Until", "Last push", "Heard as of")
    for line in lines:
        heard = line.get("as_of", "never")
        if "refused_as_of" in line:
            heard += f"\nwhole roster of {line['refused_as_of']} refused"
        days = (line["added_on"], line["expires_on"], line.get("last_push_at", "none"))
        table.add_row(line["name"], line["state"], *days, heard)
    _console().print(table)


def questions(lines: Sequence[Answer]) -> None:
    if not lines:
        return
    table = _table("Asked", "Pupil", title="Seen in school? Another member urgently asks")
    for line in lines:
        table.add_row(line["asked_on"], _pupil(line))
    _console().print(table)


def parked(lines: Sequence[Answer]) -> None:
    if not lines:
        return
    table = Table("Made", "Pupil", "Code", title="Parked: not taken by the registry", title_justify="left")
    for line in lines:
        table.add_row(line["made_on"], _pupil(line), line["code"])
    _console().print(table)


def _pupil(line: Answer) -> str:
    return "\n".join(filter(None, (line["name"], line["number"], line["person_id"])))


def _case(line: Answer) -> str:
    notes = {
        "this member leads": line["lead"],
        "another member has an open case too": line["linked"],
        "some member is silent": line["coverage_incomplete"],
    }
    state = f"{line['state']} since {line['state_since']}"
    opened = f"file opened {line['opened_on']} ({line['opened_by']})" if line.get("opened_on") else ""
    kind = f"{line['kind']}, {line['urgency']}, route {line['route']}"
    return "\n".join(filter(None, (state, kind, opened, *(note for note, holds in notes.items() if holds))))


def waiting(sayings: Sequence[Answer]) -> None:
    table = _table("Id", "What", "On", "Pupil", "Reason", "Said by", "Said on")
    for one in sayings:
        table.add_row(
            str(one["saying_id"]),
            one["what"],
            one["on"],
            one["person_id"] or "(protected)",
            one["reason"],
            one["said_by"],
            one["said_on"],
        )
    _console().print(table)
