"""What `upprop node attendance` and `residents` say, by key."""

from __future__ import annotations

import enum


class SourcesText(enum.Enum):
    """One sentence; parameters stand in its catalogue entry."""

    ATTENDANCE_TAKEN = enum.auto()
    ATTENDANCE_UNKNOWN = enum.auto()
    ABSENCES = enum.auto()
    RESIDENTS_TAKEN = enum.auto()
    NOT_PLACED = enum.auto()
