"""Remarks gathered while rows are read, to be handed on with the rows that they are about."""

from __future__ import annotations

from node.records.person import Remark, RemarkKind


class Remarks:
    """What one reader has to remark. `where` names the file or field, `why` never holds a value."""

    def __init__(self) -> None:
        self._made: list[Remark] = []
        self._counted: dict[tuple[str, str], list[int]] = {}

    def reject(self, row: int, where: str, why: str) -> None:
        self._made.append(Remark(RemarkKind.REJECTED, row, where, why))

    def note(self, row: int, where: str, why: str) -> None:
        self._made.append(Remark(RemarkKind.NOTE, row, where, why))

    def count(self, row: int, where: str, why: str) -> None:
        """A note that may be to make of every pupil: it is made once, of the first row, with the number of rows."""
        self._counted.setdefault((where, why), []).append(row)

    def note_counted(self) -> None:
        """Make the notes that were counted; at the end."""
        for (where, why), rows in self._counted.items():
            self.note(rows[0], where, why if len(rows) == 1 else f"{why}, in {len(rows)} rows")

    def made(self) -> list[Remark]:
        """Those made since this was last asked."""
        made, self._made = self._made, []
        return made
