"""When a node drills by itself. Pure.

Invariant: every member has its own day in each round of `every` days, so that the nation does not drill on one day; a
day that was missed is made up for on the next.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

from federation.rules.vocabulary import MemberId

LOOK_SECONDS = 3_600.0
"""How often a running node looks whether a drill is due."""


def drill_day(member: MemberId, every: int, today: date) -> date:
    """The member's newest day of drill up to `today`, of one in every so many days; `every` ≥ 1."""
    own = int.from_bytes(hashlib.sha256(b"drill" + member.encode()).digest()[:8], "big")
    return today - timedelta(days=(today.toordinal() - own) % every)


def is_due(member: MemberId, every: int, today: date, *, baseline: date, last_begun: date | None) -> bool:
    """Whether the node begins a drill now; `every` 0: never. A drill that somebody began by hand counts as well."""
    if every == 0:
        return False
    return max(baseline, last_begun or baseline) < drill_day(member, every, today)
