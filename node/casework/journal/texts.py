"""What `upprop node journal` says, by key."""

from __future__ import annotations

import enum


class JournalText(enum.Enum):
    """One sentence; parameters stand in its catalogue entry."""

    SOUND = enum.auto()
    FLAWED = enum.auto()
    ROW = enum.auto()
    ROW_OF = enum.auto()
    KNOWN = enum.auto()
    ACKNOWLEDGED = enum.auto()
    WHAT_NOW = enum.auto()
    WRITTEN = enum.auto()
