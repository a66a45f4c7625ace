"""Random histories: what the store comes to, looking only where it must, equals looking at everything every day.

The oracle knows no marks and no days to look again: each day it takes the highest versions of all handles through the
pure rules in one piece. Were a handle not marked, a group not whole or a day forgotten, the two would differ.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation.descriptor_file import PolicyValues
from federation.rules.matching import KnownGap, MemberSignal, coverage_incomplete, evaluate
from federation.rules.vocabulary import (
    DutyEnded,
    GapState,
    Handle,
    MemberId,
    Opening,
    OpeningKind,
    Policy,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)
from registry.cases import settle
from registry.model import Asked, Case, Gap, GapKey
from registry.store import gaps as gap_store
from registry.store import schema
from registry.store.schema_limits import answered_pairs, openings, overlap_days, overlaps_asked
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import SINCE, A, B, C, Scene, federation, pupil

MEMBERS = (A, B, C)
FIRST_DAY = SINCE - timedelta(days=5)
DAYS = 45
PUPILS = 4

Day = list[tuple[MemberId, Signal]]


@dataclass
class Oracle:
    """All highest versions and all gaps, evaluated in one piece."""

    scene: Scene
    highest: dict[tuple[MemberId, Handle], Signal] = field(default_factory=dict)
    contacts: dict[MemberId, date] = field(default_factory=dict)
    gaps: dict[GapKey, Gap] = field(default_factory=dict)
    cases: dict[bytes, Case] = field(default_factory=dict)
    asked: set[Asked] = field(default_factory=set)
    told: list[tuple[object, ...]] = field(default_factory=list)
    met: set[tuple[tuple[MemberId, Handle], Pseudonym]] = field(default_factory=set)
    ids: Iterable[int] = field(default_factory=itertools.count)

    def close(self, on: date) -> None:
        descriptor = self.scene.descriptor
        verdicts = evaluate(
            [MemberSignal(member, signal) for (member, _), signal in self.highest.items()],
            [KnownGap(g.key.member, g.key.handle, g.opening, g.state, g.answer) for g in self.gaps.values()],
            self.contacts,
            on,
            descriptor.policy,
            descriptor.calendar,
        )
        incomplete = coverage_incomplete(self.contacts, MEMBERS, on, descriptor.policy, descriptor.calendar)
        ids = iter(self.ids)
        for group in self.groups():
            before = {key: gap for key, gap in self.gaps.items() if (key.member, key.handle) in group}
            settled = settle(
                [verdict for verdict in verdicts if (verdict.member, verdict.handle) in group],
                before,
                {gap.case_id: self.cases[gap.case_id] for gap in before.values() if gap.case_id is not None},
                self.asked,
                on,
                coverage_incomplete=incomplete,
                new_id=lambda: next(ids).to_bytes(16, "big"),
            )
            self.gaps.update((gap.key, gap) for gap in settled.gaps)
            self.cases.update((case.case_id, case) for case in settled.cases)
            self.asked.update(settled.asked)
            self.told += [
                (n.member, on, n.kind.value, n.handle, n.opening_number, n.coverage_incomplete) for n in settled.notices
            ]
        self.met = set()

    def say(self, member: MemberId, signal: Signal) -> None:
        name = (member, signal.handle)
        if name in self.highest:
            # Whom a handle met since the last close is settled together with it once more.
            self.met |= {(name, pseudonym) for pseudonym in self.highest[name].pseudonyms}
        self.highest[name] = signal

    def groups(self) -> list[set[tuple[MemberId, Handle]]]:
        """Handles that share a pseudonym now, or did since the last close, directly or over others."""
        pairs = set(self.met)
        for name, signal in self.highest.items():
            pairs |= {(name, pseudonym) for pseudonym in signal.pseudonyms}
        groups = [{name} for name in sorted(self.highest)]
        for pseudonym in sorted({pseudonym for _, pseudonym in pairs}):
            holders = {name for name, held in pairs if held == pseudonym}
            touched = [group for group in groups if group & holders]
            groups = [group for group in groups if not group & holders] + [
                set[tuple[MemberId, Handle]]().union(*touched)
            ]
        return sorted(groups, key=min)


def history(source: random.Random) -> list[Day]:
    """What members say on each day: new versions about a few pupils whom they lose, gain and mix up."""
    latest: dict[tuple[MemberId, Handle], Signal] = {}
    days: list[Day] = []
    for number in range(DAYS):
        today = FIRST_DAY + timedelta(days=number)
        said: Day = []
        for _ in range(source.randrange(4)):
            member = source.choice(MEMBERS)
            handle = Handle(bytes([source.randrange(1, 6)]) * 16)
            before = latest.get((member, handle))
            signal = version(source, handle, before, today)
            latest[member, handle] = signal
            said.append((member, signal))
        days.append(said)
    return days


def version(source: random.Random, handle: Handle, before: Signal | None, today: date) -> Signal:
    number = 1 if before is None else before.version + 1
    if source.random() < 0.08:
        return Signal(handle, number, (), retracted=True, nonce=b"n" * 16)
    begins = today - timedelta(days=source.randrange(-6, 60))
    until = None if source.random() < 0.5 else begins + timedelta(days=source.randrange(1, 50))
    met_on = today if source.random() < 0.3 else None
    presences = (Presence(None if source.random() < 0.2 else begins, until, begins, met_on),)
    opening = None
    if source.random() < 0.6:
        last = before.opening.number if before is not None and before.opening is not None else 0
        opening = Opening(
            last or number,
            source.choice([OpeningKind.LEFT, OpeningKind.LEFT, OpeningKind.NOT_PLACED]),
            today - timedelta(days=source.randrange(-3, 25)),
            source.choice([Urgency.NORMAL, Urgency.NORMAL, Urgency.IMMEDIATE]),
        )
    ended = None
    if source.random() < 0.2:
        ended = DutyEnded(today, today + timedelta(days=source.randrange(1, 20)) if source.random() < 0.5 else None)
    names = {f"pupil-{source.randrange(PUPILS)}" for _ in range(source.randrange(1, 3))}
    pseudonyms = tuple(pupil(name, source.randrange(1, 3)) for name in sorted(names))
    return Signal(handle, number, pseudonyms, presences, opening, ended, nonce=b"n" * 16)


def reporters(source: random.Random) -> list[list[MemberId]]:
    """Who reports an import on each day; now and then a member is silent for weeks."""
    silent_from, silent_member = source.randrange(DAYS), source.choice(MEMBERS)
    length = source.randrange(0, 30)
    return [
        [m for m in MEMBERS if m != silent_member or not silent_from <= number < silent_from + length]
        for number in range(DAYS)
    ]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))])
def test_looking_where_it_must_equals_looking_everywhere(scene: Scene, seed: int) -> None:
    source = random.Random(seed)
    oracle = Oracle(scene)
    spoken: set[GapState] = set()
    for number, (said, reporting) in enumerate(zip(history(source), reporters(source), strict=True)):
        today = FIRST_DAY + timedelta(days=number)
        for member, signal in said:
            scene.submit(member, signal)
            oracle.say(member, signal)
        scene.report(*reporting, as_of=today)
        oracle.contacts.update(dict.fromkeys(reporting, today))
        # Not every day is closed.
        if source.random() < 0.8:
            scene.close(today, all_current=False)
            oracle.close(today)
            assert comparable(stored_gaps(scene)) == comparable(oracle.gaps)
            spoken.update(gap.state for gap in oracle.gaps.values())
    assert given(scene) == sorted(oracle.told, key=repr)
    assert len(spoken) >= 4


LIMITS = replace(PolicyValues().policy(), monthly_openings=5, monthly_openings_percent=0)


@pytest.mark.parametrize(
    ("seed", "limits"), [pytest.param(0, Policy(), marks=pytest.mark.long), (1, LIMITS)], ids=["unlimited", "limited"]
)
def test_order_repetition_and_batching_within_a_day_change_nothing(
    empty_database: MakeDatabase, seed: int, limits: Policy
) -> None:
    said_on = history(random.Random(seed))
    results = []
    for variant in range(2):
        scene, source = Scene(empty_database(), federation(limits=limits)), random.Random(seed * 100)
        for number, said in enumerate(said_on):
            today = FIRST_DAY + timedelta(days=number)
            for batch in [[each] for each in said] if variant == 0 else disorderly(said, source):
                scene.submit(batch[0][0], *(signal for _, signal in batch), on=today)
            scene.close(today)
        results.append((comparable(stored_gaps(scene)), sorted(given(scene), key=repr), remembered(scene)))
    assert results[0] == results[1]
    assert results[0][1]


def remembered(scene: Scene) -> dict[str, list[Any]]:
    """What the limits go by."""
    with scene.database.read("test") as tx:
        return {
            table.name: list(map(tuple, tx.execute(sa.select(table).order_by(*table.primary_key.columns))))
            for table in (openings, answered_pairs, overlap_days, overlaps_asked)
        }


def disorderly(said: Day, source: random.Random) -> list[Day]:
    """The same signals in another order, some of them twice, by member in batches of any size."""
    copies = [each for each in said for _ in range(source.randrange(1, 3))]
    source.shuffle(copies)
    batches: list[Day] = []
    for each in copies:
        if batches and batches[-1][0][0] == each[0] and source.random() < 0.7:
            batches[-1].append(each)
        else:
            batches.append([each])
    return batches


def test_batches_that_arrive_during_a_close_are_looked_at_by_the_next(empty_database: MakeDatabase) -> None:
    """Members go on sending while days are closed; once all is quiet, one more close makes up for everything."""
    scene = Scene(empty_database())
    said = [each for day in history(random.Random(7)) for each in day]
    last_day = FIRST_DAY + timedelta(days=DAYS)
    scene.report(*MEMBERS, as_of=last_day)
    failures: list[BaseException] = []

    def send(member: MemberId) -> None:
        try:
            for sender, signal in said:
                if sender == member:
                    scene.submit(sender, signal)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [threading.Thread(target=send, args=(member,)) for member in MEMBERS]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        scene.close(last_day, all_current=False)
    for thread in threads:
        thread.join()
    scene.close(last_day, all_current=False)
    assert failures == []

    oracle = Oracle(scene, contacts=dict.fromkeys(MEMBERS, last_day))
    for member, signal in said:
        if signal.version >= oracle.highest.get((member, signal.handle), signal).version:
            oracle.highest[member, signal.handle] = signal
    oracle.close(last_day)
    stored = {key: gap for key, gap in stored_gaps(scene).items() if gap.state is not GapState.VOID}
    stated = {key: gap for key, gap in oracle.gaps.items() if gap.state is not GapState.VOID}
    # Gaps that were taken back while the closes ran are known to the one and not to the other.
    assert {key: gap.state for key, gap in stored.items() if key in stated} == {
        key: gap.state for key, gap in stated.items()
    }
    with scene.database.read("test") as tx:
        assert tx.execute(sa.select(schema.dirty)).all() == []
        assert tx.execute(sa.select(schema.pseudonyms).where(~schema.pseudonyms.c.live)).all() == []


def stored_gaps(scene: Scene) -> dict[GapKey, Gap]:
    with scene.database.read("test") as tx:
        named = {row.ref: (MemberId(row.member), Handle(row.handle)) for row in tx.execute(sa.select(schema.signals))}
        return gap_store.load(tx, named)


def comparable(gaps: dict[GapKey, Gap]) -> dict[GapKey, Gap]:
    """Without random names and without the day to look again, which the oracle needs not."""
    return {key: replace(gap, case_id=None, recheck_on=None) for key, gap in gaps.items()}


def given(scene: Scene) -> list[tuple[object, ...]]:
    with scene.database.read("test") as tx:
        rows: Sequence[Any] = tx.execute(sa.select(schema.notices)).all()
    return sorted(
        (
            (row.member, row.closed_on, row.kind, row.handle, row.opening_number, row.coverage_incomplete)
            for row in rows
        ),
        key=repr,
    )
