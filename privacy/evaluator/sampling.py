"""What an evaluator's operator is shown that stands in its store: read anew, at most every quarter of a minute.

Invariant: how much a member has asked for is shown in steps that each hold `QUOTA_ELEMENTS` pupils at least, at places
that nobody knows: that it asked about one pupil more is not seen; that its quota is used up is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

from federation.clock import Clock
from federation.coarse import Steps
from federation.database import Database
from federation.descriptor import Descriptor
from federation.observability import Readings, Shown
from privacy.evaluator.shares import Shares
from privacy.evaluator.store import usage
from privacy.evaluator.store.usage import Used

QUOTA_STEPS = 20
"""What is left of a quota is shown in steps of 0.05, or in whole multiples of them where the quota is small."""

QUOTA_ELEMENTS = 50
"""As many as a roster is rounded to."""

STANDING = (
    Shown(
        "upprop_evaluator_quota_left_ratio",
        "What is left of a member's quota of the year or of the business day, in steps of 0.05 or more.",
        ("member", "span"),
    ),
    Shown("upprop_evaluator_epoch_share", "1 where the share of an epoch of the descriptor is held.", ("epoch",)),
)


class Sampling:
    """Reads the gauges of the store and of the shares."""

    def __init__(
        self, database: Database, shares: Shares, descriptors: Callable[[], Descriptor], clock: Clock, steps: Steps
    ) -> None:
        self._database, self._shares, self._descriptors = database, shares, descriptors
        self._clock, self._steps = clock, steps

    def standing(self) -> Readings:
        """The gauges of `STANDING`."""
        descriptor, today = self._descriptors(), self._clock.today()
        asked = self._database.view("metrics_read", lambda tx: usage.used_by_all(tx, today))
        left: dict[tuple[str, ...], float] = {}
        for each in descriptor.members:
            member, quota = each.member_id, descriptor.quota(each.member_id)
            used = asked.get(member, Used(0, 0))
            left[member, "year"] = quota_left(self._steps, used.year, quota.year, member, date(today.year, 1, 1))
            left[member, "day"] = quota_left(self._steps, used.day, quota.day, member, today)
        held = {share.epoch for share in self._shares.usable(descriptor)}
        shares: dict[tuple[str, ...], float] = {
            (str(epoch.epoch),): float(epoch.epoch in held) for epoch in descriptor.epochs
        }
        return {"upprop_evaluator_quota_left_ratio": left, "upprop_evaluator_epoch_share": shares}


def quota_left(steps: Steps, used: int, limit: int, member: str, since: date) -> float:
    """The share of `limit` that is left of a span that began on a day, coarse; 0 exactly where nothing is."""
    if used >= limit:
        return 0.0
    wide = math.ceil(QUOTA_ELEMENTS * QUOTA_STEPS / limit)
    step = math.ceil(limit * wide / QUOTA_STEPS)
    taken = steps.shown(used, step, "quota", member, str(limit), since.isoformat()) // step
    return max(1, QUOTA_STEPS - taken * wide) / QUOTA_STEPS
