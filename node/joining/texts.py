"""What `upprop node join` says, by key."""

from __future__ import annotations

import enum


class JoiningText(enum.Enum):
    """One sentence; parameters stand in its catalogue entry."""

    REQUESTED = enum.auto()
    WORDS = enum.auto()
    READ_THEM = enum.auto()
    WHEN_LISTED = enum.auto()
    KEEP_RECORD_KEY = enum.auto()
    WAITING = enum.auto()
    BY_OTHER_WAY = enum.auto()
    JOINED = enum.auto()
    NEXT = enum.auto()
