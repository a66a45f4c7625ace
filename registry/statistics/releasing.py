"""Drawing releases: what is due is paid for, counted, drawn and kept, once.

Invariants
    - What a release costs is spent first, in a transaction of its own; it is counted, drawn and kept in a second one. A
      crash in between leaves it spent and nothing drawn: publishing again finds it spent and goes on.
    - A release is drawn at most once, whatever crashes, is repeated or runs beside it. Noise that was drawn and not
      committed was seen by nobody.
    - What was drawn once and is in the database no more is not drawn again (`outside`); other releases are.
    - Nothing of this happens while a reader waits, nor does it hang on what readers ask.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from privacy import noise
from privacy.budget import PROFILES, Profile
from registry.statistics import calendar, counting, drawing
from registry.statistics.catalogue import TableId
from registry.statistics.coverage import coverage, municipalities
from registry.statistics.model import Period, Record, Release, ReleaseId, Scale, Spend
from registry.statistics.outside import Outside
from registry.store import Transaction, members
from registry.store import statistics as store
from registry.store import statistics_budget as budget_store

LOOK_SECONDS = 300.0
"""How often the daemon looks whether a release is due."""

RELEASED = Event("statistics_released", ("release_id", "current_members", "silent_municipalities"))

RELEASE_LOST = Event("statistics_release_lost", ("release_id",), Level.ERROR)
"""It was drawn before, and the database does not hold it."""


@dataclass(frozen=True, slots=True)
class Published:
    """A release that stands; `drawn_now`: it was not there before."""

    release: Release
    drawn_now: bool


@dataclass(frozen=True, slots=True)
class Awaited:
    """The next release of a kind. `obstacle` says what stands in the way of one that is due."""

    period: Period
    due_on: date
    obstacle: str | None


class Releasing:
    """Publishes what is due."""

    def __init__(
        self,
        database: Database,
        descriptors: Callable[[], Descriptor],
        clock: Clock,
        log: Log,
        draws: drawing.Noise = noise,
        outside: Outside | None = None,
    ) -> None:
        self._database, self._descriptors, self._clock, self._log = database, descriptors, clock, log
        self._noise, self._outside = draws, outside or Outside()
        # The worker and the command of one daemon: one after the other, rather than the second for nothing.
        self._turn = threading.Lock()

    def run_if_due(self) -> None:
        """Publish all that is due: for the worker."""
        self.publish_due()

    def publish_due(self) -> list[Published]:
        """Publish all that is due, in the order in which it fell due."""
        noted = self._outside.noted()
        known, drawn = self._database.view("statistics_due", _known)
        self._outside.note(self._database.view("statistics_paid", budget_store.questions_paid) | drawn)
        lost = noted - drawn
        due = calendar.due(known, self._clock.today(), drawn)
        for period in due:
            if period.release_id in lost:
                self._log(RELEASE_LOST, release_id=period.release_id)
        return [self.publish(period) for period in due if period.release_id not in lost]

    def publish(self, period: Period) -> Published:
        """Publish one release, or find it published.

        Raises UppropError: INPUT_REFUSED where it is not due, or was drawn before and is lost.
        """
        with self._turn:
            if (standing := self._standing(period)) is not None:
                return Published(standing, drawn_now=False)
            noted = self._outside.noted()
            known, drawn = self._database.view("statistics_due", _known)
            if (refusal := self._refusal(period, known, noted - drawn)) is not None:
                raise UppropError(Code.INPUT_REFUSED, refusal)
            # The profile is frozen with the first spend of a year; the descriptor's counts for the years after.
            profile = PROFILES[self._descriptors().policy.statistics]
            frozen = self._database.run(
                "statistics_spend", functools.partial(_spend, period=period, profile=profile, at=self._clock.now())
            )
            # Before the transaction: what draws takes seconds to load at its first use.
            scales = drawing.scales(period, frozen, self._noise)
            published = self._database.run(
                "statistics_draw", functools.partial(self._draw, period=period, profile=frozen, scales=scales)
            )
            self._outside.note([published.release.release_id])
        if published.drawn_now:
            self._say(published.release)
        return published

    def awaited(self) -> list[Awaited]:
        """The next release of each kind, soonest first."""
        noted = self._outside.noted()
        known, drawn = self._database.view("statistics_due", _known)
        today = self._clock.today()
        return [
            Awaited(period, due_on, self._refusal(period, known, noted - drawn) if due_on <= today else None)
            for period in calendar.upcoming(known, today, drawn)
            for due_on in (calendar.due_on(period),)
        ]

    def _refusal(self, period: Period, known: calendar.Known, lost: Collection[str]) -> str | None:
        """Why a period cannot be released now; None where it can."""
        if period.release_id in lost:
            return self._outside.refusal(period.release_id)
        return calendar.refusal(period, known, self._clock.today())

    def _standing(self, period: Period) -> Release | None:
        return self._database.view("statistics_release", lambda tx: store.release(tx, period.release_id))

    def _draw(self, tx: Transaction, period: Period, profile: Profile, scales: Mapping[TableId, Scale]) -> Published:
        if (standing := store.release(tx, period.release_id)) is not None:
            # Drawn by another replica meanwhile, or by this one, which did not hear that it was committed.
            return Published(standing, drawn_now=False)
        descriptor = self._descriptors()
        covered = coverage(descriptor.members, members.last_contacts(tx), calendar.through(period))
        record = Record(
            mechanism=self._noise.MECHANISM,
            library=self._noise.library(),
            profile=profile.name,
            coverage=covered,
            scales=scales,
        )
        release = Release(period, self._clock.today(), self._clock.now(), record)
        # First of all: another replica that draws it too waits here until this transaction ends.
        store.begin(tx, release)
        counted = counting.count(store.cases_of(tx, period.year), period, municipalities(descriptor.members))
        counts = {table: counting.tally(counted.children, table) for table in period.tables}
        store.write_tables(tx, period.release_id, drawing.draw(counts, profile, self._noise))
        store.mark_counted(tx, counted.case_ids, period)
        return Published(release, drawn_now=True)

    def _say(self, release: Release) -> None:
        covered = release.record.coverage
        self._log(
            RELEASED,
            release_id=release.release_id,
            current_members=covered.current_members,
            silent_municipalities=len(covered.silent_municipalities),
        )


def spend_id(period: Period, table: str) -> str:
    """Under which a table is paid for: once a year, for each child of it is in one of its months."""
    return f"{period.year:04d}/table/{table}"


def _known(tx: Transaction) -> tuple[calendar.Known, set[ReleaseId]]:
    return store.known(tx), store.drawn(tx)


def _spend(tx: Transaction, period: Period, profile: Profile, at: datetime) -> Profile:
    """Pay for the tables of a release, where they are not paid for; the profile by which they are."""
    standing = budget_store.open_year(tx, period.year, profile.name, profile.cap_nano_rho)
    frozen = PROFILES[standing.profile]
    for table in period.tables:
        if not budget_store.spend(tx, Spend(spend_id(period, table), period.year, frozen.cost(table), spent_at=at)):
            raise UppropError(
                Code.INPUT_REFUSED,
                f"The privacy budget of {period.year} does not pay for the table {table}: too little is left, or less "
                "was paid than it costs now. Nothing was drawn. Look into the database: somebody has changed what is "
                "spent, or this version has other prices than the one that began the year.",
            )
    return frozen
