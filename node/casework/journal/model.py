"""Journal entries as values. Pure.

Invariant: an entry is never changed nor removed; a correction is a new entry that names the one it corrects.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from node.casework.files.model import FileId

MAX_NOTE = 100_000
"""Characters of one note: some thirty printed pages. Beyond it the page says so and keeps what was typed."""


class EntryKind(enum.StrEnum):
    """What an entry tells. Each has a text `journal.kind.<KIND>` in both languages."""

    OPENED = "OPENED"
    STATUS = "STATUS"
    CLASSIFIED = "CLASSIFIED"
    ABSENCE = "ABSENCE"
    RESPONSIBLE = "RESPONSIBLE"
    GAP = "GAP"
    """The gap changed: answered, ended, open again."""
    STEP = "STEP"
    NOTE = "NOTE"
    CORRECTION = "CORRECTION"
    ATTACHMENT = "ATTACHMENT"
    SAYING = "SAYING"
    TASK = "TASK"
    ATTENDANCE = "ATTENDANCE"
    HOLD = "HOLD"
    LEAD = "LEAD"
    CONTACT = "CONTACT"
    MESSAGE = "MESSAGE"
    EXPORTED = "EXPORTED"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `body` is JSON-able; its keys are the kind's own: `text` of a NOTE, `corrects` (a position) and `text`
    of a CORRECTION, `status` of a STATUS … `author` and `body` are None once the case file was shredded.
    """

    position: int
    file_id: FileId = field(repr=False)
    written_at: datetime
    kind: EntryKind
    author: str | None = field(default=None, repr=False)
    author_id: str | None = field(default=None, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class View:
    """Somebody looked at a case file: who, when, and at which page."""

    file_id: FileId = field(repr=False)
    viewed_at: datetime
    viewer: str = field(repr=False)
    viewer_id: str = field(repr=False)
    page: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """A row of the journal that is not as it was written: its position, and in what."""

    position: int
    what: str
