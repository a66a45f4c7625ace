"""An alarm in words: one line that nobody can miss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from node.ledger.texts import LedgerText
from node.wording import Words

Alarm = Mapping[str, Any]
"""As the control contract shows it; what is not known is absent."""


def alarm_sentence(alarm: Alarm, words: Words) -> str:
    """What was found and in which leaves."""
    return words(LedgerText[alarm["kind"]], leaves=_leaves(alarm, words), witness=alarm.get("witness", ""))


def banner(alarms: Sequence[Alarm], words: Words) -> str:
    """One line that nobody can miss: the first alarm, how many more there are, and what to do."""
    first, *others = alarms
    more = words(LedgerText.MORE, number=len(others)) if others else ""
    return words(LedgerText.ALARM, alarm_id=first["alarm_id"], what=alarm_sentence(first, words), more=more)


def _leaves(alarm: Alarm, words: Words) -> str:
    first, last = alarm.get("first_index"), alarm.get("last_index")
    if last is None:
        return words(LedgerText.LEAF_UNKNOWN)
    if first is None:
        return words(LedgerText.LEAVES_UP_TO, last=last)
    if first == last:
        return words(LedgerText.LEAF, first=first)
    return words(LedgerText.LEAVES, first=first, last=last)
