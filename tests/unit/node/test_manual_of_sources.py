"""The manual of sources lists the columns that are read, what each is also called, and whether it is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from node.casework.attendance import table as attendance
from node.casework.residents import table as residents
from node.records.oneroster import rows
from node.records.oneroster.files import COLUMNS as ONEROSTER
from node.records.plain_csv import COLUMNS as PLAIN
from node.records.tables import Column

MANUAL = (Path(__file__).parents[3] / "docs" / "manual" / "sources.md").read_text(encoding="utf-8")


def _lines(text: str) -> dict[str, str]:
    return {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| `")}


LINES = _lines(MANUAL.partition("\n## Attendance\n")[0])
TABLES = {
    "Attendance": (attendance.COLUMNS, attendance.TEMPLATE),
    "Residents": (residents.COLUMNS, residents.TEMPLATE),
}
SWEDISH_LETTERS = str.maketrans("åäö", "aao")


@pytest.mark.parametrize(("name", "columns"), [*ONEROSTER.items(), ("manifest", rows.MANIFEST)])
def test_the_columns_of_a_oneroster_file_are_in_the_manual(name: str, columns: Sequence[Column]) -> None:
    listed = LINES[f"`{name}.csv`"].split("|")[3].split(";")[0]
    read = [f"**{column.name}**" if column.required else column.name for column in columns]
    assert sorted(each.strip() for each in listed.split(",")) == sorted(read)


@pytest.mark.parametrize("column", PLAIN, ids=lambda column: column.name)
def test_a_column_of_the_plain_csv_is_in_the_manual(column: Column) -> None:
    _told(LINES, column)


@pytest.mark.parametrize("section", TABLES)
def test_the_columns_of_the_other_tables_are_in_the_manual_and_in_their_template(section: str) -> None:
    columns, template = TABLES[section]
    lines = _lines(MANUAL.partition(f"\n## {section}\n")[2].partition("\n## ")[0])
    for column in columns:
        _told(lines, column)
    assert template.splitlines()[0].split(";") == [column.name for column in columns]


def _told(lines: Mapping[str, str], column: Column) -> None:
    _, _, also, needed, _, _ = lines[f"`{column.name}`"].split("|")
    told = set(re.findall(r"`(\w+)`", also))
    # That names may be written without å, ä and ö is said below the table, for all of them.
    assert told == {alias for alias in column.aliases if alias != column.name.translate(SWEDISH_LETTERS)}
    assert needed.strip() == ("yes" if column.required else "no")
