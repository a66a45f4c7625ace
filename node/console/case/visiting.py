"""The case file that an address names, for whoever may see it; each look stands in the log of views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.casework.files.filing import NoSuchFileError
from node.casework.files.model import FILE_ID_BYTES, FileId
from node.casework.files.showing import Shown
from node.console.visit import NoSuchPageError, Visit

if TYPE_CHECKING:
    from node.store import Transaction


def file_id_of(visit: Visit) -> FileId:
    """The id in the address's part `file`. Raises NoSuchPageError for what is none."""
    text = visit.part("file")
    try:
        found = bytes.fromhex(text)
    except ValueError:
        raise NoSuchPageError from None
    if len(found) != FILE_ID_BYTES or found.hex() != text:
        raise NoSuchPageError
    return FileId(found)


def case_visit(visit: Visit) -> Shown:
    """The case file, and the look at it noted. Raises NoSuchPageError where it is not there for this person."""
    file_id, desk = file_id_of(visit), visit.desk

    def work(tx: Transaction) -> Shown:
        shown = desk.showing.one(tx, file_id, visit.actor)
        desk.journal.viewed(tx, file_id, visit.actor, visit.page, desk.now())
        return shown

    try:
        return desk.database.run("console_case", work)
    except NoSuchFileError:
        raise NoSuchPageError from None
