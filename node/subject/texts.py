"""What `upprop node subject` says, by key."""

from __future__ import annotations

import enum


class SubjectText(enum.Enum):
    """One sentence; parameters stand in its catalogue entry."""

    # -- export
    ABOUT = enum.auto()
    SOURCE = enum.auto()
    SOURCE_RESIDENTS = enum.auto()
    RECIPIENTS = enum.auto()
    PSEUDONYMS = enum.auto()
    STATISTICS = enum.auto()
    COPIES = enum.auto()
    RIGHTS = enum.auto()
    RIGHTS_RESIDENTS = enum.auto()
    NOTHING = enum.auto()
    WRITTEN = enum.auto()
    # -- erase
    WILL_GO = enum.auto()
    TAKES_BACK = enum.auto()
    RELIED_ON = enum.auto()
    LEFT_AT_REGISTRY = enum.auto()
    SURE = enum.auto()
    BEGUN = enum.auto()
    ERASED = enum.auto()
    WAITS = enum.auto()
    INTERRUPTED = enum.auto()
    UNREACHED = enum.auto()
    NOT_TAKEN = enum.auto()
    COME_BACK = enum.auto()
    OLD_COPIES = enum.auto()
    # -- log
    NO_REQUESTS = enum.auto()
