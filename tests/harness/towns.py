"""Two municipalities with consoles, on a federation of real processes: what a browser works in.

A test changes what a municipality's school system exports and lets a day pass; everything else is what the processes
make of it. Pupils are `tests.unit.node.exports`' (`place` → number, name and id). Run by hand, it stays up until
Ctrl-C: `python -m tests.harness.towns`.
"""

# ruff: noqa: E402 - TLS 1.3 must be required before any module imports gRPC

from __future__ import annotations

from federation import tls13

tls13.require()

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from federation.demo import scenario
from federation.demo.scenario import Scenario, ScenarioBreak, ScenarioCalendar, ScenarioMember
from federation.demo.simulate import Simulation, prepared
from federation.rules.vocabulary import MemberId
from tests.unit.node import exports

HERE, THERE = "0180", "1480"
FIRST = date(2026, 8, 24)
"""Monday of the second week of school; the first import."""
LEFT = date(2026, 8, 27)
"""The last day in school of those who left; their gaps are due on 10 September."""
DUE = date(2026, 9, 10)
NOW = date(2026, 9, 14)
"""The day on which tests find the towns."""
STAYS = range(1, 13)
"""Pupils of `HERE` of whom nothing is to be said."""
LEAVERS = range(20, 27)
"""Away since the day after `LEFT`; the gap of each is open."""
PROTECTED = 40
"""Of protected identity, and gone since the same day."""
WATCHED = 50
"""Left on the Friday before `NOW`: in watch."""
LINKED = 60
"""Left both municipalities: their gaps are one case."""
ROLL_THERE = range(100, 113)
AUTUMN_BREAK = ScenarioBreak(date(2026, 10, 26), date(2026, 10, 30))


class Towns:
    """The two, on one business date. `roster` is what the member's school system exports: place → person."""

    def __init__(self, directory: Path, simulation: Simulation) -> None:
        self._directory = directory
        self._simulation = simulation
        self.roster: dict[str, dict[int, dict[str, Any]]] = {HERE: {}, THERE: {}}

    @property
    def today(self) -> date:
        return self._simulation.today

    @property
    def home(self) -> Path:
        """Where the parties keep what they have, each in a directory of its name (`node-0180`)."""
        return self._simulation.trial.home

    def address(self, member: str = HERE) -> str:
        """Of a member's console, without a slash at its end."""
        return self._simulation.trial.console(member)

    def ask(self, member: str, method: str, request: Any) -> Any:
        """Call the ControlService of a member's node."""
        return self._simulation.trial.ask(self._simulation.trial.nodes[member], method, request)

    def enrol(self, member: str, place: int, start: date, **fields: Any) -> None:
        """The pupil's school system has an enrolment from that day on."""
        known = self.roster[member].get(place)
        rows = [*(known["enrolments"] if known else []), exports.enrolment(start.isoformat())]
        self.roster[member][place] = exports.person(place, *rows, **fields)

    def leave(self, member: str, place: int, last: date) -> None:
        """The pupil's enrolment ends with that day."""
        person = self.roster[member][place]
        person["enrolments"][-1] = {**person["enrolments"][-1], "endDate": last.isoformat()}

    @staticmethod
    def name(place: int) -> str:
        """As pages show the pupil."""
        person = exports.person(place)
        return f"{person['givenName']} {person['familyName']}"

    def play(self, today: date) -> None:
        """Every member exports and imports, sends, the registry closes the day, and every member hears of it."""
        for member, roster in self.roster.items():
            scenario.write_export(self._directory, today, member, list(roster.values()))
        self._simulation.play_day(today)

    def pass_days(self, days: int = 1) -> date:
        """Play the next school days, one after the other; returns the last one."""
        for _ in range(days):
            self.play(_next_school_day(self.today))
        return self.today


@contextlib.contextmanager
def towns(directory: Path) -> Iterator[Towns]:
    """Both as they stand on `NOW`; what they wrote lies in a temporary directory until the block ends."""
    members = (ScenarioMember(MemberId(HERE), "Stockholm"), ScenarioMember(MemberId(THERE), "Göteborg"))
    plan = Scenario(members, ScenarioCalendar((AUTUMN_BREAK,)), 10, (FIRST,), name="towns")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "scenario.json").write_text(json.dumps(scenario.plain(plan)), encoding="utf-8")
    for member in (HERE, THERE):
        scenario.write_export(directory, FIRST, member, [])
    with prepared(directory, consoles=True) as simulation:
        found = Towns(directory, simulation)
        _fill(found)
        yield found


def _fill(found: Towns) -> None:
    school_start = date(2025, 8, 18)
    for place in (*STAYS, *LEAVERS, WATCHED, LINKED):
        found.enrol(HERE, place, school_start)
    found.enrol(HERE, PROTECTED, school_start, securityMarking="Skyddad folkbokföring")
    for place in (*ROLL_THERE, LINKED):
        found.enrol(THERE, place, school_start)
    found.play(FIRST)
    for place in (*LEAVERS, LINKED, PROTECTED):
        found.leave(HERE, place, LEFT)
    found.leave(THERE, LINKED, LEFT)
    found.play(LEFT + timedelta(days=1))
    found.play(DUE)
    found.leave(HERE, WATCHED, date(2026, 9, 11))
    found.play(NOW)


def _next_school_day(after: date) -> date:
    day = after + timedelta(days=1)
    while day.weekday() > 4 or AUTUMN_BREAK.start <= day <= AUTUMN_BREAK.end:
        day += timedelta(days=1)
    return day


def main() -> None:
    """Until Ctrl-C."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        contextlib.suppress(KeyboardInterrupt),
        towns(Path(temporary) / "scenario") as found,
    ):
        for member in (HERE, THERE):
            print(f"{member}  {found.address(member)}/", flush=True)  # noqa: T201 - a command
        while True:
            time.sleep(1)


if __name__ == "__main__":
    main()
