"""The importing part of a node, alone on a store of its own, for the tests of what imports and people do there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from federation.clock import ManualClock
from federation.database import Database
from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import Policy
from node.casework.sayings import CaseworkSayings
from node.model import History, Statement
from node.presence import statement
from node.records.importing import Importing
from node.records.report import ImportReport
from node.records.ss12000_file import Ss12000File
from node.store.imports import Imports
from node.store.pupils import Pupil, Pupils
from node.store.sayings import Sayings
from node.store.schema_systems import metadata
from node.store.sealing import Sealer
from privacy.identifiers import Sound, parse
from tests.unit.node.exports import number, person, write

TABLES = metadata.sorted_tables
BASELINE = date(2026, 8, 24)
WEEK = timedelta(days=7)
CALENDAR = SchoolCalendar(
    [Break(date(2026, 6, 13), date(2026, 8, 17)), Break(date(2026, 10, 26), date(2026, 10, 30))],
)


@dataclass
class Node:
    """The importing part of a node, on a store of its own."""

    directory: Path
    database: Database
    sealer: Sealer
    policy: Policy
    clock: ManualClock
    importing: Importing
    casework: CaseworkSayings

    def take(
        self, as_of: date, persons: list[Any], *, accept_shrink: bool = False, confirm_leavings: bool = False
    ) -> ImportReport:
        """Import on the day itself."""
        self.clock.set_today(as_of)
        return self.importing.take(
            Ss12000File(write(self.directory, as_of, persons)),
            as_of,
            accept_shrink=accept_shrink,
            confirm_leavings=confirm_leavings,
        )

    def pupils(self) -> dict[bytes, Pupil]:
        pupils = Pupils(self.sealer)

        def work(tx: Any) -> dict[bytes, Pupil]:
            return pupils.load_all(tx, pupils.to_restate(tx, date.max))

        # Everything is marked, so that everything is found.
        self.database.run("test_mark", pupils.mark_all_dirty)
        return self.database.view("test_pupils", work)

    def pupil(self, place: int) -> Pupil:
        """The pupil who bears, or ever bore, the synthetic number."""
        return self.numbered(number(place))

    def numbered(self, text: str) -> Pupil:
        sound = parse(text, self.clock.today())
        assert isinstance(sound, Sound)
        pupils = Pupils(self.sealer)
        index = pupils.number_index(sound)
        return self.database.view("test_pupil", lambda tx: pupils.load(tx, pupils.by_numbers(tx, [index])[index]))

    def with_id(self, text: str) -> Pupil:
        pupils = Pupils(self.sealer)
        index = pupils.person_index(text)
        return self.database.view("test_pupil", lambda tx: pupils.load(tx, pupils.by_person_ids(tx, [index])[index]))

    def states(self, pupil: Pupil) -> Statement:
        facts = self.database.view("test_facts", Imports(self.sealer).facts)
        assert facts is not None
        said = self.database.view("test_said", lambda tx: Sayings(self.sealer).standing(tx, [pupil.pupil_id]))
        history = History(pupil.observations, said.get(pupil.pupil_id, ()))
        return statement(history, facts, self.clock.today(), self.policy, CALENDAR)

    def bytes_of_store(self) -> bytes:
        """All that the store holds, as far as equality goes: a dump of every table."""

        def dump(tx: Any) -> bytes:
            return repr([(table.name, sorted(map(repr, tx.execute(table.select())))) for table in TABLES]).encode()

        return self.database.view("test_dump", dump)


def make(directory: Path, store: str, policy: Policy) -> Node:
    """`store` is the URL of an empty one."""
    database = Database(store)
    sealer, clock = Sealer(bytes(range(32))), ManualClock("Europe/Stockholm", BASELINE)
    return Node(
        directory,
        database,
        sealer,
        policy,
        clock,
        Importing(database, sealer, lambda: (policy, CALENDAR), clock),
        CaseworkSayings(database, sealer, lambda: policy, clock),
    )


def roster(size: int, **fields: Any) -> list[Any]:
    return [person(place, **fields) for place in range(size)]
