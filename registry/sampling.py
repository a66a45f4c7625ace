"""What an operator is shown that stands in the registry's store: read anew, at most every quarter of a minute.

Invariants: what stands here hangs on dates, on who was heard of and on what was spent, and on no gap or case; shares
are of members or of money, not of children; the ledger's size, which grows by a batch, is shown in steps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from federation.clock import Clock, ManualClock
from federation.coarse import Steps
from federation.database import Database
from federation.descriptor import Descriptor
from federation.observability import COUNTED_STEP, Readings, Shown
from federation.rules.vocabulary import MemberId
from privacy.budget import PROFILES, ROLE_PERCENT
from registry.epochs.progress import QUARTERS, progress
from registry.observability import RegistryMetrics
from registry.schedule import Behind, behind, behind_by_hand
from registry.silence.coverage import Contact, Coverage, coverage
from registry.silence.seen import MembersSeen
from registry.statistics import calendar, questions
from registry.store import Transaction, closes, epochs, ledger, members, statistics, statistics_budget

EPOCH_SECONDS = 300.0
"""How often it is looked through all handles: a change of epochs takes days."""

RATIO_STEPS = 20
"""Shares of members are shown in steps of 0.05, rounded: one pupil that one member has yet to restate is not seen."""

SEEN_SECONDS = 900
"""Members are shown as last seen at a quarter of an hour, in which every node that runs calls: to the second it would
tell, beside the number of batches, whose batch it was."""

STANDING = (
    Shown("upprop_registry_matching_lag_seconds", "Seconds since the evening whose close is missing; 0: none is."),
    Shown("upprop_registry_deadline_lag_days", "Business days that should be closed and are not."),
    Shown(
        "upprop_registry_member_last_seen_timestamp_seconds",
        "Quarter of an hour in which a member last called this process; before it has, the day of its newest import.",
        ("member",),
    ),
    Shown(
        "upprop_registry_member_lag_days",
        "School days since the day of a member's newest import; none for a member that was never heard.",
        ("member",),
    ),
    Shown(
        "upprop_registry_member_certificate_expires_timestamp_seconds",
        "When the certificate expires with which a member last called this process.",
        ("member",),
    ),
    Shown(
        "upprop_registry_members",
        "Members by state: current, silent for too many school days, never heard.",
        ("state",),
    ),
    Shown("upprop_registry_coverage_ratio", "Share of the federation's pupils whose member is current."),
    Shown("upprop_registry_ledger_leaves", "Leaves of the ledger, in steps of 1000."),
    Shown("upprop_statistics_last_release_timestamp_seconds", "When a table was last released, by table.", ("table",)),
    Shown("upprop_statistics_release_overdue_days", "Days since the oldest release fell due that is not drawn."),
    Shown("upprop_statistics_budget_left_ratio", "What is left of a year's privacy budget.", ("year",)),
    Shown(
        "upprop_statistics_reserve_left_ratio",
        "What is left of a role's part of a year's reserve for further questions.",
        ("year", "role"),
    ),
)

EPOCHS = (
    Shown(
        "upprop_registry_epoch_members_ratio",
        "Share of the members whose pupils carry the epoch, by quarters of theirs, in steps of 0.05.",
        ("epoch",),
    ),
)

_Values = dict[tuple[str, ...], float]


class Sampling:
    """Reads the gauges of the store."""

    def __init__(
        self,
        database: Database,
        descriptors: Callable[[], Descriptor],
        clock: Clock,
        metrics: RegistryMetrics,
        seen: MembersSeen,
        steps: Steps,
    ) -> None:
        self._database, self._descriptors, self._clock = database, descriptors, clock
        self._metrics, self._seen, self._steps = metrics, seen, steps

    def standing(self) -> Readings:
        """The gauges of `STANDING`."""
        return self._database.view("metrics_read", self._standing)

    def epochs(self) -> Readings:
        """The gauges of `EPOCHS`."""
        return self._database.view("metrics_read", self._epochs)

    def _standing(self, tx: Transaction) -> Readings:
        descriptor, today = self._descriptors(), self._clock.today()
        late = self._late(tx, descriptor)
        heard = coverage(
            descriptor.members,
            members.heard(tx),
            today,
            descriptor.policy.silence_school_days,
            descriptor.calendar,
        )
        leaves = self._steps.shown(ledger.head(tx).size, COUNTED_STEP, "leaves")
        return {
            "upprop_registry_matching_lag_seconds": {(): late.seconds},
            "upprop_registry_deadline_lag_days": {(): late.days},
            **self._members(heard, descriptor),
            "upprop_registry_coverage_ratio": {(): heard.percent / 100},
            "upprop_registry_ledger_leaves": {(): leaves},
            **_releases(tx, today),
            **_budgets(tx),
        }

    def _late(self, tx: Transaction, descriptor: Descriptor) -> Behind:
        finished = closes.newest(tx, finished=True)
        if finished is not None and finished.finished_at is not None:
            # Perhaps by another replica.
            self._metrics.last_close.set(finished.finished_at.timestamp())
        closed_on = None if finished is None else finished.closed_on
        if isinstance(self._clock, ManualClock):
            return behind_by_hand(self._clock.today(), closed_on)
        finished_at = None if finished is None else finished.finished_at
        return behind(self._clock.now(), ZoneInfo(descriptor.zone), closed_on, finished_at)

    def _members(self, heard: Coverage, descriptor: Descriptor) -> Readings:
        zone, now = ZoneInfo(descriptor.zone), self._clock.now()
        last_seen, lag, expires = _Values(), _Values(), _Values()
        for line in heard.lines:
            if line.contact is Contact.LEFT:
                continue
            label, times = (str(line.member),), list[datetime]()
            if line.heard is not None:
                times.append(min(now, datetime.combine(line.heard.last_contact, time(), zone).astimezone(UTC)))
                lag[label] = line.silent_for or 0
            if (call := self._seen.last(line.member)) is not None:
                times.append(call.at)
                expires[label] = call.certificate_expires.timestamp()
            if times:
                last_seen[label] = max(times).timestamp() // SEEN_SECONDS * SEEN_SECONDS
        states = {"current": Contact.CURRENT, "silent": Contact.SILENT, "never": Contact.NEVER_HEARD}
        return {
            "upprop_registry_member_last_seen_timestamp_seconds": last_seen,
            "upprop_registry_member_lag_days": lag,
            "upprop_registry_member_certificate_expires_timestamp_seconds": expires,
            "upprop_registry_members": {(name,): heard.number(contact) for name, contact in states.items()},
        }

    def _epochs(self, tx: Transaction) -> Readings:
        descriptor = self._descriptors()
        listed = [member.member_id for member in descriptor.members]
        ratio = functools.partial(_epoch_ratio, tx, listed)
        return {
            "upprop_registry_epoch_members_ratio": {
                (str(epoch.epoch),): ratio(epoch.epoch) for epoch in descriptor.epochs if listed
            }
        }


def _epoch_ratio(tx: Transaction, listed: list[MemberId], epoch: int) -> float:
    handles: Mapping[MemberId, tuple[int, int]] = {
        # Half a quarter in advance: `progress` rounds down, and one pupil of many is none.
        member: (each.live, max(0, each.lacking - each.live // (2 * QUARTERS)))
        for member, each in epochs.handles(tx, [epoch]).items()
    }
    quarters = [each.quarters for each in progress(listed, handles, {}) if each.listed]
    return round(RATIO_STEPS * sum(quarters) / (QUARTERS * len(quarters))) / RATIO_STEPS


def _releases(tx: Transaction, today: date) -> Readings:
    last = _Values()
    # Oldest first.
    for release in statistics.releases(tx):
        last.update({(table.value,): release.drawn_at.timestamp() for table in release.period.tables})
    due = [calendar.due_on(period) for period in calendar.upcoming(statistics.known(tx), today, statistics.drawn(tx))]
    return {
        "upprop_statistics_last_release_timestamp_seconds": last,
        "upprop_statistics_release_overdue_days": {(): max(0, (today - min(due)).days)},
    }


def _budgets(tx: Transaction) -> Readings:
    left, reserves = _Values(), _Values()
    for budget in statistics_budget.budgets(tx):
        year, profile = str(budget.year), PROFILES[budget.profile]
        left[year,] = max(0, budget.cap_nano_rho - budget.spent_nano_rho) / budget.cap_nano_rho
        spends = statistics_budget.spends(tx, budget.year)
        for role in ROLE_PERCENT:
            if share := profile.role_share(role):
                reserves[year, role] = questions.left(profile, spends, role, "").role / share
    return {
        "upprop_statistics_budget_left_ratio": left,
        "upprop_statistics_reserve_left_ratio": reserves,
    }
