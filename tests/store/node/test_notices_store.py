"""Notices are kept once, handled once, and the days on which the registry could not be asked are known."""

from __future__ import annotations

import functools
from datetime import date, timedelta

from federation.database import Database
from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import Notice, NoticeKind
from node.store.notices import Notices, RegistryState
from tests.store.node.stored import handle, opened, pupil

NOTICES = Notices()
CLOSED = date(2026, 9, 18)
DAY = timedelta(days=1)
CALENDAR = SchoolCalendar([Break(date(2026, 10, 26), date(2026, 10, 30))])


def notice(number: int, kind: NoticeKind = NoticeKind.OPENED, place: int = 1) -> Notice:
    return Notice(number, kind, CLOSED, handle(place), 1, b"c" * 16, coverage_incomplete=True)


def keep(database: Database, *page: Notice, through: int | None = None, closed_on: date | None = CLOSED) -> int:
    last = page[-1].number if through is None else through
    return database.run("test_keep", lambda tx: NOTICES.keep(tx, page, last, closed_on))


def to_handle(database: Database) -> tuple[Notice, ...]:
    return database.view("test_to_handle", lambda tx: NOTICES.to_handle(tx, 100))


def test_a_page_that_comes_twice_is_kept_once(database: Database) -> None:
    with opened(database, pupil(1)):
        assert keep(database, notice(1), notice(2)) == 2
        assert keep(database, notice(1), notice(2)) == 0
        assert keep(database, notice(2), notice(3)) == 1
        assert to_handle(database) == (notice(1), notice(2), notice(3))


def test_a_handled_notice_does_not_come_back(database: Database) -> None:
    with opened(database, pupil(1)):
        keep(database, notice(1), notice(2))
        database.run("test_handled", lambda tx: NOTICES.mark_handled(tx, [1]))
        keep(database, notice(1), notice(2))
        assert to_handle(database) == (notice(2),)


def test_the_cursor_passes_notices_of_a_kind_we_do_not_know(database: Database) -> None:
    with opened(database, pupil(1)):
        keep(database, notice(1), through=4)
        assert database.view("test_state", NOTICES.state) == RegistryState(4, CLOSED)
        assert keep(database, notice(3), notice(5), through=5) == 1


def test_the_newest_close_never_goes_back(database: Database) -> None:
    with opened(database, pupil(1)):
        assert database.view("test_state", NOTICES.state) == RegistryState()
        keep(database, through=0, closed_on=None)
        assert database.view("test_state", NOTICES.state).closed_on is None
        keep(database, through=0, closed_on=CLOSED)
        keep(database, through=0, closed_on=CLOSED - DAY)
        database.run("test_roster", lambda tx: NOTICES.roster_taken(tx, CLOSED))
        assert database.view("test_state", NOTICES.state) == RegistryState(0, CLOSED, CLOSED)


def test_only_a_past_school_day_on_which_every_fetch_failed_counts(database: Database) -> None:
    def fetch(day: date, *outcomes: bool) -> None:
        for succeeded in outcomes:
            database.run("test_fetch", functools.partial(NOTICES.record_fetch, day=day, succeeded=succeeded))

    def failed(today: date) -> date | None:
        return database.view("test_failed", lambda tx: NOTICES.failed_day(tx, today, CALENDAR.is_school_day))

    with opened(database, pupil(1)):
        monday = date(2026, 10, 19)
        fetch(monday, False, False)
        assert failed(monday) is None
        assert failed(monday + DAY) == monday
        fetch(monday + DAY, False, True, False)
        assert failed(monday + 2 * DAY) == monday
        fetch(date(2026, 10, 24), False)
        fetch(date(2026, 10, 27), False)
        assert failed(date(2026, 11, 2)) == monday
        fetch(monday, True)
        assert failed(date(2026, 11, 2)) is None
