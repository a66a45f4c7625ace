"""What the watch over the ledger says, by key: an alarm, what it means, what to do, and how a verification went."""

from __future__ import annotations

import enum
from typing import Final


class LedgerText(enum.Enum):
    """One sentence; parameters stand in its catalogue entry."""

    # -- the alarm
    ALARM = enum.auto()
    MORE = enum.auto()
    NO_RECEIPT = enum.auto()
    SHRUNK = enum.auto()
    REWRITTEN = enum.auto()
    LEAF_GONE = enum.auto()
    FORKED = enum.auto()
    UNPROVED = enum.auto()
    WITNESSES_LATE = enum.auto()
    EDITED = enum.auto()
    SET_BACK = enum.auto()
    MISSING = enum.auto()
    FOREIGN = enum.auto()
    PSEUDONYM_LOST = enum.auto()
    # -- which leaves
    LEAF = enum.auto()
    LEAVES = enum.auto()
    LEAVES_UP_TO = enum.auto()
    LEAF_UNKNOWN = enum.auto()
    # -- verify and acknowledge
    STEP_WITNESSES = enum.auto()
    STEP_LEAVES = enum.auto()
    STEP_STATED = enum.auto()
    NO_LEDGER = enum.auto()
    VERIFIED = enum.auto()
    WITNESSED = enum.auto()
    WITNESS_SILENT = enum.auto()
    NOT_TO_THE_END = enum.auto()
    NOTHING_STANDS = enum.auto()
    RESENT = enum.auto()
    RESENT_NEXT = enum.auto()
    ACKNOWLEDGED = enum.auto()
    HISTORY = enum.auto()


STEPS: Final = {
    "ledger_witnesses": LedgerText.STEP_WITNESSES,
    "ledger_leaves": LedgerText.STEP_LEAVES,
    "ledger_stated": LedgerText.STEP_STATED,
}
