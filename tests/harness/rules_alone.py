"""Plays generated stories on the pure rules alone: no store, no network, no pseudonyms. Seconds for dozens of terms.

What a node does about identity is told here once more, in its simplest form: a person is known by the number, or by the
school system's id where the number is not sound. A gap that was said before its pupil was marked is not played here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date

from federation.demo.generator import Generated
from federation.demo.generator.people import Entry
from federation.demo.scenario import Case
from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.matching import GapName, GapVerdict, KnownGap, MemberSignal, evaluate
from federation.rules.vocabulary import GapState, Handle, MemberId, Opening, Policy, Pseudonym, Signal
from node.model import History, ImportFacts, Observation, Row
from node.presence import statement
from privacy.identifiers import Sound, parse

Run = dict[int, tuple[GapState, date]]
"""Per date index, the state of a gap and its `since`."""


@dataclass
class Known:
    """One person at one member."""

    member: MemberId
    handle: Handle
    person_id: str = ""
    observations: list[Observation] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    said: Signal | None = None
    hidden: Run = field(default_factory=dict)
    unlinkable: Run = field(default_factory=dict)

    @property
    def marked(self) -> bool:
        return self.observations[-1].marking != "Ingen"

    def observe(self, seen: Observation) -> None:
        newest = self.observations[-1] if self.observations else None
        if newest is None or (newest.rows, newest.status, newest.marking) != (seen.rows, seen.status, seen.marking):
            self.observations.append(seen)


class Players:
    """All members and the registry, over the dates of one scenario."""

    def __init__(self, generated: Generated) -> None:
        scenario = generated.scenario
        self._generated = generated
        self._as_of = scenario.as_of
        self._members = [member.id for member in scenario.members]
        self._calendar = SchoolCalendar(Break(each.start, each.end) for each in scenario.calendar.breaks)
        self._policy = Policy(watch_school_days=scenario.watch_school_days)
        self._people: list[Known] = []
        self._by_number: dict[tuple[str, str], Known] = {}
        self._by_person: dict[tuple[str, str], Known] = {}
        self._verdicts: dict[GapName, GapVerdict] = {}
        self._runs: dict[GapName, Run] = defaultdict(dict)

    def play(self) -> tuple[Case, ...]:
        for index, today in enumerate(self._as_of):
            self._import(index, today)
            signals = [signal for person in self._people if (signal := self._say(person, index, today)) is not None]
            self._close(signals, index, today)
        by_handle = {person.handle: person for person in self._people}
        runs = [(by_handle[name[1]], "registry", run) for name, run in self._runs.items()]
        runs += [(person, "unlinkable", person.unlinkable) for person in self._people]
        runs += [(person, "protected", person.hidden) for person in self._people]
        return tuple(sorted(case for person, route, run in runs for case in self._cases(person, route, run)))

    def _import(self, index: int, today: date) -> None:
        seen = set()
        for _, story in self._generated.stories:
            for file in story.files:
                entry = file.shown[index]
                if entry is not None:
                    person = self._person(file.member, file.person_id, entry, today)
                    rows = (
                        Row(r.unit, r.form, r.start, r.end, r.cancelled, r.year) for r in entry.rows if not r.start_text
                    )
                    person.observe(Observation(today, tuple(rows), entry.status, entry.marking))
                    seen.add(person.handle)
        for person in self._people:
            if person.handle not in seen:
                newest = person.observations[-1]
                person.observe(Observation(today, None, newest.status, newest.marking))

    def _person(self, member: MemberId, person_id: str, entry: Entry, today: date) -> Known:
        sound = isinstance(parse(entry.number, today), Sound)
        number = entry.number or ""
        person = self._by_number.get((member, number)) if sound else None
        person = person or self._by_person.get((member, person_id))
        if person is None:
            person = Known(member, Handle(len(self._people).to_bytes(16, "big")))
            self._people.append(person)
        person.person_id = person_id
        self._by_person[member, person_id] = person
        if sound and number not in person.numbers:
            person.numbers.append(number)
            self._by_number[member, number] = person
        return person

    def _say(self, person: Known, index: int, today: date) -> Signal | None:
        """The signal of a person, if any; what stays at the member goes into the person's own runs."""
        imports = tuple(day for day in self._as_of if day <= today)
        facts = ImportFacts(self._as_of[0], imports, self._mass_start_days(person.member))
        said = statement(History(tuple(person.observations)), facts, today, self._policy, self._calendar)
        if person.marked:
            if said.opening is not None and (person.said is None or person.said.opening is None):
                person.hidden[index] = (GapState.OPEN, said.opening.since)
            return person.said
        if not person.numbers:
            if said.opening is not None:
                due = self._calendar.nth_on_or_after(said.opening.since, self._policy.watch_school_days)
                person.unlinkable[index] = (GapState.OPEN if today >= due else GapState.WATCH, said.opening.since)
            return None
        if person.said is None and not said.moves:
            return None
        opening = None
        if said.opening is not None:
            opened = person.said is not None and person.said.opening is not None
            number = max((name[2] for name in self._runs if name[1] == person.handle), default=0) + (not opened)
            stated = said.opening
            opening = Opening(number, stated.kind, stated.since, stated.urgency, stated.planned_start)
        pseudonyms = tuple(Pseudonym(1, number.encode().ljust(32)) for number in person.numbers)
        person.said = Signal(person.handle, index + 1, pseudonyms, said.presences, opening, said.duty_ended)
        return person.said

    def _mass_start_days(self, member: MemberId) -> frozenset[date]:
        baseline = [
            person.observations[0].rows or ()
            for person in self._people
            if person.member == member and person.observations[0].as_of == self._as_of[0]
        ]
        starts = Counter(start for rows in baseline for start in {row.start for row in rows if row.start})
        return frozenset(start for start, count in starts.items() if count * 3 > len(baseline))

    def _close(self, signals: list[Signal], index: int, today: date) -> None:
        member_of = {person.handle: person.member for person in self._people}
        known = [
            KnownGap(each.member, each.handle, each.opening, each.state, each.answer)
            for each in self._verdicts.values()
        ]
        contacts = dict.fromkeys(self._members, today)
        for verdict in evaluate(
            [MemberSignal(member_of[signal.handle], signal) for signal in signals],
            known,
            contacts,
            today,
            self._policy,
            lambda _member: self._calendar,
        ):
            self._verdicts[verdict.name] = verdict
            self._runs[verdict.name][index] = (verdict.state, verdict.opening.since)

    def _cases(self, person: Known, route: str, run: Run) -> list[Case]:
        indices = sorted(run)
        states = [run[index][0] for index in indices]
        if GapState.OPEN not in states:
            return []
        newest = len(states) - 1
        while newest and states[newest - 1] is states[-1]:
            newest -= 1
        return [
            Case(
                member=person.member,
                person_id=person.person_id,
                effective_date=run[indices[-1]][1],
                route=route,
                opened_on=self._as_of[indices[states.index(GapState.OPEN)]],
                state=states[-1],
                state_since=self._as_of[indices[newest]],
            )
        ]
