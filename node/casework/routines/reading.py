"""Reads a routine from its file and says everything that is wrong with it. Pure.

Checked beyond the form: every step that is named is there; what leads forward never leads in a circle; what leads back
is declared, really leads back, and has time in between; no clock lies in the past, nor before that of a step that must
be done first; what is done at once waits for nothing; no text is missing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from node.casework.routines import yaml_files
from node.casework.routines.flaws import Flaw, FlawedError, FlawKind
from node.casework.routines.model import Clock, Outcome, Routine, Step, Words

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)

LONGEST = {"school_days": 400, "days": 800, "months": 24}
"""A clock beyond is a slip of the hand: nothing is followed up more rarely than every two years."""


def read(content: str | bytes) -> Routine:
    """The routine in a file. Raises FlawedError with every flaw."""
    routine = yaml_files.read(content, Routine)
    if flaws := tuple(flaws_of(routine)):
        raise FlawedError(flaws)
    return routine


def as_json(routine: Routine) -> str:
    """The one form that a version is named by and kept in."""
    return msgspec.json.encode(routine, order="deterministic").decode()


def from_json(content: str) -> Routine:
    """Back from `as_json`; what was kept was checked before."""
    return msgspec.json.decode(content, type=Routine)


def digest(routine: Routine) -> bytes:
    """SHA-256 of the content: the name of this version."""
    return hashlib.sha256(as_json(routine).encode()).digest()


def flaws_of(routine: Routine) -> Iterator[Flaw]:
    """Everything that is wrong with it in itself."""
    if not NAME.fullmatch(routine.name):
        yield Flaw(FlawKind.NAME, "name", routine.name[:60])
    yield from _lacking(routine.title, "title")
    yield from _lacking(routine.summary, "summary")
    if not routine.steps:
        yield Flaw(FlawKind.NO_STEPS)
    ids = [step.id for step in routine.steps]
    for step in routine.steps:
        yield from _of_step(step, ids)
    for again in sorted({each for each in ids if ids.count(each) > 1}):
        yield Flaw(FlawKind.STEP_TWICE, "steps", again)
    forward = _forward(routine)
    if cycle := _cycle(forward):
        yield Flaw(FlawKind.CYCLE, "steps", " → ".join(cycle))
        return
    yield from _of_loops(routine, forward)
    yield from _of_order(routine)


def unknown_routines(routine: Routine, known: Collection[str]) -> Iterator[Flaw]:
    """Routines that it starts and that there are not."""
    for step in routine.steps:
        for outcome in step.outcomes:
            for name in outcome.starts:
                if name not in known:
                    yield Flaw(FlawKind.UNKNOWN_ROUTINE, f"{step.id}.{outcome.id}.starts", name)


def _lacking(words: Words, where: str) -> Iterator[Flaw]:
    if not words.sv.strip():
        yield Flaw(FlawKind.TEXT_MISSING, f"{where}.sv")


def _of_step(step: Step, ids: Sequence[str]) -> Iterator[Flaw]:
    if not NAME.fullmatch(step.id):
        yield Flaw(FlawKind.NAME, "steps", step.id[:60])
    yield from _lacking(step.title, f"{step.id}.title")
    yield from _lacking(step.text, f"{step.id}.text")
    yield from _of_clock(step)
    if step.at_once and (step.after or step.standing):
        yield Flaw(FlawKind.AT_ONCE_WAITS, step.id)
    for name in step.after:
        if name not in ids:
            yield Flaw(FlawKind.UNKNOWN_STEP, f"{step.id}.after", name)
    if not step.outcomes:
        yield Flaw(FlawKind.NO_OUTCOMES, step.id)
    own = [outcome.id for outcome in step.outcomes]
    for again in sorted({each for each in own if own.count(each) > 1}):
        yield Flaw(FlawKind.OUTCOME_TWICE, step.id, again)
    for outcome in step.outcomes:
        yield from _of_outcome(step, outcome, ids)


def _of_outcome(step: Step, outcome: Outcome, ids: Sequence[str]) -> Iterator[Flaw]:
    where = f"{step.id}.{outcome.id}"
    if not NAME.fullmatch(outcome.id):
        yield Flaw(FlawKind.NAME, step.id, outcome.id[:60])
    yield from _lacking(outcome.title, f"{where}.title")
    for field, names in (("then", outcome.then), ("loop", outcome.loop)):
        for name in names:
            if name not in ids:
                yield Flaw(FlawKind.UNKNOWN_STEP, f"{where}.{field}", name)


def _of_clock(step: Step) -> Iterator[Flaw]:
    where = f"{step.id}.due"
    if step.due is None:
        if not step.standing:
            yield Flaw(FlawKind.CLOCK_MISSING, step.id)
        return
    if step.standing:
        yield Flaw(FlawKind.STANDING_CLOCK, step.id)
    stated = {name: getattr(step.due, name) for name in LONGEST if getattr(step.due, name) is not None}
    if len(stated) + step.due.after_break != 1:
        yield Flaw(FlawKind.CLOCK_SEVERAL if stated else FlawKind.CLOCK_MISSING, where)
    for name, count in stated.items():
        if count < 0:
            yield Flaw(FlawKind.CLOCK_PAST, f"{where}.{name}", str(count))
        elif count > LONGEST[name]:
            yield Flaw(FlawKind.CLOCK_TOO_LONG, f"{where}.{name}", str(count))


def _forward(routine: Routine) -> dict[str, list[str]]:
    """What leads on from each step: its outcomes, and the steps that wait for it."""
    edges: dict[str, list[str]] = {step.id: [] for step in routine.steps}
    for step in routine.steps:
        edges[step.id] += [name for outcome in step.outcomes for name in outcome.then if name in edges]
        for name in step.after:
            if name in edges:
                edges[name].append(step.id)
    return edges


def _cycle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """A way that leads back to where it began, the first found; empty where there is none."""
    finished: set[str] = set()
    for start in edges:
        way: list[str] = []
        rest: list[tuple[str, Iterator[str]]] = []

        def enter(step_id: str, way: list[str] = way, rest: list[tuple[str, Iterator[str]]] = rest) -> None:
            way.append(step_id)
            rest.append((step_id, iter(edges[step_id])))

        if start not in finished:
            enter(start)
        while rest:
            step_id, onward = rest[-1]
            following = next(onward, None)
            if following is None:
                finished.add(step_id)
                rest.pop()
                way.pop()
            elif following in way:
                return [*way[way.index(following) :], following]
            elif following not in finished:
                enter(following)
    return []


def _of_loops(routine: Routine, forward: Mapping[str, Sequence[str]]) -> Iterator[Flaw]:
    steps = {step.id: step for step in routine.steps}
    for step in routine.steps:
        for outcome in step.outcomes:
            for name in outcome.loop:
                back = steps.get(name)
                if back is None:
                    continue
                where = f"{step.id}.{outcome.id}.loop"
                if step.id not in _reached(name, forward):
                    yield Flaw(FlawKind.LOOP_NOT_BACK, where, name)
                elif not _takes_time(back.due):
                    yield Flaw(FlawKind.LOOP_WITHOUT_CLOCK, where, name)


def _reached(start: str, forward: Mapping[str, Sequence[str]]) -> set[str]:
    found, rest = {start}, [start]
    while rest:
        new = set(forward[rest.pop()]) - found
        found |= new
        rest += new
    return found


def _takes_time(clock: Clock | None) -> bool:
    return clock is not None and (clock.after_break or any((clock.school_days, clock.days, clock.months)))


def _of_order(routine: Routine) -> Iterator[Flaw]:
    """No step that begins with the routine is due before one that must be done first."""
    beginning = {step.id: step for step in routine.begins_with()}
    for step in beginning.values():
        for name in step.after:
            first = beginning.get(name)
            if first is not None and _roughly(step.due) < _roughly(first.due):
                yield Flaw(FlawKind.CLOCK_BEFORE, step.id, name)


def _roughly(clock: Clock | None) -> float:
    """Days, so that clocks of different kinds compare: five school days are a week."""
    if clock is None:
        return 0
    return (clock.school_days or 0) * 7 / 5 + (clock.days or 0) + (clock.months or 0) * 30.4
