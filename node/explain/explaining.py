"""Why one pupil is, or is not, a gap (pure): from what the node knows of the pupil and a date to an explanation.

The steps are those of the design: rows and what people said make presences and, perhaps, an opening; what is sent; what
is heard; the case file; the next day that matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from federation.rules.calendar import DAY, SchoolCalendar
from federation.rules.vocabulary import Policy
from node.explain.findings import Answer, Finding, Presences, Said, finding
from node.explain.outcome import Hearing, Told, cases, coming, heard, sent
from node.explain.reasons import reasons, waiting
from node.explain.rows import rows_found
from node.gaps import Gap
from node.identity import Route
from node.model import History, ImportFacts, Row, Saying, Statement
from node.presence import grounds_of, statement
from node.timeline import Timeline

Explanation = tuple[Finding, ...]
"""In the order in which it is to be shown, section by section (`findings.SECTIONS`)."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that the node knows of one pupil, without identity.

    `systems` is what each school system shows now, `units` the names of school units by id, `said` the words that wait
    for a second person, `wait_school_days` how long leavings wait by (import, unit).
    """

    history: History
    facts: ImportFacts
    route: Route = Route.REGISTRY
    systems: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    said: tuple[Saying, ...] = ()
    wait_school_days: Mapping[tuple[date, str], int] = field(default_factory=dict)
    versions: tuple[Told, ...] = ()
    gaps: tuple[Gap, ...] = ()
    hearing: Hearing = field(default_factory=Hearing)


def explain(
    known: Known, *, today: date, policy: Policy, calendar: SchoolCalendar, first_steps: Sequence[Finding] = ()
) -> Explanation:
    """The explanation as of `today`. `first_steps`: what a case file of this member begins with."""
    time = Timeline(known.history, known.facts, today, policy, calendar)
    now = statement(known.history, known.facts, today, policy, calendar)
    grounds = grounds_of(time)
    held = waiting(time, known.wait_school_days)
    return (
        _answer(now),
        *reasons(time, grounds, held, known.units, known.said),
        coming(time, grounds, now, known.gaps, held),
        *cases(now, known.gaps, today, calendar, first_steps),
        *rows_found(time, known.systems, known.units),
        *_said(time),
        *_presences(now),
        *sent(known.route, now, known.versions),
        *heard(known.route, known.hearing),
    )


def _answer(now: Statement) -> Finding:
    opening = now.opening
    if opening is None:
        return finding(Answer.NO_GAP)
    return finding(Answer.GAP, since=opening.since, kind=opening.kind.value, urgency=opening.urgency.value)


def _said(time: Timeline) -> Iterator[Finding]:
    for saying in time.history.sayings:
        yield finding(
            Said[saying.what.name],
            on=saying.on,
            said_on=saying.said_on,
            reason=saying.reason or "",
            review=saying.review or "–",
        )


def _presences(now: Statement) -> Iterator[Finding]:
    if not now.presences:
        yield finding(Presences.NONE)
    for presence in now.presences:
        begins, until = presence.begins, presence.until
        if until is None:
            yield finding(Presences.IN_FORCE_LONG) if begins is None else finding(Presences.IN_FORCE, begins=begins)
        elif begins is None:
            yield finding(Presences.ENDED_LONG, last_day=until - DAY)
        else:
            yield finding(Presences.ENDED, begins=begins, last_day=until - DAY)
        if presence.met_on is not None:
            yield finding(Presences.SEEN, on=presence.met_on)
