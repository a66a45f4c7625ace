"""CSV files with a header (RFC 4180), read row by row.

Invariants: columns are found by name, in any order; columns that nobody asked for are passed over unread; no exception
holds a value. Rows are counted as a spreadsheet counts them, the header being row 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TextIO

LONGEST_LINE = 1_000_000
"""Characters. Longer is no row of a roster."""

Fields = dict[str, str]
"""Column → value without blanks around it; columns that the file lacks are not in it."""

FIRST_ROW = 2


class TableError(ValueError):
    """Not a table with these columns; its text is a clause without a value."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name and other names for it; case does not matter."""

    name: str
    aliases: tuple[str, ...] = ()
    required: bool = False

    def named(self, header: Sequence[str]) -> list[int]:
        """Places in a folded header where it stands."""
        names = {self.name.casefold(), *(alias.casefold() for alias in self.aliases)}
        return [place for place, text in enumerate(header) if text in names]


class Table:
    """Rows as fields; None for a row that has more or fewer fields than the header. Read once."""

    def __init__(self, stream: TextIO, columns: Sequence[Column], delimiter: str = ",") -> None:
        self._open_ended = False
        self._reader = csv.reader(self._lines(stream), delimiter=delimiter, strict=True)
        header = folded(self._next() or [])
        if not any(header):
            raise TableError("it has no header")
        if self._open_ended:
            raise TableError("it breaks off in its header")
        self._width = len(header)
        self._places: list[tuple[str, int]] = []
        for column in columns:
            places = column.named(header)
            if len(places) > 1:
                raise TableError(f"the column {column.name} stands twice in its header")
            if column.required and not places:
                raise TableError(f"its header lacks the column {column.name}")
            self._places += [(column.name, place) for place in places]
        self.columns = frozenset(name for name, _ in self._places)

    def rows(self) -> Iterator[tuple[int, Fields | None]]:
        """(row, fields). Raises TableError where the text is no CSV or is cut off."""
        number = FIRST_ROW - 1
        while (values := self._next()) is not None:
            number += 1
            if not any(values):
                continue
            if len(values) == self._width:
                yield number, {name: values[place].strip() for name, place in self._places}
            elif len(values) < self._width and self._open_ended:
                raise TableError("it breaks off in its last row")
            else:
                yield number, None

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except csv.Error:
            # The library's words may hold the text.
            raise TableError(f"it is no CSV, or breaks off, near line {self._reader.line_num}") from None

    def _lines(self, stream: TextIO) -> Iterator[str]:
        while line := stream.readline(LONGEST_LINE):
            if "\0" in line or len(line) == LONGEST_LINE:
                raise TableError("it is not a text file with one pupil in a row")
            self._open_ended = not line.endswith(("\n", "\r"))
            yield line


def decoded(stream: BinaryIO, encoding: str = "utf-8-sig") -> io.TextIOWrapper:
    """The text of a file, its line ends untouched; UnicodeDecodeError, as it is read, where it is another."""
    return io.TextIOWrapper(stream, encoding=encoding, newline="")


def folded(header: Iterable[str]) -> list[str]:
    return [text.strip().casefold() for text in header]
