"""A node that fetches rosters over an SS 12000 API, for the tests of what comes of it."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from federation.errors import UppropError
from federation.observability import Log
from node.records.report import ImportReport
from node.records.ss12000_api.fetching import Fetching
from node.records.ss12000_api.observability import FetchMetrics
from node.records.ss12000_api.settings import SchoolSystem as Source
from node.store.fetches import Fetches
from node.store.records import Records
from node.store.schema_systems import metadata, system_fetches, system_pages
from tests.harness.school_system import SchoolSystem
from tests.integration.node_alone import BASELINE, Node
from tests.unit.node.exports import UNIT, enrolment, person, person_id

DAY = timedelta(days=1)
NIGHT = datetime(2026, 8, 24, 3, 30, tzinfo=UTC)
LEFT = enrolment(end="2026-08-28")
ENOUGH = [person(place) for place in range(25)]
UNITS = [{"id": UNIT, "displayName": "Ekskolan", "organisationType": "Skolenhet"}]


class Fetcher:
    """A node that fetches from one school system."""

    def __init__(self, node: Node, school: SchoolSystem) -> None:
        self.node = node
        self.school = school
        self.log = io.StringIO()
        self.pauses: list[float] = []
        self.fetching = Fetching(
            database=node.database,
            sealer=node.sealer,
            importing=node.importing,
            systems={},
            clock=node.clock,
            metrics=FetchMetrics(CollectorRegistry()),
            log=Log(self.log),
            sleep=self.pauses.append,
        )
        self.source = Source(url=school.url, token_file=school.token_file, limit=10, overlap_hours=1)

    def __call__(self, day: date = BASELINE, **options: Any) -> ImportReport:
        """Fetch on the night before `day`'s school."""
        self.node.clock.set_today(day)
        self.school.set_clock(NIGHT + (day - BASELINE))
        return self.fetching.run("main", options.pop("source", self.source), **options)

    def refused(self, day: date = BASELINE, **options: Any) -> UppropError:
        with pytest.raises(UppropError) as caught:
            self(day, **options)
        return caught.value

    def asked(self, on: str = "persons") -> list[dict[str, str]]:
        """The queries for a list."""
        return [
            {name: values[0] for name, values in request["query"].items()}
            for request in self.school.requests
            if request["on"] == on
        ]

    def current(self) -> Any:
        return self.node.database.view("test_fetch", lambda tx: Fetches(self.node.sealer).current(tx, "main"))

    def present(self) -> set[str]:
        """Ids of the persons in the newest roster."""
        of_everyone = [person_id(place) for place in range(200)]
        return set(
            self.node.database.view(
                "test_roster", lambda tx: Records(self.node.sealer).of_persons(tx, "main", of_everyone)
            )
        )


def ids(*places: int) -> set[str]:
    return {person_id(place) for place in places}


def imported(node: Node) -> bytes:
    """All that the store holds but runs that are going on."""
    tables = [table for table in metadata.sorted_tables if table not in (system_fetches, system_pages)]

    def dump(tx: Any) -> bytes:
        return repr([(table.name, sorted(map(repr, tx.execute(table.select())))) for table in tables]).encode()

    return node.database.view("test_dump", dump)
