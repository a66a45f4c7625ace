"""The yearly report as a file: CSV for a spreadsheet, JSON for a program, PDF for whoever audits. Pure."""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Callable, Sequence

import msgspec

from federation.web.i18n import Texts
from node.casework.journal.document import Section, pdf
from node.casework.quality.masking import masked
from node.casework.quality.model import Report
from node.casework.quality.tables import STEP_COLUMNS, Cell, Table, ends

FORMAT = "upprop-quality-report/1"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula; a routine's title is a municipality's own."""


class Form(enum.StrEnum):
    CSV = "csv"
    JSON = "json"
    PDF = "pdf"

    @property
    def media_type(self) -> str:
        return "text/csv; charset=utf-8" if self is Form.CSV else f"application/{self}"


def document(
    form: Form, report: Report, made: Sequence[Table], member: str, words: Texts, *, publish: bool = False
) -> bytes:
    """The file. `made` are the report's tables in the language of `words`; `publish`: what is small is not shown."""
    if publish:
        made = masked(report, made)
    makers: dict[Form, Callable[[], bytes]] = {
        Form.CSV: lambda: as_csv(made, words),
        Form.JSON: lambda: as_json(report, made, member, publish=publish),
        Form.PDF: lambda: as_pdf(report, made, member, words, publish=publish),
    }
    return makers[form]()


def as_csv(made: Sequence[Table], words: Texts) -> bytes:
    """One number a row; semicolons and a byte-order mark, as spreadsheets in Sweden open it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(words(f"quality.csv.{column}") for column in ("table", "row", "column", "number"))
    for table in made:
        for row in table.rows:
            for column, cell in zip(table.columns, row.cells, strict=True):
                if cell is not None:
                    writer.writerow([*map(_plain, (table.heading, row.label, column)), cell])
    return text.getvalue().encode("utf-8-sig")


def as_json(report: Report, made: Sequence[Table], member: str, *, publish: bool = False) -> bytes:
    """By codes, so that it reads the same in every language: table → row → numbers."""
    rows = {table.name: table.rows for table in made}
    told = {
        "format": FORMAT,
        "member": member,
        "year": report.year,
        "until": report.until.isoformat(),
        "protected_identities": report.with_protected,
        "small_numbers_hidden": publish,
        "outcomes": [
            {"classification": row.code, "outcome": None if end is None else end.value, "files": cell}
            for row in rows.get("outcomes", ())
            for end, cell in zip(ends(report), row.cells[1:], strict=True)
            if cell
        ],
        **{
            table.name: {row.code: row.cells[0] for row in table.rows}
            for table in made
            if table.name not in ("outcomes", "steps")
        },
        "steps": {row.code: dict(zip(STEP_COLUMNS, row.cells, strict=True)) for row in rows.get("steps", ())},
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def as_pdf(report: Report, made: Sequence[Table], member: str, words: Texts, *, publish: bool = False) -> bytes:
    sections = [Section(words("quality.about"), paragraphs=about(report, words, publish=publish))]
    for table in made:
        facts = [(f"{row.label}:", _told(table.columns, row.cells)) for row in table.rows]
        notes = [table.note] if table.note else []
        sections.append(Section(table.heading, facts or [("", words("quality.none"))], notes))
    title = f"{words('quality.title', year=report.year)} – {member}"
    return pdf(title, sections, f"{title} – {report.until.isoformat()}", words.language.value)


def as_text(report: Report, made: Sequence[Table], member: str, words: Texts) -> str:
    """For a terminal."""
    lines = [f"{words('quality.title', year=report.year)} – {member}", *about(report, words)]
    for table in made:
        lines += ["", table.heading]
        lines += [f"  {row.label}: {_told(table.columns, row.cells)}" for row in table.rows]
        if not table.rows:
            lines.append("  " + words("quality.none"))
    return "\n".join(lines) + "\n"


def about(report: Report, words: Texts, *, publish: bool = False) -> list[str]:
    """What has to be known to read it."""
    whole = report.until.month == 12 and report.until.day == 31
    return [
        words("quality.whole" if whole else "quality.so-far", until=report.until.isoformat()),
        words("quality.with-protected" if report.with_protected else "quality.without-protected"),
        words("quality.as-now"),
        words("quality.masked" if publish else "quality.small"),
    ]


def _told(columns: Sequence[str], cells: Sequence[Cell]) -> str:
    shown = ["–" if cell is None else str(cell) for cell in cells]
    if len(columns) == 1:
        return shown[0]
    return ", ".join(f"{column.lower()} {cell}" for column, cell in zip(columns, shown, strict=True) if cell != "0")


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
