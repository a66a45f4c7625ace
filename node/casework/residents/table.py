"""Source: the list of resident children, as one CSV file with a row for each child (docs/manual/sources.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from node.casework.residents.model import Resident
from node.model import UNMARKED
from node.records.dates import DateError, hyphenated, start_day
from node.records.person import Remark
from node.records.remarks import Remarks
from node.records.tables import Column, Fields
from node.records.text_files import read_table
from node.records.values import marking_of
from privacy.identifiers import Invalid, NumberKind, Sound, Temporary, parse

COLUMNS = (
    Column("personnummer", ("civic_no",), required=True),
    Column("förnamn", ("fornamn", "given_name")),
    Column("efternamn", ("family_name",)),
    Column("bosatt_från", ("bosatt_fran", "folkbokford_fran", "resident_since")),
    Column("känd_skola", ("kand_skola", "known_school")),
    Column("skyddad", ("security_marking",)),
)

TEMPLATE = """\
personnummer;förnamn;efternamn;bosatt_från;känd_skola;skyddad
20150519-9800;Exempel;Ett;2026-08-03;;nej
20170103-9818;Exempel;Två;2019-02-11;Internationella skolan, Exempelstad;nej
"""

_NONE_KNOWN = frozenset({"", "nej", "no", "-", "0", "okänd", "unknown"})
_COORDINATION = 60


def read(path: Path, today: date) -> Iterator[Resident | Remark]:
    """Residents and remarks. UppropError(EXPORT_UNREADABLE) where the file is no such table."""
    remarks = Remarks()
    for row, fields in read_table(path, COLUMNS, "residents", "upprop node residents import --template"):
        resident = None if fields is None else _resident(row, fields, today, remarks)
        if fields is None:
            remarks.reject(row, "row", "has more or fewer fields than the header: the row is left out")
        yield from remarks.made()
        if resident is not None:
            yield resident


def _resident(row: int, fields: Fields, today: date, remarks: Remarks) -> Resident | None:
    parsed = parse(fields["personnummer"], today)
    if not isinstance(parsed, Sound):
        why = {Invalid: "is not a national number", Temporary: "is a temporary number"}.get(type(parsed), "is empty")
        remarks.reject(row, "personnummer", f"{why}: the row is left out")
        return None
    try:
        since = start_day(hyphenated(fields.get("bosatt_från", "")))
    except DateError:
        # Whoever cannot be dated is resident all the same.
        since = None
        remarks.note(row, "bosatt_från", "is not a date: the day of the list is taken")
    if since is not None and since > today:
        remarks.reject(row, "bosatt_från", "is not a day up to today: the row is left out")
        return None
    return Resident(
        number=parsed.number,
        name=f"{fields.get('förnamn', '')} {fields.get('efternamn', '')}".strip(),
        born=born(parsed),
        since=since,
        elsewhere=fields.get("känd_skola", "").casefold() not in _NONE_KNOWN,
        protected=marking_of(fields.get("skyddad", "")) != UNMARKED,
        position=row,
    )


def born(number: Sound) -> date:
    """The date of birth that a sound number holds."""
    digits = number.number
    day = int(digits[6:8]) - (_COORDINATION if number.kind is NumberKind.SAMORDNINGSNUMMER else 0)
    return date(int(digits[:4]), int(digits[4:6]), day)
