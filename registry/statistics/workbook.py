"""A cube as a workbook of Excel: the table on the first sheet, what has to be known about it on the second. Pure.

Invariant: the same cube gives the same bytes. Times inside are those of the newest release, and nothing is computed by
the reader's Excel.
"""

from __future__ import annotations

import io
from datetime import UTC
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]  # it comes without types

from federation.web.i18n import Language
from registry.statistics.cube import Cube

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_SHEETS = {Language.SWEDISH: ("Tabell", "Om tabellen"), Language.ENGLISH: ("Table", "About the table")}
_ABOUT = {
    Language.SWEDISH: ("Källa", "Publicerad", "Publiceringar", "Enhet", "Tecken"),
    Language.ENGLISH: ("Source", "Published", "Releases", "Unit", "Marks"),
}
_WIDTHS = (8, 60)


def write(cube: Cube, language: Language) -> bytes:
    buffer = io.BytesIO()
    # Text stays text, whatever it begins with.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        made = cube.updated.astimezone(UTC).replace(tzinfo=None)
        book.set_properties({"title": cube.label, "author": cube.source, "created": made})
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        table, about = (book.add_worksheet(name) for name in _SHEETS[language])
        _table(table, cube, bold)
        _about(about, cube, language, bold, wrapped)
    return buffer.getvalue()


def _table(sheet: Any, cube: Cube, bold: Any) -> None:
    *keys, contents = cube.axes
    sheet.write_string(0, 0, cube.label, bold)
    header = [
        *(name for axis in keys for name in (axis.name, axis.label)),
        *(each.label for each in contents.categories),
    ]
    widths = [len(name) for name in header]
    for column, name in enumerate(header):
        sheet.write_string(2, column, name, bold)
    named = [{each.code: each.label for each in axis.categories} for axis in keys]
    measures = len(contents.codes)
    for number, (key, _) in enumerate(cube.rows()):
        row = 3 + number
        texts = [text for code, names in zip(key, named, strict=True) for text in (code, names[code])]
        for column, text in enumerate(texts):
            sheet.write_string(row, column, text)
            widths[column] = max(widths[column], len(text))
        for column, place in enumerate(range(number * measures, (number + 1) * measures), len(texts)):
            value = cube.values[place]
            if value is None:
                sheet.write_string(row, column, cube.text(place))
            else:
                sheet.write_number(row, column, value)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(max(width + 1, _WIDTHS[0]), _WIDTHS[1]))
    sheet.freeze_panes(3, len(keys) * 2)


def _about(sheet: Any, cube: Cube, language: Language, bold: Any, wrapped: Any) -> None:
    source, published, releases, unit, marks = _ABOUT[language]
    drawn = cube.disclosure.drawn
    lines = [
        ("", cube.label),
        (source, cube.source),
        (published, drawn[-1].drawn_on.isoformat()),
        (releases, ", ".join(each.release_id for each in drawn)),
        (unit, cube.unit),
        *((f"{marks}  {mark}", meaning) for mark, meaning in cube.disclosure.suppression.items()),
        *(("", note) for note in cube.notes),
    ]
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 110)
    for row, (name, text) in enumerate(lines):
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, text, wrapped)
