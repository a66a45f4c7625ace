"""What `upprop node recover`, `backup` and `restore` say, by key."""

from __future__ import annotations

import enum


class RecoveryText(enum.Enum):
    """One sentence; parameters stand in its catalogue entry."""

    # -- progress
    STEP_HAND_BACK = enum.auto()
    STEP_FIND_NAMES = enum.auto()
    STEP_REMEMBER = enum.auto()
    STEP_BACKUP = enum.auto()
    STEP_RESTORE = enum.auto()
    # -- recover
    RECOVERED = enum.auto()
    NAMELESS = enum.auto()
    NUMBERS_MISSING = enum.auto()
    NEXT = enum.auto()
    AGAIN = enum.auto()
    NUMBER = enum.auto()
    NAMED = enum.auto()
    # -- backup, restore
    BACKED_UP = enum.auto()
    NO_IMPORT = enum.auto()
    KEEP_KEY_APART = enum.auto()
    CASE_KEYS = enum.auto()
    CASE_KEYS_MISSING = enum.auto()
    RESTORED = enum.auto()


STEPS = {
    "hand_back": RecoveryText.STEP_HAND_BACK,
    "find_names": RecoveryText.STEP_FIND_NAMES,
    "remember": RecoveryText.STEP_REMEMBER,
    "backup": RecoveryText.STEP_BACKUP,
    "restore": RecoveryText.STEP_RESTORE,
}
