"""Gaps and case files are kept as the rules made them, and listed to those who may see them alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from federation.database import Database
from federation.rules.vocabulary import GapState, Opening, OpeningKind, Urgency
from node.gaps import Gap, OpenedBy
from node.identity import Route
from node.store.gaps import CaseLine, Gaps
from node.store.schema import case_files
from tests.store.node.stored import PUPILS, handle, number, opened, pupil, pupil_id

GAPS = Gaps(PUPILS)
SINCE = date(2026, 9, 7)
DUE = date(2026, 9, 18)
DAY = timedelta(days=1)


def watched(place: int, count: int = 1, route: Route = Route.REGISTRY) -> Gap:
    return Gap(
        handle=handle(place),
        opening=Opening(count, OpeningKind.LEFT, SINCE, Urgency.NORMAL),
        route=route,
        stated=True,
        due_on=DUE,
        said_on=SINCE,
        state=GapState.WATCH,
        state_since=SINCE,
    )


def case(place: int, count: int = 1, route: Route = Route.REGISTRY, by: OpenedBy = OpenedBy.NOTICE) -> Gap:
    return replace(
        watched(place, count, route), state=GapState.OPEN, state_since=DUE, opened_on=DUE, opened_by=by, lead=True
    )


def save(database: Database, place: int, *gaps: Gap) -> None:
    database.run("test_save", lambda tx: GAPS.save(tx, [(pupil_id(place), gap) for gap in gaps]))


def listed(database: Database, *, all_gaps: bool, protected: bool) -> list[CaseLine]:
    listing = GAPS.list_gaps if all_gaps else GAPS.list_cases
    return list(database.view("test_list", lambda tx: listing(tx, protected=protected)))


def test_a_gap_comes_back_as_it_was_saved(database: Database) -> None:
    with opened(database, pupil(1)):
        full = replace(
            case(1, 2),
            opening=Opening(2, OpeningKind.NOT_PLACED, SINCE, Urgency.NORMAL, date(2026, 10, 1)),
            verdict=GapState.OPEN,
            verdict_on=DUE,
            case_id=b"c" * 16,
            linked=True,
            coverage_incomplete=True,
        )
        save(database, 1, watched(1), full)
        save(database, 1, watched(1), full)
        assert database.view("test_gaps", lambda tx: GAPS.of_handles(tx, [handle(1), handle(2)])) == {
            handle(1): (watched(1), full)
        }


def test_a_case_file_is_made_once_and_stays(database: Database) -> None:
    with opened(database, pupil(1)):
        save(database, 1, case(1, by=OpenedBy.UNLINKABLE))
        later = replace(case(1), state=GapState.ANSWERED, state_since=DUE + DAY)
        database.run("test_change", lambda tx: GAPS.change(tx, [later]))
        [kept] = database.view("test_gaps", lambda tx: GAPS.of_handles(tx, [handle(1)]))[handle(1)]
        assert (kept.state, kept.opened_on, kept.opened_by) == (GapState.ANSWERED, DUE, OpenedBy.UNLINKABLE)

        def count(tx: Connection) -> int:
            return tx.execute(select(func.count()).select_from(case_files)).scalar_one()

        assert database.view("test_count", count) == 1


def test_open_cases_and_all_gaps_ever_open_are_listed_with_the_pupil(database: Database) -> None:
    with opened(database, pupil(1), pupil(2), pupil(3)):
        closed = replace(case(2), state=GapState.VOID, state_since=DUE + DAY, lead=False)
        save(database, 1, case(1))
        save(database, 2, closed)
        save(database, 3, watched(3))
        [line] = listed(database, all_gaps=False, protected=False)
        assert line == CaseLine(
            person_id="person-1",
            number=number(1).number,
            name="Förnamn Efternamn1",
            effective_date=SINCE,
            route="registry",
            kind="LEFT",
            urgency="NORMAL",
            state="OPEN",
            state_since=DUE,
            opened_on=DUE,
            due_on=DUE,
            lead=True,
            linked=False,
            coverage_incomplete=False,
            opened_by="notice",
        )
        assert [each.person_id for each in listed(database, all_gaps=True, protected=False)] == ["person-1", "person-2"]
        assert number(1).number not in repr(line)
        assert "Förnamn" not in repr(line)


def test_what_the_protected_role_alone_may_see_is_shown_to_it_alone(database: Database) -> None:
    pupils = [
        pupil(1),
        pupil(2, Route.PROTECTED, protected=True),
        pupil(3, Route.REGISTRY, protected=True),
        pupil(4, Route.RENUMBERED, protected=True),
        pupil(5),
    ]
    with opened(database, *pupils):
        save(database, 1, case(1))
        save(database, 2, case(2, route=Route.PROTECTED))
        save(database, 3, case(3))
        save(database, 4, case(4, route=Route.RENUMBERED))
        # No longer marked, but the file was opened under the marking.
        save(database, 5, case(5, route=Route.PROTECTED))
        for all_gaps in (False, True):
            open_to_all = listed(database, all_gaps=all_gaps, protected=False)
            assert [line.person_id for line in open_to_all] == ["person-1"]
            assert len(listed(database, all_gaps=all_gaps, protected=True)) == 5


def test_only_gaps_on_which_a_fetch_may_bear_are_looked_at(database: Database) -> None:
    places = range(1, 8)
    with opened(database, *(pupil(place) for place in places)):
        due = watched(1)
        early = replace(watched(2), due_on=DUE + 10 * DAY)
        withdrawn = replace(watched(3), stated=False)
        local = watched(4, route=Route.UNLINKABLE)
        doubted = replace(case(5), verdict=GapState.ANSWERED, verdict_on=DUE)
        told = replace(case(6), verdict=GapState.OPEN, verdict_on=DUE)
        restated = replace(watched(7), verdict=GapState.OPEN, verdict_on=SINCE)
        for place, gap in zip(places, (due, early, withdrawn, local, doubted, told, restated), strict=True):
            save(database, place, gap)
        assert database.view("test_ask", lambda tx: GAPS.to_ask_after_fetch(tx, DUE)) == (due, doubted, restated)
