"""Lives of pupils over four years, as members tell them: with retention and without, the same is told to everyone.

Pupils move, come back, stay for years, are told of late and corrected; an epoch begins and everything ever said is said
again. After every close one of two registries lets retention do a round. Whatever it took away, the notices of both,
the states of all gaps and the cases stay the same; but that a pupil whose duty had ended, and who long after is in
school again, makes the ended gap an answered one only where it is still known.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.database import Database
from federation.migration import migrate
from federation.rules.matching import months_before
from federation.rules.vocabulary import (
    DutyEnded,
    Handle,
    MemberId,
    Opening,
    OpeningKind,
    Policy,
    Presence,
    Signal,
    Urgency,
)
from registry.store import schema
from tests.store.registry.scene import A, B, C, Scene, federation, pupil
from tests.store.registry.test_registry_histories import given as told_by
from tests.store.registry.test_retention import retention_of

MEMBERS = (A, B, C)
FIRST_DAY = date(2026, 9, 1)
YEARS = 4
PUPILS = 5
LATEST = 100
"""Days after which a leaving is told at the latest: less than it may be dated back."""

DAY = timedelta(days=1)


@dataclass
class Told:
    """What one member says of one pupil under one handle."""

    member: MemberId
    handle: Handle
    name: str
    presences: list[Presence] = field(default_factory=list)
    opening: Opening | None = None
    duty_ended: DutyEnded | None = None
    urgent: bool = False
    version: int = 0
    openings: int = 0
    retracted: bool = False

    def arrives(self, on: date, begins: date) -> None:
        self.opening = self.duty_ended = None
        self.urgent = False
        self.presences.append(Presence(begins, None, on, None))

    def leaves(self, since: date, *, emigrated: bool) -> None:
        self.presences[-1] = replace(self.presences[-1], until=since)
        self.openings += 1
        self.opening = Opening(self.openings, OpeningKind.LEFT, since)
        self.duty_ended = DutyEnded(since) if emigrated else None

    def said(self, on: date, epochs: tuple[int, ...]) -> Signal:
        self.version += 1
        if self.retracted:
            return Signal(self.handle, self.version, (), retracted=True, nonce=b"n" * 16)
        oldest = months_before(on, 13)
        presences = tuple(
            replace(each, begins=None if each.begins is not None and each.begins < oldest else each.begins)
            for each in self.presences
            if each.until is None or each.until > oldest
        )
        opening = self.opening
        if opening is not None and self.urgent:
            opening = replace(opening, urgency=Urgency.IMMEDIATE)
        pseudonyms = tuple(pupil(self.name, epoch) for epoch in epochs)
        return Signal(self.handle, self.version, pseudonyms, presences[-8:], opening, self.duty_ended, nonce=b"n" * 16)


@dataclass
class Country:
    """Where the pupils are, and what members have yet to learn of it."""

    source: random.Random
    handles: Iterator[Handle]
    at: dict[str, Told | None] = field(default_factory=dict)
    everything: list[Told] = field(default_factory=list)
    later: list[tuple[date, Told, str, date]] = field(default_factory=list)
    epochs: tuple[int, ...] = (1,)

    def day(self, on: date) -> list[tuple[MemberId, Signal]]:
        """What is said on a day."""
        changed: dict[int, Told] = {}
        for due in sorted((each for each in self.later if each[0] <= on), key=lambda each: (each[3], each[0])):
            self.later.remove(due)
            _, told, what, when = due
            if told.retracted:
                continue
            if what == "leaves":
                told.leaves(when, emigrated=False)
            elif what == "arrives":
                told.arrives(on, when)
            elif what == "urgent" and told.opening is not None:
                told.urgent = True
            elif what == "corrected" and told.opening is not None:
                since = told.opening.since - 3 * DAY
                last = told.presences[-1]
                if last.begins is not None and last.begins < since:
                    told.presences[-1] = replace(last, until=since)
                    told.opening = replace(told.opening, since=since)
            changed[id(told)] = told
        for name in (f"pupil-{number}" for number in range(PUPILS)):
            for told in self._moves(name, on):
                changed[id(told)] = told
        if len(self.epochs) == 1 and on.year == 2028 and on.month >= 3:
            self.epochs = (1, 2)
            changed = {id(told): told for told in self.everything if not told.retracted}
        return [(told.member, told.said(on, self.epochs)) for told in changed.values()]

    def _moves(self, name: str, on: date) -> list[Told]:
        source, here = self.source, self.at.get(name)
        busy = any(told.name == name for _, told, _, _ in self.later)
        if busy or source.random() > 0.2:
            return []
        if here is None:
            return [self._arrives(name, on, source.choice(MEMBERS))]
        kind = source.random()
        lag = timedelta(days=source.choice((0, 0, 0, 5, 30, LATEST)))
        if kind < 0.1:
            # Said when an export shows it: of an end of duty that is told months later, an answer that is long gone
            # hears no more, and stays the answer that it was.
            here.leaves(on, emigrated=True)
            self.at[name] = None
            return [here]
        if kind < 0.2:
            # Gone, for now.
            self.later.append((on + lag, here, "leaves", on))
            self.later.append((on + lag + 20 * DAY, here, "urgent", on))
            self.at[name] = None
        else:
            self.later.append((on + lag, here, "leaves", on))
            if source.random() < 0.2:
                self.later.append((on + lag + timedelta(days=source.choice((7, 90, 500))), here, "corrected", on))
            wait = timedelta(days=source.choice((0, 0, 3, 40, 400)))
            elsewhere = source.choice([member for member in MEMBERS if member != here.member])
            there = self._told(name, elsewhere)
            self.later.append((on + wait + timedelta(days=source.choice((0, 0, 10))), there, "arrives", on + wait))
            self.at[name] = there
        return []

    def _arrives(self, name: str, on: date, member: MemberId) -> Told:
        told = self._told(name, member)
        told.arrives(on, on)
        self.at[name] = told
        return told

    def _told(self, name: str, member: MemberId) -> Told:
        """The handle that a member has for a pupil; a new one where there is none."""
        for told in self.everything:
            if (told.name, told.member, told.retracted) == (name, member, False):
                return told
        told = Told(member, next(self.handles), name)
        self.everything.append(told)
        return told


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("retention") / "empty.sqlite"
    database = Database(path)
    migrate(database, "registry.store")
    database.close()
    return path


@contextmanager
def fresh(empty: Path) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.sqlite"
        path.write_bytes(empty.read_bytes())
        database = Database(path)
        try:
            yield Scene(database, federation(limits=Policy(backdating_days=120)))
        finally:
            database.close()


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_nothing_told_differs_for_what_was_taken_away(empty: Path, seed: int) -> None:
    source = random.Random(seed)
    country = Country(source, (Handle(number.to_bytes(16, "big")) for number in range(1, 10_000)))
    with fresh(empty) as keeps, fresh(empty) as forgets:
        retention = retention_of(forgets)
        on, taken = FIRST_DAY, 0
        while on < date(FIRST_DAY.year + YEARS, FIRST_DAY.month, 1):
            said: dict[MemberId, list[Signal]] = {}
            for member, signal in country.day(on):
                said.setdefault(member, []).append(signal)
            for scene in (keeps, forgets):
                for member, batch in said.items():
                    assert set(scene.submit(member, *batch)) == {"ACCEPTED"}
                scene.close(on)
            taken += retention.run().due["handles"]
            on += timedelta(days=source.choice((14, 28, 42, 56)))
        # It is not for want of work that nothing differs.
        assert taken > 0
        assert told(forgets) == told(keeps)
        assert ends(forgets) == ends(keeps)


def told(scene: Scene) -> list[tuple[object, ...]]:
    """Every notice, but for an answer to a gap that was ended."""
    kept: list[tuple[object, ...]] = []
    last: dict[tuple[object, ...], object] = {}
    for notice in sorted(told_by(scene), key=lambda notice: (notice[0], notice[1])):
        member, _, kind, handle, number, _ = notice
        if (kind, last.get((member, handle, number))) != ("ANSWERED", "ENDED"):
            kept.append(notice)
            last[member, handle, number] = kind
    return sorted(kept, key=repr)


def ends(scene: Scene) -> list[tuple[object, ...]]:
    """How every gap stands, who led every case and from when to when, and how many children that were in each year."""
    settled = {"ANSWERED": "accounted for", "ENDED": "accounted for"}
    with scene.database.read("test") as tx:
        gaps = tx.execute(sa.select(schema.gaps)).all()
        cases = tx.execute(sa.select(schema.cases)).all()
    return [
        *sorted((row.ref, row.number, settled.get(row.state, row.state), row.due_on) for row in gaps),
        *sorted((row.lead, row.opened_on, row.closed_on is None) for row in cases),
        ("children and years", len({(row.child_year_id, row.opened_on.year) for row in cases})),
    ]
