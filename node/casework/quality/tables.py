"""The yearly report as tables in words: what stands on the page, in the document and in the file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from federation.rules.vocabulary import CaseOutcome
from federation.web.i18n import Texts
from node.casework.files.model import Absence, Classification, OpenedFor
from node.casework.quality.model import Days, Kept, Report

STEP_COLUMNS = ("done", "due", "in_time", "late", "undone")
"""By name, in files."""

Cell = int | str | None
"""None: there is nothing to be said. Text: what is not shown (`masking`)."""


@dataclass(frozen=True, slots=True)
class Row:
    """`code` names it in files, whatever the language."""

    code: str
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`head` is what the rows are; `columns` their names, as many as each row has cells."""

    name: str
    heading: str
    head: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


def tables(report: Report, words: Texts, routine_title: Callable[[str], str]) -> tuple[Table, ...]:
    """All of them, in their order. `routine_title` turns the name of a routine into its title."""
    number = (words("quality.count"),)

    def one(name: str, *rows: tuple[str, Cell]) -> Table:
        made = tuple(Row(code, words(f"quality.{name}.{code}"), (cell,)) for code, cell in rows)
        return Table(name, words(f"quality.{name}"), words("quality.what"), number, made, words(f"quality.{name}.note"))

    contact = report.first_contact
    return (
        one(
            "files",
            ("worked", report.worked),
            ("opened", report.opened),
            ("closed", report.closed),
            ("open", report.open),
            *_days("closing", report.closing),
        ),
        _outcomes(report, words),
        _counted("opened-for", "opened-for.", OpenedFor, report.opened_for, words),
        _counted("absence", "absence.", Absence, report.absence, words),
        one(
            "contact",
            ("taken", contact.taken.counted),
            ("in-time", contact.in_time),
            *_days("days", contact.taken),
            ("waiting", contact.waiting),
            ("closed-without", contact.closed_without),
        ),
        _steps(report, words, routine_title),
        one("worry", ("files", report.worry_files), *_kept(report.worry_reports)),
        one("follow-ups", *_kept(report.follow_ups)),
    )


def by_classification(report: Report) -> tuple[tuple[Classification, int], ...]:
    """What the chart shows: the case files worked in the year, in the order of the table."""
    found = [
        (each, sum(n for (classification, _), n in report.outcomes.items() if classification is each))
        for each in Classification
    ]
    return tuple((each, n) for each, n in found if n)


def ends(report: Report) -> tuple[CaseOutcome | None, ...]:
    """The columns of the outcomes, after that of their sum; None, the last: not closed."""
    every = (*CaseOutcome, None)
    return tuple(end for end in every if any(report.outcomes.get((each, end)) for each in Classification))


def _outcomes(report: Report, words: Texts) -> Table:
    used = ends(report)
    rows = [
        Row(
            each.value,
            words(f"classification.{each}"),
            (total, *(report.outcomes.get((each, end), 0) for end in used)),
        )
        for each, total in by_classification(report)
    ]
    columns = (
        words("quality.sum"),
        *(words("quality.outcomes.open") if end is None else words(f"outcome.{end}") for end in used),
    )
    return Table(
        "outcomes",
        words("quality.outcomes"),
        words("quality.classification"),
        columns,
        tuple(rows),
        words("quality.outcomes.note"),
    )


def _counted(
    name: str,
    prefix: str,
    kinds: type[OpenedFor] | type[Absence],
    counts: Mapping[OpenedFor, int] | Mapping[Absence, int],
    words: Texts,
) -> Table:
    found = {kind.value: n for kind, n in counts.items()}
    rows = tuple(
        Row(kind.value, words(prefix + kind.value), (found[kind.value],)) for kind in kinds if found.get(kind.value)
    )
    return Table(
        name,
        words(f"quality.{name}"),
        words("quality.what"),
        (words("quality.count"),),
        rows,
        words(f"quality.{name}.note"),
    )


def _steps(report: Report, words: Texts, routine_title: Callable[[str], str]) -> Table:
    kept = [("all", words("quality.steps.all"), report.steps)]
    kept += [(name, routine_title(name), each) for name, each in report.by_routine.items()]
    rows = tuple(Row(code, label, tuple(cell for _, cell in _kept(each))) for code, label, each in kept)
    columns = tuple(words(f"quality.steps.{column}") for column, _ in _kept(report.steps))
    return Table("steps", words("quality.steps"), words("quality.routine"), columns, rows, words("quality.steps.note"))


def _kept(kept: Kept) -> tuple[tuple[str, Cell], ...]:
    return (
        ("done", kept.done),
        ("due", kept.due),
        ("in-time", kept.in_time),
        ("late", kept.late),
        ("undone", kept.undone),
    )


def _days(name: str, days: Days) -> tuple[tuple[str, Cell], ...]:
    return ((f"{name}-median", days.median), (f"{name}-longest", days.longest))
