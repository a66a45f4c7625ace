"""What the node's doctor says beyond the federation's, by key."""

from __future__ import annotations

import enum


class DoctorText(enum.Enum):
    """One sentence and, where it is not well, another on what to do; parameters stand in its catalogue entry."""

    NOTHING_WAITS = enum.auto()
    WAITS = enum.auto()
    WAITS_LONG = enum.auto()
    PARKED = enum.auto()
    ERASURES_WAIT = enum.auto()
    ERASURES_WAIT_LONG = enum.auto()
    ERASURES_NOT_TAKEN = enum.auto()
    NOBODY_ON_DUTY = enum.auto()
    MAILS_WAIT = enum.auto()
    MAILS_GO_OUT = enum.auto()
    CONSOLE_DEVELOPMENT = enum.auto()
    CONSOLE_LOGIN_ANSWERS = enum.auto()
    CONSOLE_LOGIN_SILENT = enum.auto()
    CONSOLE_PRINCIPALS_BLIND = enum.auto()
    CONSOLE_CERTIFICATE_LASTS = enum.auto()
    CONSOLE_CERTIFICATE_ENDS = enum.auto()
    CONSOLE_CERTIFICATE_UNREAD = enum.auto()
    JOURNAL_SOUND = enum.auto()
    JOURNAL_TOUCHED = enum.auto()
    JOURNAL_KNOWN = enum.auto()
    CASE_KEYS_LACK = enum.auto()
    FETCHED = enum.auto()
    NEVER_FETCHED = enum.auto()
    FETCHED_LONG_AGO = enum.auto()
    NEVER_IMPORTED = enum.auto()
    IMPORTED = enum.auto()
    IMPORTED_LONG_AGO = enum.auto()
    QUOTA_LEFT = enum.auto()
    QUOTA_SHORT = enum.auto()
    QUOTA_UNKNOWN = enum.auto()
