"""A registry on a real store, and short ways to say what members say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from random import SystemRandom

from prometheus_client import CollectorRegistry

from federation.clock import ManualClock
from federation.database import Database
from federation.descriptor import Descriptor, Epoch, File, Member
from federation.descriptor_file import PolicyValues
from federation.observability import Log
from federation.rules.vocabulary import (
    Disposition,
    Handle,
    MemberId,
    Notice,
    NoticeKind,
    Opening,
    OpeningKind,
    Policy,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)
from privacy.registry_key import RegistryKey
from registry.intake import Intake
from registry.keys import PseudonymKeys
from registry.mailbox import Mailbox
from registry.model import CloseReport, Rejection
from registry.observability import RegistryMetrics
from registry.pipeline import Close
from registry.roll_call.calling import RollCall

A, B, C = MemberId("0180"), MemberId("1480"), MemberId("1280")
SINCE = date(2026, 9, 1)
"""A Tuesday; a NORMAL opening of this day is due on 14 September (S[9])."""

DUE = date(2026, 9, 14)


def day(text: str) -> date:
    return date.fromisoformat(f"2026-{text}")


def federation(
    *members: MemberId,
    serial: int = 1,
    watch: int = 10,
    epochs: Sequence[int] = (1, 2),
    limits: Policy = Policy(),  # noqa: B008 - immutable
) -> Descriptor:
    """A descriptor of these members (three by default), without what only TLS and signatures need.

    Of the policy `limits` the limits against misuse are taken, which are off where it is left out.
    """
    return Descriptor.of(
        File(
            serial=serial,
            expires=datetime(2099, 1, 1, tzinfo=UTC),
            policy=PolicyValues(
                watch_school_days=watch,
                backdating_days=limits.backdating_days,
                answer_kept_days=limits.answer_kept_days,
                monthly_openings=limits.monthly_openings,
                monthly_openings_percent=limits.monthly_openings_percent,
                overlap_school_days=limits.overlap_school_days,
            ),
            members=[
                Member(id=member, population=50_000, key_sha256=f"{index:064x}")
                for index, member in enumerate(members or (A, B, C))
            ],
            epochs=[
                Epoch(
                    epoch=epoch, threshold=2, shares=2, public_key=bytes(32), commitments={1: bytes(32), 2: bytes(32)}
                )
                for epoch in epochs
            ],
        )
    )


KEYS = PseudonymKeys({1: RegistryKey(1, b"\x01" * 32), 2: RegistryKey(2, b"\x02" * 32)})


class Scene:
    """A registry whose members speak and whose days are closed by hand."""

    def __init__(self, database: Database, descriptor: Descriptor | None = None, keys: PseudonymKeys = KEYS) -> None:
        self.database = database
        self.descriptor = descriptor or federation()
        self._ids = itertools.count(1)
        metrics, log = RegistryMetrics(CollectorRegistry()), Log(level="error")
        self.metrics, self.log = metrics, log
        self.intake = Intake(database, keys, lambda: self.descriptor, metrics, log)
        self.mailbox = Mailbox(database)
        self.clock = ManualClock("Europe/Stockholm", SINCE)
        self.roll_call = RollCall(database, keys, lambda: self.descriptor, SystemRandom())
        self.daily_close = Close(
            database, lambda: self.descriptor, self.clock, metrics, log, self._random, self.roll_call
        )
        self._seen: dict[MemberId, int] = {}

    def _random(self, size: int) -> bytes:
        return next(self._ids).to_bytes(size, "big")

    def submit(
        self,
        member: MemberId,
        *batch: Signal | Rejection,
        batch_id: bytes | None = None,
        serial: int | None = None,
        on: date = SINCE,
    ) -> list[str]:
        """Send a batch; the kinds of its dispositions, with the code where there is one."""
        taken = self.intake.submit(
            member,
            batch_id or self._random(16),
            batch,
            on,
            self.descriptor.serial if serial is None else serial,
        )
        return [shown(disposition) for disposition in taken.answer]

    def report(self, *members: MemberId, as_of: date) -> None:
        for member in members:
            self.intake.report_roster(member, as_of, 100, as_of)

    def close(self, on: date, *, all_current: bool = True) -> CloseReport:
        """Close a day, after every member reported an import of that day."""
        if all_current:
            self.report(*(member.member_id for member in self.descriptor.members), as_of=on)
        report = self.daily_close.run(on)
        assert report.failed == 0
        return report

    def news(self, member: MemberId) -> list[Notice]:
        """What the member has not fetched before."""
        found, more, _ = self.mailbox.page(member, self._seen.get(member, 0), 1_000)
        assert not more
        if found:
            self._seen[member] = found[-1].number
        return found

    def kinds(self, member: MemberId) -> list[str]:
        """The kinds of the member's new notices, LEAD left out: the only gap of a case leads it."""
        return [notice.kind.value for notice in self.news(member) if notice.kind is not NoticeKind.LEAD]


def shown(disposition: Disposition) -> str:
    return disposition.kind.value + (f" {disposition.code}" if disposition.code else "")


_numbers = itertools.count(1)


def _handles() -> Iterator[Handle]:
    while True:
        yield Handle(next(_numbers).to_bytes(16, "big"))


_fresh = _handles()


def pupil(name: str, epoch: int = 1) -> Pseudonym:
    """The pseudonym of a pupil, as members send it."""
    return Pseudonym(epoch, name.encode().ljust(32, b"."))


def leaving(
    *pupils: Pseudonym,
    since: date = SINCE,
    urgency: Urgency = Urgency.NORMAL,
    kind: OpeningKind = OpeningKind.LEFT,
    planned_start: date | None = None,
    begins: date = date(2025, 8, 18),
) -> Signal:
    """A pupil who was here since August 2025, unless said otherwise, and left."""
    return Signal(
        next(_fresh),
        1,
        pupils,
        (Presence(begins, since, begins),),
        Opening(1, kind, since, urgency, planned_start),
        nonce=b"n" * 16,
    )


def arrival(*pupils: Pseudonym, begins: date = SINCE, met_on: date | None = None) -> Signal:
    """A pupil who came and stays."""
    return Signal(next(_fresh), 1, pupils, (Presence(begins, None, begins, met_on),), nonce=b"n" * 16)


def again(signal: Signal, **changes: object) -> Signal:
    """The next version of a signal, with these fields changed."""
    return replace(signal, version=signal.version + 1, **changes)  # type: ignore[arg-type]  # fields of Signal


def retracted(signal: Signal) -> Signal:
    return again(signal, presences=(), opening=None, duty_ended=None, retracted=True)
