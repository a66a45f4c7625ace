"""A drill at the registry, on each kind of store: opened and taken back like any gap, and met by nothing."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation.rules.vocabulary import Handle, MemberId, NoticeKind, OpeningKind, Pseudonym, Signal, Urgency
from registry.store import groups
from registry.store.schema import cases, gaps, pseudonyms, signals
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import (
    DUE,
    SINCE,
    A,
    B,
    C,
    Scene,
    again,
    arrival,
    leaving,
    pupil,
    retracted,
)
from tests.store.registry.test_registry_histories import DAYS, FIRST_DAY, history

CHILD = pupil("child")


def drill(name: Pseudonym = CHILD) -> Signal:
    """A gap that is due at once, as a drill states it."""
    return replace(leaving(name, urgency=Urgency.IMMEDIATE, kind=OpeningKind.NOT_PLACED), drill=True)


def rows(scene: Scene, *columns: sa.Column[Any]) -> list[tuple[Any, ...]]:
    with scene.database.read("test") as tx:
        return sorted(tuple(row) for row in tx.execute(sa.select(*columns)))


def test_a_drill_opens_at_the_next_close_and_its_retraction_at_the_one_after(scene: Scene) -> None:
    said = drill()
    assert scene.submit(A, said) == ["ACCEPTED"]
    scene.close(SINCE)
    assert scene.kinds(A) == ["OPENED"]
    assert scene.submit(A, retracted(said)) == ["ACCEPTED"]
    scene.close(SINCE + timedelta(days=1))
    assert scene.kinds(A) == ["VOIDED"]
    assert rows(scene, cases.c.drill, cases.c.closed_on) == [(True, SINCE + timedelta(days=1))]
    assert rows(scene, signals.c.drill, signals.c.retracted) == [(True, True)]
    # The retraction has taken all that could be met away.
    assert rows(scene, pseudonyms.c.ref) == []


@pytest.mark.parametrize("other", [A, B])
def test_a_drill_answers_and_links_nobody(scene: Scene, other: MemberId) -> None:
    left = leaving(CHILD)
    scene.submit(A, left)
    came = arrival(CHILD, begins=SINCE, met_on=SINCE)
    scene.submit(other, replace(came, drill=True), drill())
    scene.close(DUE)
    assert NoticeKind.OPENED in {notice.kind for notice in scene.news(A) if notice.handle == left.handle}
    assert rows(scene, cases.c.drill) == [(False,), (True,)]
    assert rows(scene, gaps.c.linked) == [(False,), (False,)]


@pytest.mark.parametrize("member", [A, B])
def test_nobody_answers_or_links_a_drill(scene: Scene, member: MemberId) -> None:
    scene.submit(A, drill())
    scene.submit(member, arrival(CHILD, begins=SINCE, met_on=SINCE), leaving(CHILD, urgency=Urgency.IMMEDIATE))
    scene.submit(B, replace(arrival(CHILD, begins=SINCE, met_on=SINCE), drill=True))
    scene.close(DUE)
    assert rows(scene, gaps.c.state, gaps.c.linked) == [("OPEN", False), ("OPEN", False)]


def test_drills_of_two_members_with_the_same_number_do_not_meet(scene: Scene) -> None:
    scene.submit(A, drill())
    scene.submit(B, drill())
    scene.close(SINCE)
    assert scene.kinds(A) == scene.kinds(B) == ["OPENED"]
    with scene.database.read("test") as tx:
        refs = list(tx.scalars(sa.select(signals.c.ref)))
        assert [len(group.signals) for group in groups.load(tx, refs)] == [1, 1]


@pytest.mark.parametrize("first", [True, False])
def test_a_handle_is_a_drills_or_a_pupils_for_good(scene: Scene, first: bool) -> None:
    said = replace(drill(), drill=first)
    scene.submit(A, said)
    before = rows(scene, signals.c.version, signals.c.drill)
    for version in (again(said, drill=not first), retracted(replace(said, drill=not first))):
        assert scene.submit(A, version) == ["REJECTED SIGNAL_MALFORMED"]
    # In one batch with the first version too.
    other = replace(drill(pupil("other")), drill=first)
    assert scene.submit(A, other, again(other, drill=not first)) == ["ACCEPTED", "REJECTED SIGNAL_MALFORMED"]
    assert rows(scene, signals.c.version, signals.c.drill) == [*before, *before]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))])
def test_what_is_told_of_children_is_the_same_with_drills_among_them(empty_database: MakeDatabase, seed: int) -> None:
    """Any history of three members, once alone, once while each of them drills with the children's own pseudonyms."""
    source = random.Random(seed)
    days = history(source)
    drills = [
        [(source.choice([A, B, C]), as_drill(signal)) for _, signal in said if source.random() < 0.7] for said in days
    ]
    alone = play(empty_database, days, [])
    among = play(empty_database, days, drills)
    assert among == alone
    assert any(alone)


def as_drill(signal: Signal) -> Signal:
    """The same said of a drill, under a handle of its own."""
    return replace(signal, handle=Handle(b"d" + signal.handle[1:]), drill=True)


def play(
    make: MakeDatabase,
    days: Sequence[Iterable[tuple[MemberId, Signal]]],
    drills: Sequence[Iterable[tuple[MemberId, Signal]]],
) -> list[list[tuple[object, ...]]]:
    """What each close tells the members of their children, and how it leaves their gaps."""
    scene = Scene(make())
    told: list[list[tuple[object, ...]]] = []
    for number in range(DAYS):
        for member, signal in [*days[number], *(drills[number] if drills else [])]:
            scene.submit(member, signal)
        today = FIRST_DAY + timedelta(days=number)
        scene.close(today)
        told.append(
            sorted(
                (member, notice.kind.value, notice.handle, notice.opening_number)
                for member in (A, B, C)
                for notice in scene.news(member)
                if not (notice.handle or b"").startswith(b"d")
            )
        )
    with scene.database.read("test") as tx:
        columns = [column for column in gaps.c if column.name != "case_id"]
        query = sa.select(*columns).join(signals, signals.c.ref == gaps.c.ref).where(~signals.c.drill)
        told.append(sorted((tuple(row) for row in tx.execute(query)), key=repr))
        held = sa.select(gaps.c.case_id).join(signals, signals.c.ref == gaps.c.ref)
        for is_drill in (True, False):
            of_kind = set(tx.scalars(held.where(signals.c.drill == is_drill, gaps.c.case_id.is_not(None))))
            marked = set(tx.scalars(sa.select(cases.c.case_id).where(cases.c.drill == is_drill)))
            assert of_kind <= marked
    return told
