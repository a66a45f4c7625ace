"""Cases as statistics keep them: written down on the day they open, described once, on each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from federation.database import Database
from federation.rules.vocabulary import Handle, MemberId, NoticeKind, OpeningKind, Signal, Urgency
from registry.model import CaseDescription
from registry.statistics.catalogue import AgeBand, Sex
from registry.statistics.describing import Describing
from registry.store import schema
from registry.store.schema_statistics import statistics_cases
from tests.store.registry.scene import DUE, SINCE, A, B, C, Scene, again, arrival, leaving, pupil, retracted

DAY = timedelta(days=1)


def frozen(scene: Scene) -> list[tuple[Any, ...]]:
    """(year, lead, kind, age band, sex, described on) of every case."""
    of = statistics_cases.c
    query = sa.select(of.year, of.lead, of.kind, of.age_band, of.sex, of.described_on).order_by(of.case_id)
    return scene.database.view("test_frozen", lambda tx: [tuple(row) for row in tx.execute(query)])


def said(signal: Signal, age: AgeBand | None = AgeBand.MIDDLE, sex: Sex | None = Sex.MALE) -> CaseDescription:
    assert signal.opening is not None
    return CaseDescription(signal.handle, signal.opening.number, age, sex)


def earlier(name: str, kind: OpeningKind = OpeningKind.LEFT) -> Signal:
    """Left a day before the others do, and came after them: neither answers the other."""
    return leaving(pupil(name), since=SINCE - DAY, begins=date(2025, 9, 1), kind=kind)


def describe(scene: Scene, member: MemberId, *descriptions: CaseDescription) -> None:
    Describing(scene.database, scene.clock).take(member, descriptions)


# -- written down ------------------------------------------------------------------------------------------------------


def test_a_case_is_written_down_by_the_close_that_opens_it(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("missing")), leaving(pupil("moved")))
    scene.submit(B, arrival(pupil("moved")))
    scene.close(DUE - DAY)
    assert frozen(scene) == []
    scene.close(DUE)
    assert frozen(scene) == [(2026, A, "LEFT", None, None, None)]


def test_the_kind_is_that_of_the_opening_that_leads(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p"), kind=OpeningKind.NOT_PLACED, since=SINCE - DAY))
    scene.submit(B, leaving(pupil("p")))
    scene.submit(B, leaving(pupil("q")))
    scene.close(DUE)
    assert sorted(frozen(scene)) == [(2026, A, "NOT_PLACED", None, None, None), (2026, B, "LEFT", None, None, None)]


def test_what_a_case_was_stays_when_its_lead_passes_on(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(DUE)
    scene.submit(B, earlier("p", kind=OpeningKind.NOT_PLACED))
    scene.close(DUE + DAY)
    assert NoticeKind.LEAD in {notice.kind for notice in scene.news(B)}
    assert frozen(scene) == [(2026, A, "LEFT", None, None, None)]


def test_a_case_that_opens_again_stays_what_it_was(scene: Scene) -> None:
    gone, come = leaving(pupil("p")), arrival(pupil("p"), begins=DUE)
    scene.submit(A, gone)
    scene.close(DUE)
    describe(scene, A, said(gone))
    before = frozen(scene)
    scene.submit(B, come)
    scene.close(DUE + DAY)
    scene.submit(B, retracted(come))
    scene.close(DUE + 2 * DAY)
    assert scene.kinds(A) == ["OPENED", "ANSWERED", "REOPENED"]
    assert frozen(scene) == before == [(2026, A, "LEFT", "10-12", "1", SINCE)]


def test_cases_that_are_linked_later_stay_apart_as_they_were(scene: Scene) -> None:
    mine, theirs = leaving(pupil("p")), leaving(pupil("q"))
    scene.submit(A, mine)
    scene.submit(B, theirs)
    scene.close(DUE)
    assert len(frozen(scene)) == 2
    scene.submit(B, again(theirs, pseudonyms=(pupil("p"), pupil("q"))))
    scene.close(DUE + DAY)
    assert sorted(frozen(scene)) == [(2026, A, "LEFT", None, None, None), (2026, B, "LEFT", None, None, None)]


def test_a_case_that_opens_in_the_next_year_is_of_that_year(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p"), urgency=Urgency.IMMEDIATE, since=date(2026, 12, 31)), on=date(2026, 12, 31))
    scene.close(date(2027, 1, 1))
    assert [row[0] for row in frozen(scene)] == [2027]


def test_a_drill_is_not_written_down(scene: Scene) -> None:
    scene.submit(A, replace(leaving(pupil("p"), urgency=Urgency.IMMEDIATE), drill=True))
    scene.close(SINCE)
    assert scene.kinds(A) == ["OPENED"]
    assert frozen(scene) == []


def test_a_case_takes_its_row_along(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(DUE)
    with scene.database.transaction("test_forget") as tx:
        tx.execute(sa.update(schema.gaps).values(state="VOID", case_id=None, leads=False))
        tx.execute(sa.delete(schema.case_names))
        tx.execute(sa.delete(schema.cases))
    assert frozen(scene) == []


# -- described ---------------------------------------------------------------------------------------------------------


def test_a_lead_describes_its_cases_once(scene: Scene) -> None:
    first, second, third = (leaving(pupil(name)) for name in "pqr")
    scene.submit(A, first, second, third)
    scene.close(DUE)
    scene.clock.set_today(DUE)
    describe(scene, A, said(first), said(second, AgeBand.OLDEST, Sex.FEMALE), said(third, None, None))
    taken = [
        (2026, A, "LEFT", None, None, DUE),
        (2026, A, "LEFT", "10-12", "1", DUE),
        (2026, A, "LEFT", "13-", "2", DUE),
    ]
    assert sorted(frozen(scene), key=repr) == sorted(taken, key=repr)
    before = frozen(scene)
    scene.clock.set_today(DUE + DAY)
    describe(scene, A, *(said(signal, AgeBand.YOUNGEST, Sex.FEMALE) for signal in (first, second, third)))
    assert frozen(scene) == before


def test_of_two_words_about_a_case_the_first_counts(scene: Scene) -> None:
    # The member has the child twice, under two handles.
    here, there = leaving(pupil("p")), leaving(pupil("p"))
    scene.submit(A, here, there)
    scene.submit(B, earlier("p"))
    scene.close(DUE)
    describe(scene, A, said(there, AgeBand.OLDEST), said(here, AgeBand.YOUNGEST), said(there, AgeBand.MIDDLE))
    assert [row[3] for row in frozen(scene)] == ["13-"]


def test_nobody_else_describes_a_case(scene: Scene) -> None:
    mine, theirs, drill = leaving(pupil("p")), earlier("p"), leaving(pupil("d"))
    scene.submit(A, mine, replace(drill, drill=True))
    scene.submit(B, theirs)
    scene.close(DUE)
    untold = frozen(scene)
    assert [row[1] for row in untold] == [A]
    unknown = CaseDescription(Handle(b"?" * 16), 1, AgeBand.MIDDLE, Sex.MALE)
    other_number = replace(said(mine), number=2)
    describe(scene, B, said(theirs), said(mine), said(drill), unknown)
    describe(scene, C, said(theirs), said(mine))
    describe(scene, A, said(theirs), other_number, said(drill), unknown)
    assert frozen(scene) == untold
    # Whoever leads it later is passed over as well: it may not know the child as the first lead did.
    scene.submit(A, again(mine, opening=None))
    scene.close(DUE + DAY)
    assert NoticeKind.LEAD in {notice.kind for notice in scene.news(B)}
    describe(scene, B, said(theirs))
    assert frozen(scene) == untold
    describe(scene, A, said(mine))
    assert frozen(scene) == [(2026, A, "LEFT", "10-12", "1", scene.clock.today())]


def test_a_gap_that_has_no_case_is_passed_over(scene: Scene) -> None:
    watched, moved = leaving(pupil("p"), since=SINCE + 20 * DAY), leaving(pupil("q"))
    scene.submit(A, watched, moved)
    scene.submit(B, arrival(pupil("q")))
    scene.close(DUE)
    describe(scene, A, said(watched), said(moved))
    assert frozen(scene) == []


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    executed: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        executed.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield executed
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_the_work_is_the_same_whether_or_not_a_word_is_taken(scene: Scene) -> None:
    mine, theirs = leaving(pupil("p")), leaving(pupil("q"))
    scene.submit(A, mine)
    scene.submit(B, theirs)
    scene.close(DUE)
    work = []
    for member, signal in ((B, mine), (A, theirs), (A, mine), (A, mine)):
        with statements(scene.database) as executed:
            describe(scene, member, said(signal))
        # SQLite writes out how many keys are looked for.
        work.append(len(executed) if scene.database.is_sqlite else tuple(executed))
    assert len(set(work)) == 1
    assert [row[3] for row in frozen(scene) if row[1] == A] == ["10-12"]


def test_the_ledger_holds_nothing_of_it(scene: Scene) -> None:
    mine = leaving(pupil("p"))
    scene.submit(A, mine)
    scene.close(DUE)
    noted = [table for table in schema.metadata.sorted_tables if table.name.startswith("ledger_")]

    def ledger(tx: sa.Connection) -> list[Any]:
        return [tx.execute(sa.select(table)).all() for table in noted]

    before = scene.database.view("test_ledger", ledger)
    describe(scene, A, said(mine))
    assert scene.database.view("test_ledger", ledger) == before
    assert frozen(scene)[0][3] == "10-12"
