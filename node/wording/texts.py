"""What commands say, by key."""

from __future__ import annotations

import enum


class Text(enum.Enum):
    """One sentence, heading or column of a command; parameters stand in its catalogue entry."""

    # -- progress
    STEP_FETCH = enum.auto()
    STEP_READ = enum.auto()
    STEP_COMPARE = enum.auto()
    STEP_WRITE = enum.auto()
    STEP_RESTATE = enum.auto()
    STEP_PSEUDONYMISE = enum.auto()
    STEP_SUBMIT = enum.auto()
    STEP_NOTICES = enum.auto()
    # -- columns
    ROW = enum.auto()
    FIELD = enum.auto()
    WHY = enum.auto()
    SINCE = enum.auto()
    PUPIL = enum.auto()
    CASE = enum.auto()
    ASKED = enum.auto()
    MADE = enum.auto()
    CODE = enum.auto()
    ID = enum.auto()
    WHAT = enum.auto()
    ON = enum.auto()
    REASON = enum.auto()
    SAID_BY = enum.auto()
    SAID_ON = enum.auto()
    KIND = enum.auto()
    DUE = enum.auto()
    # -- import
    IMPORTED = enum.auto()
    IMPORTED_BASELINE = enum.auto()
    IMPORTED_ALREADY = enum.auto()
    IMPORTED_ALREADY_CONFIRMED = enum.auto()
    IMPORT_COUNTS = enum.auto()
    REJECTED = enum.auto()
    UNLINKABLE = enum.auto()
    NOTES = enum.auto()
    MORE_REMARKS = enum.auto()
    LEAVINGS_HELD = enum.auto()
    SYSTEM_CURRENT = enum.auto()
    SYSTEM_RETIRED = enum.auto()
    SYSTEM_TAKEN_AWAY = enum.auto()
    # -- sync
    SYNCED = enum.auto()
    # -- cases
    NO_CASES = enum.auto()
    QUESTIONS_CONFIRM = enum.auto()
    QUESTIONS_OVERLAP = enum.auto()
    WAITING = enum.auto()
    PARKED = enum.auto()
    STATE_SINCE = enum.auto()
    KIND_OF_CASE = enum.auto()
    FILE_OPENED = enum.auto()
    FIRST_STEPS = enum.auto()
    # -- say and review
    WHO = enum.auto()
    NOTED = enum.auto()
    NOTED_WAITS = enum.auto()
    AGREED = enum.auto()
    REFUSED = enum.auto()
    NOTHING_WAITS = enum.auto()
    PROTECTED_PUPIL = enum.auto()
    # -- explain
    AS_OF = enum.auto()
    SECTION_WHY = enum.auto()
    SECTION_NEXT = enum.auto()
    SECTION_CASE = enum.auto()
    SECTION_ROWS = enum.auto()
    SECTION_SAID = enum.auto()
    SECTION_PRESENCES = enum.auto()
    SECTION_SENT = enum.auto()
    SECTION_HEARD = enum.auto()
    # -- check
    CHECKED = enum.auto()
    CHECKED_BASELINE = enum.auto()
    CHECKED_ALREADY = enum.auto()
    CHECK_COUNTS = enum.auto()
    NEW_GAPS = enum.auto()
    TAKEN_BACK = enum.auto()
    DUTY_ENDED = enum.auto()
    NO_NEW_GAPS = enum.auto()
    WOULD_WAIT = enum.auto()
    HELD = enum.auto()
    PROTECTED_LEFT_OUT = enum.auto()
    HOW_TO_IMPORT = enum.auto()
