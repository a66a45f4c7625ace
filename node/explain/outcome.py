"""What became of it: what was sent, what the registry told, how the gaps stand, which day matters next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from federation.rules.calendar import DAY, SchoolCalendar
from federation.rules.vocabulary import GapState, Notice, NoticeKind
from node.coverage import FOREVER
from node.explain.findings import Case, Finding, Heard, Next, Sent, finding
from node.explain.reasons import Waiting
from node.gaps import Gap
from node.identity import Route
from node.model import Statement
from node.presence import Grounds, NotLeft
from node.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Told:
    """One version that was made. `state` and `code` as the outbox keeps them; `since` of the gap it states, if any."""

    version: int
    made_on: date
    state: str
    code: str
    since: date | None
    retracted: bool


@dataclass(frozen=True, slots=True)
class Hearing:
    """How the registry was heard: its notices about the pupil in the order of their numbers, the newest close it told
    of, and the newest school day on which it could not be reached at all."""

    notices: tuple[Notice, ...] = ()
    closed_on: date | None = None
    failed_day: date | None = None


_ROUTE = {
    Route.UNLINKABLE: Sent.UNLINKABLE,
    Route.PROTECTED: Sent.PROTECTED,
    Route.RENUMBERED: Sent.RENUMBERED,
}
_NOTICE = {kind: Heard[kind.name] for kind in NoticeKind if kind.name in Heard.__members__}
_STATE = {
    GapState.ANSWERED: Case.ANSWERED,
    GapState.ENDED: Case.ENDED,
    GapState.VOID: Case.VOID,
}


def sent(route: Route, statement: Statement, versions: Sequence[Told]) -> Iterator[Finding]:
    if route in _ROUTE:
        yield finding(_ROUTE[route])
    elif not versions:
        yield finding(Sent.NOTHING_YET if statement.moves else Sent.NO_MOVER)
    for each in sorted(versions, key=lambda each: (each.made_on, each.version)):
        says = "RETRACTED" if each.retracted else "NO_GAP" if each.since is None else "GAP"
        yield finding(
            Sent[each.state],
            version=each.version,
            made_on=each.made_on,
            says=says,
            since=each.since or "",
            code=each.code,
        )


def heard(route: Route, hearing: Hearing) -> Iterator[Finding]:
    for notice in hearing.notices:
        yield finding(
            _NOTICE.get(notice.kind, Heard.OTHER),
            number=notice.opening_number or 0,
            closed_on=notice.closed_on,
            kind=notice.kind.value,
        )
    if route is not Route.REGISTRY:
        return
    if not hearing.notices:
        yield finding(Heard.NOTHING)
    if hearing.closed_on is None:
        yield finding(Heard.NO_CLOSE)
    if hearing.failed_day is not None:
        yield finding(Heard.UNREACHED, day=hearing.failed_day)


def cases(
    statement: Statement, gaps: Sequence[Gap], today: date, calendar: SchoolCalendar, first_steps: Sequence[Finding]
) -> Iterator[Finding]:
    """`first_steps`: what a case file of this member begins with."""
    if statement.opening is not None and not any(gap.stated for gap in gaps):
        yield finding(Case.NOT_MADE)
    for gap in gaps:
        yield _case(gap, today, calendar)
        if gap.state is not GapState.OPEN:
            continue
        for kind, holds in (
            (Case.LEADS, gap.lead),
            (Case.LINKED, gap.linked),
            (Case.COVERAGE_INCOMPLETE, gap.coverage_incomplete),
        ):
            if holds:
                yield finding(kind)
    if any(gap.state is GapState.OPEN for gap in gaps):
        yield from first_steps


def _case(gap: Gap, today: date, calendar: SchoolCalendar) -> Finding:
    since, due_on = gap.opening.since, gap.due_on
    if gap.state is GapState.WATCH and due_on > today:
        return finding(Case.WATCH, since=since, due_on=due_on, school_days=calendar.count(today, due_on))
    if gap.state is GapState.WATCH:
        return finding(Case.OVERDUE, since=since, due_on=due_on)
    if gap.state is GapState.OPEN:
        opened_by = "" if gap.opened_by is None else gap.opened_by.value
        return finding(
            Case.OPEN,
            since=since,
            urgency=gap.opening.urgency.value,
            opened_on=gap.opened_on or gap.state_since,
            opened_by=opened_by,
        )
    return finding(_STATE[gap.state], since=since, on=gap.state_since)


def coming(
    time: Timeline, grounds: Grounds, statement: Statement, gaps: Sequence[Gap], held: Waiting | None
) -> Finding:
    """The next day that matters, and what happens then."""
    today, calendar = time.today, time.calendar
    days: list[tuple[date, Finding]] = []
    for gap in gaps:
        if gap.stated and gap.state is GapState.WATCH:
            ahead = calendar.count(today, gap.due_on)
            days.append((gap.due_on, finding(Next.DUE, on=gap.due_on, school_days=ahead)))
    if statement.opening is not None and not any(gap.stated for gap in gaps):
        days.append((today, finding(Next.SYNC)))
    last = time.last_run()
    if grounds.left is NotLeft.NOT_SHOWN and last is not None:
        days.append((time.shown_on(last.until), finding(Next.SHOWS, on=time.shown_on(last.until))))
    if held is not None:
        days.append((held.released_on, finding(Next.HELD_RELEASED, on=held.released_on)))
    begins = [run.begins for run in time.runs if run.begins > today]
    if begins:
        days.append((min(begins), finding(Next.ROW_BEGINS, on=min(begins))))
    if statement.in_force and last is not None and today < last.until < FOREVER:
        shows = time.shown_on(last.until)
        days.append((shows, finding(Next.ROW_ENDS, on=shows, last_day=last.until - DAY)))
    ended = statement.duty_ended
    if ended is not None and ended.review is not None and ended.review >= today:
        days.append((ended.review, finding(Next.REVIEW, on=ended.review)))
    return min(days, key=lambda each: each[0])[1] if days else finding(Next.NOTHING)
