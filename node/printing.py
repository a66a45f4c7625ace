"""What the node's commands show: progress, reports, case files; on a terminal of any width, in the words given."""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from node.client import Answer, Step
from node.explain.findings import kind_named
from node.ledger.texts import STEPS as LEDGER_STEPS
from node.recovery.texts import STEPS as RECOVERY_STEPS
from node.wording import Words
from node.wording.texts import Text

ALARMS_STANDING = "node.ledger_alarms"
"""Where a command's context holds the alarms that stand."""

SHOWN_REMARKS = 20
"""Rows of the import report shown per kind; --json gives all."""

_STEPS: Mapping[str, enum.Enum] = {
    "fetch": Text.STEP_FETCH,
    "read": Text.STEP_READ,
    "compare": Text.STEP_COMPARE,
    "write": Text.STEP_WRITE,
    "restate": Text.STEP_RESTATE,
    "pseudonymise": Text.STEP_PSEUDONYMISE,
    "submit": Text.STEP_SUBMIT,
    "notices": Text.STEP_NOTICES,
    "roll call": Text.STEP_ROLL_CALL,
    **LEDGER_STEPS,
    **RECOVERY_STEPS,
}


def show(table: Table) -> None:
    # What people wrote is shown as they wrote it: brackets in it are no markup.
    Console(markup=False, highlight=False).print(table)


def table_of(*columns: str, title: str | None = None, show_lines: bool = False) -> Table:
    """A table that cuts nothing off: half an id names nobody."""
    table = Table(title=title, title_justify="left", show_lines=show_lines)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def watch(steps: Iterator[Step | Answer], *, quiet: bool, words: Words) -> Answer:
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
                named = words(_STEPS[step.step]) if step.step in _STEPS else step.step
                tasks[step.step] = progress.add_task(named, total=None)
            # Of 0 it is not known how much there is.
            progress.update(tasks[step.step], completed=step.done, total=step.total or None)
    return report


def as_json(answer: Any) -> None:
    """Print it; alarms about the registry that stand join an object under `ledger_alarms`."""
    context = click.get_current_context(silent=True)
    standing = None if context is None else context.meta.get(ALARMS_STANDING)
    if standing and isinstance(answer, dict):
        answer = {"ledger_alarms": standing, **answer}
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


# -- imports ----------------------------------------------------------------------------------------------------------


def import_report(report: Answer, words: Words, *, confirmed: bool) -> None:
    """`confirmed`: leavings that waited were let through with it."""
    if report["already_imported"]:
        outcome = Text.IMPORTED_ALREADY_CONFIRMED if confirmed else Text.IMPORTED_ALREADY
    else:
        outcome = Text.IMPORTED_BASELINE if report["baseline"] else Text.IMPORTED
    click.echo(words(outcome, as_of=report["as_of"]))
    click.echo(
        words(
            Text.IMPORT_COUNTS,
            persons=report["persons"],
            rows=report["rows"],
            changed=report["changed"],
            vanished=report["vanished"],
        )
    )
    remarks(report, words)
    for held in report["held"]:
        click.echo(f"! {words(Text.LEAVINGS_HELD, pupils=held['pupils'], unit=held['unit'])}")


def remarks(report: Answer, words: Words) -> None:
    """What an import remarked on single rows, by kind."""
    for name, title in (("rejected", Text.REJECTED), ("unlinkable", Text.UNLINKABLE), ("notes", Text.NOTES)):
        lines = report[name]
        if not lines:
            continue
        table = table_of(words(Text.ROW), words(Text.FIELD), words(Text.WHY), title=words(title, number=len(lines)))
        for remark in lines[:SHOWN_REMARKS]:
            table.add_row(str(remark["row"]), remark["field"], words.remark(remark["why"]))
        show(table)
        if len(lines) > SHOWN_REMARKS:
            click.echo(words(Text.MORE_REMARKS, number=len(lines) - SHOWN_REMARKS))


# -- case work --------------------------------------------------------------------------------------------------------


def cases(lines: Sequence[Answer], words: Words) -> None:
    """The case files, and what each of them begins with: it is the same for all of a member."""
    table = table_of(words(Text.SINCE), words(Text.PUPIL), words(Text.CASE), show_lines=True)
    for line in lines:
        table.add_row(line["effective_date"], pupil(line), _case(line, words))
    show(table)
    steps: list[Answer] = next((line["first_steps"] for line in lines if line["first_steps"]), [])
    if steps:
        click.echo(words(Text.FIRST_STEPS))
        for step in steps:
            click.echo(f"  {sentence(step, words)}")


def questions(lines: Sequence[Answer], words: Words) -> None:
    """What other members ask: one table for each question."""
    titles = {
        "CONFIRM": Text.QUESTIONS_CONFIRM,
        "OVERLAP": Text.QUESTIONS_OVERLAP,
        "ROLL_CALL": Text.QUESTIONS_ROLL_CALL,
    }
    for asks, title in titles.items():
        asked = [line for line in lines if line["asks"] == asks]
        if asked:
            table = table_of(words(Text.ASKED), words(Text.PUPIL), title=words(title))
            for line in asked:
                table.add_row(line["asked_on"], pupil(line))
            show(table)


def parked(lines: Sequence[Answer], words: Words) -> None:
    if not lines:
        return
    table = table_of(words(Text.MADE), words(Text.PUPIL), words(Text.CODE), title=words(Text.PARKED))
    for line in lines:
        table.add_row(line["made_on"], pupil(line), line["code"])
    show(table)


def waiting(sayings: Sequence[Answer], words: Words) -> None:
    columns = (Text.ID, Text.WHAT, Text.ON, Text.PUPIL, Text.REASON, Text.SAID_BY, Text.SAID_ON)
    table = table_of(*map(words, columns), title=words(Text.WAITING))
    for one in sayings:
        table.add_row(
            str(one["saying_id"]),
            words.term(one["what"]),
            one["on"],
            one["person_id"] or words(Text.PROTECTED_PUPIL),
            words.term(one["reason"]),
            one["said_by"],
            one["said_on"],
        )
    show(table)


def pupil(line: Answer) -> str:
    return "\n".join(filter(None, (line["name"], line["number"], line["person_id"])))


def sentence(finding: Answer, words: Words) -> str:
    """What a finding says."""
    return words(kind_named(finding["section"], finding["kind"]), **finding["parameters"])


def _case(line: Answer, words: Words) -> str:
    notes = {"LEADS": line["lead"], "LINKED": line["linked"], "COVERAGE_INCOMPLETE": line["coverage_incomplete"]}
    told = [
        words(Text.STATE_SINCE, state=line["state"], on=line["state_since"]),
        words(Text.KIND_OF_CASE, kind=line["kind"], urgency=line["urgency"], route=line["route"]),
    ]
    if line.get("opened_on"):
        told.append(words(Text.FILE_OPENED, on=line["opened_on"], by=line["opened_by"]))
    told += [words(kind_named("CASE", name)) for name, holds in notes.items() if holds]
    return "\n".join(told)
