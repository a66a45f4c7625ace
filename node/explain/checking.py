"""What an import would say, before it says it: it is rehearsed, all that the next sync would make of it is looked at,
and nothing is kept.

Invariant: of pupils whom the protected-identity role alone may see nothing is shown to others, no count either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from federation.clock import Clock
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import GapState, Policy
from node.explain.reasons import Waiting, waiting
from node.gaps import SECRET_ROUTES, Gap
from node.identity import Identity
from node.model import ImportFacts
from node.records.importing import Importing, Progress
from node.records.person import Delivery
from node.records.report import HeldUnit, ImportReport
from node.restating import Restated
from node.store import Transaction
from node.store.imports import Imports
from node.store.records import Records
from node.store.sealing import Sealer
from node.timeline import Timeline

Foreseeing = Callable[[Transaction], Iterator[Restated]]
"""What the next sync would make of each pupil, were the transaction kept."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A pupil of whom something new would be said, or held back. `since` is the first day it is about; `due_on` that on
    which the case file would open."""

    identity: Identity
    since: date
    route: str
    kind: str = ""
    urgency: str = ""
    due_on: date | None = None

    def __repr__(self) -> str:
        return f"Foreseen(since={self.since})"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the import would report, how many pupils are new, and what would be said and held back."""

    report: ImportReport
    new_pupils: int
    gaps: tuple[Foreseen, ...]
    held: tuple[Foreseen, ...]
    taken_back: tuple[Foreseen, ...]
    duty_ended: tuple[Foreseen, ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a rehearsed import is looked at by. `imported_on`: the days under which what it shows is kept."""

    facts: ImportFacts
    today: date
    policy: Policy
    calendar: SchoolCalendar
    wait_school_days: Mapping[tuple[date, str], int]
    units: Mapping[str, str]
    imported_on: frozenset[date]


@dataclass(slots=True)
class _Seen:
    """What a look gathers."""

    new_pupils: int = 0
    gaps: list[Foreseen] = field(default_factory=list)
    held: list[Foreseen] = field(default_factory=list)
    taken_back: list[Foreseen] = field(default_factory=list)
    duty_ended: list[Foreseen] = field(default_factory=list)
    units: Counter[str] = field(default_factory=Counter)


class Checking:
    """Previews imports. `foreseeing` gives a look at a transaction; `rules` policy and calendar as they stand now."""

    def __init__(
        self,
        importing: Importing,
        sealer: Sealer,
        foreseeing: Callable[[], Foreseeing],
        rules: Callable[[], tuple[Policy, SchoolCalendar]],
        clock: Clock,
    ) -> None:
        self._importing = importing
        self._foreseeing = foreseeing
        self._rules = rules
        self._clock = clock
        self._imports = Imports(sealer)
        self._records = Records(sealer)

    def check(
        self,
        delivery: Delivery,
        as_of: date,
        *,
        system: str,
        accept_shrink: bool,
        confirm_leavings: bool,
        protected: bool,
        progress: Progress,
    ) -> CheckReport:
        """What importing the delivery, and the sync after it, would do and say. Raises what the import would raise."""
        foresee, today, (policy, calendar) = self._foreseeing(), self._clock.today(), self._rules()

        def look(tx: Transaction) -> _Seen:
            facts, newest = self._imports.facts(tx), self._imports.newest(tx, system)
            assert facts is not None
            assert newest is not None
            waits = {(held.as_of, held.unit): held.wait_school_days for held in self._imports.held(tx)}
            imported_on = frozenset({newest.as_of, newest.seen_on})
            rules = _Rules(facts, today, policy, calendar, waits, self._records.units(tx), imported_on)
            return _look(foresee(tx), rules, protected=protected)

        report, seen = self._importing.rehearse(
            delivery,
            as_of,
            system=system,
            accept_shrink=accept_shrink,
            confirm_leavings=confirm_leavings,
            look=look,
            progress=progress,
        )
        return _collected(report, seen)


def _look(foreseen: Iterable[Restated], rules: _Rules, *, protected: bool) -> _Seen:
    """Of a first import nearly all that is foreseen is new and tells nothing more: it is counted and let go."""
    seen = _Seen()
    for each in foreseen:
        hidden = each.pupil.protected or each.pupil.route in SECRET_ROUTES
        if each.pupil.identity.drill or (hidden and not protected):
            continue
        identity, route = each.pupil.identity, each.pupil.route.value
        observations, ended = each.history.observations, each.statement.duty_ended
        seen.new_pupils += bool(observations) and observations[0].as_of in rules.imported_on
        seen.gaps += [_gap(each, gap) for gap in _newly_stated(each)]
        seen.taken_back += [_gap(each, gap) for gap in _taken_back(each)]
        if ended is not None and _ends_duty(each):
            seen.duty_ended.append(Foreseen(identity, ended.begins, route))
        wait = _held(each, rules)
        if wait is not None:
            seen.held.append(Foreseen(identity, wait.ended_on, route))
            seen.units[rules.units.get(wait.held.unit, wait.held.unit)] += 1
    return seen


def _collected(report: ImportReport, seen: _Seen) -> CheckReport:
    # Counted anew: the import counts those too who are not to be shown.
    held = tuple(HeldUnit(unit, pupils) for unit, pupils in sorted(seen.units.items()))
    return CheckReport(
        report=replace(report, held=held),
        new_pupils=seen.new_pupils,
        gaps=_sorted(seen.gaps),
        held=_sorted(seen.held),
        taken_back=_sorted(seen.taken_back),
        duty_ended=_sorted(seen.duty_ended),
    )


def _newly_stated(each: Restated) -> Iterator[Gap]:
    """Gaps first stated, or stated with another day, kind or urgency."""
    before = {gap.number: gap for gap in each.before if gap.stated}
    for gap in each.after:
        known = before.get(gap.number)
        if gap.stated and (known is None or (known.opening, known.due_on) != (gap.opening, gap.due_on)):
            yield gap


def _taken_back(each: Restated) -> Iterator[Gap]:
    after = {gap.number: gap for gap in each.after}
    for gap in each.before:
        if gap.stated and not after[gap.number].stated:
            yield gap


def _ends_duty(each: Restated) -> bool:
    """Whether an end of duty is told that was not told before, or ends a gap here."""
    told = any(version.signal.duty_ended is not None for version in each.versions)
    known = each.newest is not None and each.newest.signal.duty_ended is not None
    ended = {gap.number for gap in each.before if gap.state is GapState.ENDED}
    ends = any(gap.state is GapState.ENDED and gap.number not in ended for gap in each.after)
    return (told and not known) or ends


def _held(each: Restated, rules: _Rules) -> Waiting | None:
    """The leaving that this import makes wait, if it does."""
    if not rules.facts.held:
        return None
    time = Timeline(each.history, rules.facts, rules.today, rules.policy, rules.calendar)
    found = waiting(time, rules.wait_school_days)
    return found if found is not None and found.held.as_of in rules.imported_on else None


def _gap(each: Restated, gap: Gap) -> Foreseen:
    return Foreseen(
        identity=each.pupil.identity,
        since=gap.opening.since,
        route=each.pupil.route.value,
        kind=gap.opening.kind.value,
        urgency=gap.opening.urgency.value,
        due_on=gap.due_on,
    )


def _sorted(lines: Iterable[Foreseen]) -> tuple[Foreseen, ...]:
    return tuple(sorted(lines, key=lambda line: (line.since, line.identity.person_id)))
