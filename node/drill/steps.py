"""The steps of a drill: which have happened, what is awaited, and when one has failed. Pure.

    made → pseudonymised → accepted → roster → opened → taken back → confirmed

Invariants: what has happened stays so; a drill fails at the first of its steps that is refused, answered wrongly,
passed over by a close or not there in time, and never for a step whose own time has not come.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from federation.rules.calendar import DAY
from federation.rules.vocabulary import GapState

PATIENCE = timedelta(days=2)
"""What a step may take beyond its day: a registry or evaluators that were down over a night are made up for by then."""


class Step(enum.StrEnum):
    """In their order."""

    MADE = "MADE"
    """The test pupil stands in the node's store."""
    PSEUDONYMISED = "PSEUDONYMISED"
    """Evaluators answered, each answer was verified, the pseudonyms are there; detail: which evaluators."""
    ACCEPTED = "ACCEPTED"
    """The registry has taken the signal."""
    ROSTER = "ROSTER"
    """The registry knows the node's newest import, and it is not old; detail: its as-of."""
    OPENED = "OPENED"
    """A close has opened the gap, and the notice was fetched; detail: the day of the close."""
    TAKEN_BACK = "TAKEN_BACK"
    """The registry has taken the retraction."""
    CONFIRMED = "CONFIRMED"
    """A close has made nothing of the gap, and the notice was fetched; detail: the day of the close."""


_FOLLOWS = {
    Step.PSEUDONYMISED: Step.MADE,
    Step.ACCEPTED: Step.MADE,
    Step.ROSTER: Step.MADE,
    Step.OPENED: Step.ACCEPTED,
    Step.TAKEN_BACK: Step.OPENED,
    Step.CONFIRMED: Step.TAKEN_BACK,
}
"""After which step each has its time."""

CLOSES = frozenset({Step.OPENED, Step.CONFIRMED})
"""These wait for a close; the others happen with the next sync."""


class Fault(enum.StrEnum):
    """Why a step has failed."""

    LATE = "LATE"
    """It is not there in time."""
    UNHEARD = "UNHEARD"
    """The registry has closed a later day and said nothing."""
    ANSWERED = "ANSWERED"
    """The registry says that a pupil who does not exist is accounted for."""
    REFUSED = "REFUSED"
    """The registry did not take the signal."""


class State(enum.StrEnum):
    RUNNING = "RUNNING"
    PASSED = "PASSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Done:
    """When a step was seen to have happened: the business date, and the time."""

    on: date
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """`code`, of the error catalogue, with REFUSED alone."""

    step: Step
    fault: Fault
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill. `handle` is the one under which its test pupil was spoken of."""

    drill_id: int
    pupil_id: bytes = field(repr=False)
    handle: bytes = field(repr=False)
    state: State
    steps: Mapping[Step, Done]
    ended_at: datetime | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What the store shows of a drill.

    `evaluators`: whose answers made its pseudonyms, None until all are there; `refused`: the code under which its
    signal was parked; `roster`: as-of of the import that the registry knows, None where it knows none or an old one;
    `verdict` and `verdict_on`: the registry's newest word and the close that gave it; `closed_on`: the newest close of
    which every notice has been fetched.
    """

    evaluators: str | None = None
    accepted: bool = False
    taken_back: bool = False
    refused: str | None = None
    roster: date | None = None
    verdict: GapState | None = None
    verdict_on: date | None = None
    closed_on: date | None = None


def reached(drill: Drill, sight: Sight) -> dict[Step, str]:
    """The steps that have happened and were not seen before, with their details."""
    closed_on = sight.verdict_on.isoformat() if sight.verdict_on is not None else ""
    happened = {
        Step.PSEUDONYMISED: sight.evaluators,
        Step.ACCEPTED: "" if sight.accepted else None,
        Step.ROSTER: None if sight.roster is None else sight.roster.isoformat(),
        Step.OPENED: closed_on if sight.verdict is GapState.OPEN else None,
        Step.TAKEN_BACK: "" if sight.taken_back else None,
        Step.CONFIRMED: closed_on if sight.verdict is GapState.VOID and Step.OPENED in drill.steps else None,
    }
    return {step: detail for step, detail in happened.items() if detail is not None and step not in drill.steps}


def expected_on(drill: Drill, step: Step, closed_on: date | None) -> date | None:
    """The day that belongs to a step: for those that wait for a close, the day of that close. None: not yet."""
    before = drill.steps.get(_FOLLOWS.get(step, step))
    if before is None:
        return None
    if step in CLOSES and closed_on == before.on:
        # That day was closed before the registry had it, or it would have said something.
        return before.on + DAY
    return before.on


def failure(drill: Drill, sight: Sight, today: date) -> Failure | None:
    """Why the drill has failed, if it has."""
    for step in _missing(drill):
        if sight.refused is not None and step in (Step.ACCEPTED, Step.TAKEN_BACK):
            return Failure(step, Fault.REFUSED, sight.refused)
        if step is Step.OPENED and sight.verdict in (GapState.ANSWERED, GapState.ENDED):
            return Failure(step, Fault.ANSWERED)
        due = expected_on(drill, step, sight.closed_on)
        if due is None:
            continue
        if step in CLOSES and sight.closed_on is not None and due < sight.closed_on:
            return Failure(step, Fault.UNHEARD)
        if due + PATIENCE < today:
            return Failure(step, Fault.LATE)
    return None


def awaited(drill: Drill) -> Step | None:
    """The first step that has not happened and whose time has come; None where nothing is awaited any more."""
    if drill.state is not State.RUNNING:
        return None
    return next((step for step in _missing(drill) if _FOLLOWS[step] in drill.steps), None)


def _missing(drill: Drill) -> Iterator[Step]:
    return (step for step in Step if step not in drill.steps)
