"""Source: one CSV file by hand or from any system, a row for each enrolment (docs/manual/sources.md).

Everyone whom the school has must be in it: who is not has vanished. Rows of one pupil may stand anywhere; a pupil is
kept until the last of them has passed, so what is in memory of a file whose rows are in order is one pupil.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from node.coverage import is_known
from node.model import UNMARKED, Row, Status
from node.records.dates import DateError, end_day, hyphenated, start_day
from node.records.person import PersonRecord, Progress, Remark, row_order, unreadable
from node.records.remarks import Remarks
from node.records.tables import Column, Fields, Table, TableError, decoded
from node.records.text_files import SNIFFED, delimiter_of, examined
from node.records.values import (
    DEFAULT_FORM,
    MARKINGS,
    STATUSES,
    WHY_UNKNOWN_FORM,
    WHY_UNKNOWN_MARKING,
    WHY_UNKNOWN_STATUS,
    form_and_year,
    form_of,
    marking_of,
    sex_of,
    status_of,
    yes_or_no,
)

COLUMNS = (
    Column("person_id", ("elev_id",), required=True),
    Column("personnummer", ("civic_no",), required=True),
    Column("förnamn", ("fornamn", "given_name")),
    Column("efternamn", ("family_name",)),
    Column("födelsedatum", ("fodelsedatum", "birth_date")),
    Column("kön", ("kon", "sex")),
    Column("skolenhet", ("school_unit",), required=True),
    Column("skolenhetsnamn", ("school_unit_name",)),
    Column("skolform", ("school_type",)),
    Column("årskurs", ("arskurs", "school_year")),
    Column("startdatum", ("start_date",), required=True),
    Column("slutdatum", ("end_date",), required=True),
    Column("inställd", ("installd", "cancelled")),
    Column("skyddad", ("security_marking",)),
    Column("status", ("person_status",)),
)
OF_ENROLMENT = ("skolenhet", "skolform", "startdatum", "slutdatum", "inställd")
"""A row that gives none of these names a pupil who is not enrolled."""

TEMPLATE = """\
person_id;personnummer;förnamn;efternamn;födelsedatum;kön;skolenhet;skolenhetsnamn;skolform;årskurs;startdatum;slutdatum;\
inställd;skyddad;status
exempel-1;20150519-9800;Exempel;Ett;2015-05-19;Kvinna;12345678;Exempelskolan;GR;5;2025-08-18;;nej;nej;Aktiv
exempel-2;20170103-9818;Exempel;Två;2017-01-03;Man;12345678;Exempelskolan;GR;3;2024-08-19;2026-06-12;nej;nej;Aktiv
"""
"""The columns, with two pupils who bear test numbers."""


@dataclass(slots=True)
class _Pupil:
    """What the rows of one pupil have said so far; `row` is the first of them."""

    row: int
    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    sex: str = ""
    status: str = ""
    marking: str = UNMARKED
    rows: tuple[Row, ...] = ()


class PlainCsv:
    """The file, as a delivery."""

    whole = True
    gone: frozenset[str] = frozenset()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._remarks = Remarks()
        self.digest = b""
        self.units: dict[str, str] = {}

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        """Persons and remarks. UppropError(EXPORT_UNREADABLE) where the file is no such table."""
        try:
            with self._path.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                self.digest, encoding = examined(stream)
                stream.seek(0)
                delimiter = delimiter_of(
                    stream.readline(SNIFFED).decode(encoding, "replace"), COLUMNS, "upprop node import --template"
                )

                def rows() -> Iterator[tuple[int, Fields | None]]:
                    stream.seek(0)
                    text = decoded(stream, encoding)
                    yield from Table(text, COLUMNS, delimiter).rows()
                    text.detach()  # so that the stream is not closed with it

                last = {fields["person_id"]: row for row, fields in rows() if fields is not None}
                for read in self._persons(rows(), last):
                    yield from self._remarks.made()
                    if read is not None:
                        yield read
                    progress(stream.tell(), size)
                yield from self._remarks.made()
        except OSError as error:
            raise unreadable(f"The file {self._path.name} cannot be read: {error.strerror}") from error
        except TableError as error:
            raise unreadable(f"The file is not a table of enrolments: {error}") from None

    def _persons(
        self, rows: Iterator[tuple[int, Fields | None]], last: Mapping[str, int]
    ) -> Iterator[PersonRecord | None]:
        """Persons as their last rows have passed; None where a row's remarks alone are to be taken."""
        pending: dict[str, dict[str, _Pupil]] = {}
        for row, fields in rows:
            if fields is None:
                self._remarks.reject(row, "row", "has more or fewer fields than the header: the row is left out")
                yield None
            elif not fields["person_id"]:
                self._remarks.reject(row, "person_id", "is empty: the row is left out")
                yield None
            else:
                person_id = fields["person_id"]
                # Two numbers under one id are two persons until the import knows better.
                by_number = pending.setdefault(person_id, {})
                self._add(by_number.setdefault(fields["personnummer"], _Pupil(row)), row, fields)
                if row == last[person_id]:
                    del pending[person_id]
                    for number, pupil in sorted(by_number.items()):
                        yield _record(person_id, number, pupil)
        self._remarks.note_counted()

    def _add(self, pupil: _Pupil, row: int, fields: Fields) -> None:
        # Where rows differ, the least counts: equal content must compare equal, whatever the order of rows.
        pupil.given_name = _least(pupil.given_name, fields.get("förnamn", ""))
        pupil.family_name = _least(pupil.family_name, fields.get("efternamn", ""))
        pupil.birth_date = _least(pupil.birth_date, fields.get("födelsedatum", ""))
        pupil.sex = _least(pupil.sex, sex_of(fields.get("kön", "")))
        marking, status = marking_of(fields.get("skyddad", "")), status_of(fields.get("status", ""))
        if marking not in MARKINGS:
            self._remarks.note(row, "skyddad", WHY_UNKNOWN_MARKING)
        if status not in STATUSES:
            self._remarks.note(row, "status", WHY_UNKNOWN_STATUS)
        # One marking protects; an end of duty needs all rows.
        if marking != UNMARKED:
            pupil.marking = marking if pupil.marking == UNMARKED else _least(pupil.marking, marking)
        pupil.status = status if pupil.status in ("", status) else Status.ACTIVE.value
        if any(fields.get(column) for column in OF_ENROLMENT):
            enrolment = self._row(row, fields)
            if enrolment is not None and enrolment not in pupil.rows:
                pupil.rows = (*pupil.rows, enrolment)

    def _row(self, row: int, fields: Fields) -> Row | None:
        """The enrolment; None, with a remark, where it cannot be read."""
        unit = fields["skolenhet"]
        if not unit:
            self._remarks.reject(row, "skolenhet", "is empty: the enrolment is left out")
            return None
        cancelled = yes_or_no(fields.get("inställd", ""))
        if cancelled is None:
            self._remarks.reject(row, "inställd", "is neither ja nor nej: the enrolment is left out")
            return None
        at = "startdatum"
        try:
            start = start_day(hyphenated(fields["startdatum"]))
            at = "slutdatum"
            end = end_day(hyphenated(fields["slutdatum"]))
        except DateError as error:
            self._remarks.reject(row, at, str(error))
            return None
        form = form_of(fields.get("skolform", ""))
        by_grade, year = form_and_year(fields.get("årskurs", ""))
        if form and not is_known(form):
            self._remarks.note(row, "skolform", WHY_UNKNOWN_FORM)
        if not form and by_grade is None:
            self._remarks.count(row, "skolform", "is empty, and no known grade is given: taken for GR")
        if fields.get("skolenhetsnamn"):
            self.units[unit] = fields["skolenhetsnamn"]
        # Few schools and types, many pupils: each text is kept once.
        return Row(sys.intern(unit), sys.intern(form or by_grade or DEFAULT_FORM), start, end, cancelled, year)


def _record(person_id: str, number: str, pupil: _Pupil) -> PersonRecord:
    return PersonRecord(
        person_id=person_id,
        number=number or None,
        given_name=pupil.given_name,
        family_name=pupil.family_name,
        birth_date=pupil.birth_date,
        sex=pupil.sex,
        status=pupil.status,
        marking=pupil.marking,
        rows=tuple(sorted(pupil.rows, key=row_order)),
        position=pupil.row,
    )


def _least(one: str, other: str) -> str:
    return min(one, other) if one and other else one or other
