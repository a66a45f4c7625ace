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
    KEY_LOST = "KEY_LOST"
    """The case file's key was lost with its machine: what stands before this entry cannot be read any more."""
    SHREDDED = "SHREDDED"
    """What the entries before it said is gone, as it was to be; by nobody, with nothing in it."""
    OTHER = "OTHER"
    """Never written: a row whose kind this version does not know."""


BODY_KEYS = frozenset(
    {"text", "revision", "form"}
    | {"opened_for", "opened_on", "gap", "since", "status", "until", "rested_until", "outcome", "classification"}
    | {
        "absence",
        "handed",
        "to",
        "protected",
        "told",
        "task",
        "answer",
        "on",
        "hold",
        "last_day",
        "leads",
        "offers",
        "takes",
    }
    | {"began", "routine", "step", "step_id", "outcome_id", "done_on", "due_on", "day_0"}
    | {"corrects", "name", "size", "sha256", "attachment", "as"}
    | {"event", "member", "ground", "by", "direction", "sequence"}
)
"""What bodies are made of. Each key that is shown has a text `journal.field.<key>` in both languages."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `body` is JSON-able; its keys are the kind's own: `text` of a NOTE, `corrects` (a position) and `text`
    of a CORRECTION, `status` of a STATUS … `author` and `body` are None once the case file was shredded, and where the
    entry is `damaged`: it does not open, because somebody touched it.
    """

    position: int
    file_id: FileId = field(repr=False)
    written_at: datetime
    kind: EntryKind
    author: str | None = field(default=None, repr=False)
    author_id: str | None = field(default=None, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Somebody looked at a case file: who, when, and at which page."""

    file_id: FileId = field(repr=False)
    viewed_at: datetime
    viewer: str = field(repr=False)
    viewer_id: str = field(repr=False)
    page: str


class FlawKind(enum.StrEnum):
    """What is wrong with a row. Each has a text `journal.flaw.<kind>` in both languages."""

    MISSING = "missing"
    """It was taken away."""
    CHANGED = "changed"
    """Its case file, instant, kind, place in the chain, or what the chain holds of its content."""
    ENTRY = "entry"
    """Its content is not what was written."""
    EMPTIED = "emptied"
    """Its content was taken away, and not because the case file was shredded."""
    UNPROVED = "unproved"
    """It may be as it was written: the row before it, to which it is chained, is missing."""
    ATTACHMENT = "attachment"
    """What was attached by it is missing, or is not what was attached."""
    END = "end"
    """The journal does not end where it was written to: rows from this one on were taken away or put there."""
    SET_BACK = "set-back"
    """The whole journal was set back to an older state: this row had been seen."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A row of the journal that is not as it was written. `file_id` where the row tells it."""

    position: int
    what: FlawKind
    file_id: FileId | None = field(default=None, repr=False)
