"""Cases as closes make them, counted: whatever happens to a child, it is one child of its year, where it began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from federation.clock import ManualClock
from federation.descriptor import Descriptor
from federation.descriptor_file import Member
from federation.observability import Log
from federation.rules.vocabulary import Opening, OpeningKind, Urgency
from registry.retention.purging import Retention
from registry.statistics.catalogue import TableId
from registry.statistics.model import ReleasedTable, parse_release_id
from registry.statistics.releasing import Releasing
from registry.store import statistics as store
from tests.store.registry.scene import DUE, SINCE, A, B, C, Scene, again, arrival, day, leaving, pupil, retracted
from tests.store.registry.statistics_scene import WatchedNoise

SEPTEMBER, OCTOBER, YEAR, CLOSED = "2026-09", "2026-10", "2026", "2026-closed"
LATE = date(2028, 1, 3)
"""All of 2026 is due."""


class Exact(WatchedNoise):
    """No noise at all: tests alone may see what is counted."""

    def gaussian(self, values: Sequence[int], nano_rho: int) -> list[int]:
        return list(values)


def release(scene: Scene, release_id: str) -> dict[TableId, ReleasedTable]:
    clock = ManualClock("Europe/Stockholm", LATE)
    releasing = Releasing(scene.database, lambda: scene.descriptor, clock, Log(level="error"), Exact())
    period = parse_release_id(release_id)
    releasing.publish(period)
    return scene.database.view("test", lambda tx: store.tables(tx, period.release_id))


def counted(scene: Scene, release_id: str, table: TableId) -> dict[tuple[str, ...], int]:
    """The cells that are not zero."""
    drawn = release(scene, release_id)[table]
    return {cell: value for cell, value in zip(drawn.cells(), drawn.authority.leaves, strict=True) if value}


def months(scene: Scene) -> list[dict[tuple[str, ...], int]]:
    return [counted(scene, each, TableId.COUNTY_MONTH) for each in (SEPTEMBER, OCTOBER)]


def end(scene: Scene) -> None:
    scene.close(LATE)


def test_a_case_of_two_members_is_one_child_of_its_first_lead(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.submit(B, leaving(pupil("p"), since=day("09-02"), begins=day("08-18")))
    scene.close(day("09-15"))
    end(scene)
    assert months(scene) == [{("14",): 1}, {}]
    assert counted(scene, YEAR, TableId.MUNICIPALITY_YEAR) == {(B,): 1}


def test_cases_that_turn_out_to_be_of_one_child_are_one_in_the_year_though_two_in_the_months(scene: Scene) -> None:
    gone = leaving(pupil("p"))
    scene.submit(A, gone)
    scene.close(day("09-15"))
    scene.submit(B, leaving(pupil("q"), since=day("09-20"), begins=day("08-18")))
    scene.close(day("10-15"))
    scene.close(day("11-02"))
    assert months(scene) == [{("01",): 1}, {("14",): 1}]
    scene.submit(A, again(gone, pseudonyms=(pupil("p"), pupil("q"))))
    end(scene)
    assert counted(scene, YEAR, TableId.MUNICIPALITY_YEAR) == {(A,): 1}


def test_three_cases_that_turn_out_to_be_of_one_child_one_after_the_other_are_one_child(scene: Scene) -> None:
    first, second, third = leaving(pupil("p")), leaving(pupil("q")), leaving(pupil("r"))
    scene.submit(A, first)
    scene.close(day("09-15"))
    scene.submit(B, second)
    scene.close(day("09-25"))
    scene.submit(C, third)
    scene.close(day("10-15"))
    # The third case gives its gap to the second, and has none any more when that one turns out to be the first.
    scene.submit(C, again(third, pseudonyms=(pupil("q"), pupil("r"))))
    scene.close(day("10-20"))
    scene.submit(A, again(first, pseudonyms=(pupil("p"), pupil("q"))))
    end(scene)
    with scene.database.read("test") as tx:
        assert len({row.child_year_id for row in store.cases_of(tx, 2026)}) == 1
    assert counted(scene, YEAR, TableId.MUNICIPALITY_YEAR) == {(A,): 1}


def test_a_child_that_is_missed_again_is_counted_where_it_was_first(scene: Scene) -> None:
    gone, come = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, gone)
    scene.close(DUE)
    scene.submit(B, come)
    scene.close(day("09-18"))
    # Gone from the other member too, in another month.
    scene.submit(
        B,
        again(
            come,
            presences=(replace(come.presences[0], until=day("10-01")),),
            opening=Opening(1, OpeningKind.LEFT, day("10-01"), Urgency.IMMEDIATE),
        ),
    )
    scene.close(day("10-02"))
    end(scene)
    with scene.database.read("test") as tx:
        assert len(store.cases_of(tx, 2026)) == 2
    assert months(scene) == [{("01",): 1}, {}]
    assert counted(scene, YEAR, TableId.MUNICIPALITY_YEAR) == {(A,): 1}
    assert counted(scene, CLOSED, TableId.CLOSED_COUNTY_YEAR) == {("01", "OPEN"): 1}


def test_a_case_that_opens_again_lasts_to_its_last_close(scene: Scene) -> None:
    gone, come = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, gone)
    scene.close(DUE)
    scene.submit(B, come)
    scene.close(day("09-15"))
    scene.submit(B, retracted(come))
    scene.close(day("09-16"))
    scene.submit(C, arrival(pupil("p")))
    scene.close(day("10-20"))
    end(scene)
    assert counted(scene, SEPTEMBER, TableId.NATION_MONTH) == {(): 1}
    assert counted(scene, CLOSED, TableId.CLOSED_COUNTY_YEAR) == {("01", "31-90"): 1}


def test_what_never_was_is_not_counted_and_is_not_missed_from_a_release_drawn_before(scene: Scene) -> None:
    early, late = leaving(pupil("p")), leaving(pupil("q"))
    scene.submit(A, early, late)
    scene.close(DUE)
    scene.submit(A, retracted(early))
    scene.close(day("10-01"))
    assert counted(scene, SEPTEMBER, TableId.COUNTY_MONTH) == {("01",): 1}
    scene.submit(A, retracted(late))
    end(scene)
    # Drawn once: what came out later is for the year.
    assert counted(scene, SEPTEMBER, TableId.COUNTY_MONTH) == {("01",): 1}
    assert counted(scene, YEAR, TableId.MUNICIPALITY_YEAR) == {}


def test_a_drill_is_no_child(scene: Scene) -> None:
    scene.submit(A, replace(leaving(pupil("p"), urgency=Urgency.IMMEDIATE, kind=OpeningKind.NOT_PLACED), drill=True))
    scene.close(SINCE)
    end(scene)
    assert counted(scene, SEPTEMBER, TableId.COUNTY_MONTH) == {}


def test_an_operators_child_is_its_homes(scene: Scene) -> None:
    operator = Member(id="0180-5561234567", kind="operator", home="0184", population=0, key_sha256="f" * 64)
    scene.descriptor = with_members(scene.descriptor, operator)
    scene.submit(operator.member_id, leaving(pupil("p")))
    scene.close(DUE)
    end(scene)
    assert counted(scene, YEAR, TableId.MUNICIPALITY_YEAR) == {("0184",): 1}


def with_members(descriptor: Descriptor, *more: Member) -> Descriptor:
    members = (*descriptor.members, *more)
    return replace(descriptor, members=members, _by_id={each.id: each for each in members})


def test_what_statistics_keep_goes_once_the_years_last_table_is_drawn(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(DUE)
    scene.submit(B, leaving(pupil("q"), since=day("12-01"), urgency=Urgency.IMMEDIATE))
    scene.close(day("12-02"))
    scene.submit(C, leaving(pupil("r"), since=date(2027, 3, 1), urgency=Urgency.IMMEDIATE, begins=date(2026, 8, 1)))
    scene.close(date(2027, 3, 2))
    end(scene)
    for month in (9, 10, 11, 12):
        release(scene, f"2026-{month:02d}")
    release(scene, YEAR)
    assert retain(scene) is False
    assert years(scene) == [2026, 2027]
    before = release(scene, CLOSED)
    # A further question that is paid for is answered first.
    question = f"'{'0' * 32}', 2026, '{{}}', 1, '2028-01-03 12:00:00'"
    execute(
        scene, f"INSERT INTO statistics_queries (query_id, year, selection, nano_rho, asked_at) VALUES ({question})"
    )
    assert retain(scene) is False
    execute(scene, "UPDATE statistics_queries SET answered_at = asked_at, value = 1")
    assert retain(scene) is True
    assert years(scene) == [2027]
    assert release(scene, CLOSED) == before


def execute(scene: Scene, statement: str) -> None:
    with scene.database.transaction("test") as tx:
        tx.execute(sa.text(statement))


def retain(scene: Scene) -> bool:
    retention = Retention(
        scene.database, lambda: scene.descriptor, scene.clock, scene.metrics, scene.log, pause=lambda _: None
    )
    return retention.run().due["statistics"]


def years(scene: Scene) -> list[int]:
    with scene.database.read("test") as tx:
        return store.years_kept(tx)
