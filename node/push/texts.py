"""What `upprop node client` says, by key."""

from __future__ import annotations

import enum


class PushText(enum.Enum):
    """One sentence or column; parameters stand in its catalogue entry."""

    ADDED = enum.auto()
    NO_PORT = enum.auto()
    REVOKED = enum.auto()
    REVOKED_BEFORE = enum.auto()
    NOBODY = enum.auto()
    # -- the list
    SYSTEM = enum.auto()
    STATE = enum.auto()
    ADDED_ON = enum.auto()
    EXPIRES_ON = enum.auto()
    LAST_PUSH = enum.auto()
    AS_OF = enum.auto()
    NOTHING_TAKEN = enum.auto()
    NEVER = enum.auto()
    ROSTER_REFUSED = enum.auto()
