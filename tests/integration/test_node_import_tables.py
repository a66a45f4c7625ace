"""Imports of OneRoster and plain CSV into a real store: what is kept, refused, repeated, and resumed after a kill."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.demo.scenario import page
from federation.errors import Code, UppropError
from federation.rules.vocabulary import Policy
from node.records.person import PersonRecord
from node.records.report import ImportReport
from node.records.sources import Source, delivery_of
from node.store.imports import Imports
from node.store.records import Records
from tests.harness import convert
from tests.harness.convert import delta_tables, oneroster_tables, plain_rows, write_oneroster
from tests.harness.killed_import import killed
from tests.integration.node_alone import BASELINE, WEEK, Node, make, roster
from tests.unit.node.exports import OTHER_UNIT, enrolment, person, person_id

Write = Callable[[Path, list[Any]], None]
Break = Callable[[Path], object]


def write_csv(path: Path, persons: list[Any]) -> None:
    rows = plain_rows(persons)
    header = convert.as_csv([], ";", list(rows[0]) if rows else list(plain_rows([person(0)])[0]))
    path.write_text(convert.as_csv(rows, ";") if rows else header, encoding="utf-8", newline="")


def write_bulk(path: Path, persons: list[Any]) -> None:
    write_oneroster(path, oneroster_tables(persons))


@dataclass(frozen=True)
class Kind:
    """How a source's deliveries are made and read."""

    source: Source
    suffix: str
    write: Write

    def written(self, directory: Path, persons: list[Any]) -> Path:
        path = directory / f"delivery{self.suffix}"
        self.write(path, persons)
        return path


CSV = Kind(Source.CSV, ".csv", write_csv)
ONEROSTER = Kind(Source.ONEROSTER, ".zip", write_bulk)


@pytest.fixture(params=[CSV, ONEROSTER], ids=["csv", "oneroster"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def take(node: Node, as_of: date, source: Source, path: Path, **options: Any) -> ImportReport:
    node.clock.set_today(as_of)
    return node.importing.take(delivery_of(source, path), as_of, **options)


def deliver(node: Node, as_of: date, kind: Kind, persons: list[Any], **options: Any) -> ImportReport:
    return take(node, as_of, kind.source, kind.written(node.directory, persons), **options)


def meaning(node: Node) -> Any:
    """All that the store knows of pupils, without what is drawn at random."""
    pupils = sorted(
        (
            pupil.identity.person_ids,
            pupil.identity.number,
            pupil.identity.given_name,
            pupil.observations,
            pupil.route,
            pupil.protected,
        )
        for pupil in node.pupils().values()
    )
    return repr(pupils), node.database.view("test_facts", Imports(node.sealer).facts)


def known(node: Node, *places: int) -> Mapping[str, tuple[PersonRecord, ...]]:
    ids = [person_id(place) for place in places]
    return node.database.view("test_records", lambda tx: Records(node.sealer).of_persons(tx, "main", ids))


def week(number: int) -> list[Any]:
    """Weeks in which pupils leave, move, arrive, vanish, come back, are renamed, protected and renumbered."""
    persons = {place: person(place) for place in range(30)}
    if number >= 1:
        persons[0] = person(0, enrolment(end="2026-08-28"))
        persons[1] = person(1, enrolment(end="2026-08-28"), enrolment("2026-08-31", enroledAt={"id": OTHER_UNIT}))
        persons[2] = person(2, civicNo={"value": "20130101TF01"})
        persons[3] = person(3, securityMarking="Sekretessmarkering")
        persons[40] = person(40, enrolment("2026-08-31", schoolType="FKLASS", schoolYear=0))
        del persons[4]
    if number >= 2:
        persons[2] = person(2)
        persons[5] = person(5, enrolment(end="2026-09-04"), personStatus="Utvandrad")
        persons[0] = person(0)
        persons[6] = person(6, civicNo={"value": "201201019816"})
    if number >= 3:
        persons[4] = person(4)
        persons[41] = person(41, enrolment("2026-09-14"), securityMarking="Skyddad folkbokföring")
    return list(persons.values())


@pytest.fixture
def node_twin(tmp_path: Path, empty_sqlite: Path) -> Iterator[Node]:
    """A second node, of which nothing is asked but what an undisturbed one would hold."""
    directory = tmp_path / "twin"
    directory.mkdir()
    shutil.copy(empty_sqlite, directory / "node.sqlite")
    twin = make(directory, f"sqlite:///{directory / 'node.sqlite'}", Policy())
    yield twin
    twin.database.close()


WEEKS = tuple(BASELINE + place * WEEK for place in range(4))


def test_every_source_leaves_the_pupils_that_an_ss_12000_file_leaves(node: Node, kind: Kind, node_twin: Node) -> None:
    for place, day in enumerate(WEEKS):
        deliver(node, day, kind, week(place))
        node_twin.take(day, week(place))
    assert meaning(node) == meaning(node_twin)


def test_deltas_leave_the_pupils_that_whole_deliveries_leave(node: Node, node_twin: Node) -> None:
    before = oneroster_tables(week(0))
    for place, day in enumerate(WEEKS):
        node_twin.take(day, week(place))
        if place == 0:
            deliver(node, day, ONEROSTER, week(0))
            continue
        after = oneroster_tables(week(place))
        tables = delta_tables(before, after, f"{day}T05:00:00Z")
        path = node.directory / "delta.zip"
        write_oneroster(path, tables, dict.fromkeys(tables, "delta"))
        assert take(node, day, Source.ONEROSTER, path).persons < 10
        assert take(node, day, Source.ONEROSTER, path).repeated
        before = after
    assert meaning(node) == meaning(node_twin)


def test_files_of_changes_leave_the_pupils_that_whole_files_leave(node: Node, node_twin: Node) -> None:
    before: dict[str, Any] = {}
    for place, day in enumerate(WEEKS):
        node_twin.take(day, week(place))
        now = {each["id"]: each for each in week(place)}
        changed = [each for each in now.values() if before.get(each["id"]) != each]
        path = node.directory / "changes.json"
        path.write_bytes(page(changed, deleted=[each for each in before if each not in now]))
        if place == 0:
            with pytest.raises(UppropError, match="Import everyone first"):
                take(node, day, Source.SS12000_CHANGES, path)
            node.take(day, week(place))
        else:
            assert take(node, day, Source.SS12000_CHANGES, path).persons < 10
            assert take(node, day, Source.SS12000_CHANGES, path).repeated
        before = now
    assert meaning(node) == meaning(node_twin)


def test_the_same_delivery_again_changes_nothing(node: Node, kind: Kind) -> None:
    first = deliver(node, BASELINE, kind, week(1))
    before = node.bytes_of_store()
    again = deliver(node, BASELINE, kind, week(1))
    assert again.repeated
    assert (again.persons, again.remarks) == (first.persons, first.remarks)
    assert node.bytes_of_store() == before


def test_an_unchanged_delivery_of_a_later_day_touches_no_pupil(node: Node, kind: Kind) -> None:
    deliver(node, BASELINE, kind, week(1))
    before = node.pupils()
    report = deliver(node, BASELINE + WEEK, kind, list(reversed(week(1))))
    assert (report.changed, report.vanished) == (0, 0)
    assert node.pupils() == before


def test_numbers_are_reported_by_the_row_that_a_spreadsheet_shows(node: Node, kind: Kind) -> None:
    persons = [*roster(3), person(6, civicNo={"value": "201201019816"})]
    remark = deliver(node, BASELINE, kind, persons).remarks[0]
    assert (remark.row, remark.field) == (5, "civicNo")


def _csv(persons: list[Any]) -> bytes:
    return convert.as_csv(plain_rows(persons), ";").encode()


def _zip(path: Path, persons: list[Any]) -> bytes:
    write_bulk(path, persons)
    return path.read_bytes()


def _end_unreadable() -> list[Any]:
    return roster(30, enrolments=[enrolment("18/8 2025")])


def _all_deleted(path: Path) -> None:
    tables = oneroster_tables(roster(30))
    tables = {"users": [{**row, "status": "tobedeleted", "dateLastModified": "x"} for row in tables["users"]]}
    write_oneroster(path, tables, {"users": "delta"})


BROKEN: list[tuple[Kind, Break, Code]] = [
    (CSV, lambda path: path.write_bytes(b""), Code.EXPORT_UNREADABLE),
    (CSV, lambda path: path.write_bytes(_csv(roster(30))[:-45]), Code.EXPORT_UNREADABLE),
    (CSV, lambda path: path.write_bytes(b"PK\x03\x04"), Code.EXPORT_UNREADABLE),
    (
        CSV,
        lambda path: path.write_bytes(_csv(roster(30)).replace(b"slutdatum", b"slut")) and None,
        Code.EXPORT_UNREADABLE,
    ),
    (CSV, lambda path: write_csv(path, [person(place) for place in range(500, 530)]), Code.EXPORT_FOREIGN),
    (CSV, lambda path: write_csv(path, roster(15)), Code.EXPORT_SHRUNK),
    (CSV, lambda path: write_csv(path, []), Code.EXPORT_SHRUNK),
    (CSV, lambda path: write_csv(path, roster(30, enrolments=[])), Code.EXPORT_SHRUNK),
    (CSV, lambda path: write_csv(path, roster(30, enrolments=[enrolment("18/8 2025")])), Code.EXPORT_SHRUNK),
    (ONEROSTER, lambda path: path.write_bytes(b""), Code.EXPORT_UNREADABLE),
    (ONEROSTER, lambda path: path.write_bytes(_zip(path, roster(30))[:-20]), Code.EXPORT_UNREADABLE),
    (ONEROSTER, lambda path: path.write_bytes(_csv(roster(30))), Code.EXPORT_UNREADABLE),
    (ONEROSTER, lambda path: write_oneroster(path, {"users": []}), Code.EXPORT_UNREADABLE),
    (ONEROSTER, lambda path: write_bulk(path, [person(place) for place in range(500, 530)]), Code.EXPORT_FOREIGN),
    (ONEROSTER, lambda path: write_bulk(path, roster(15)), Code.EXPORT_SHRUNK),
    (ONEROSTER, lambda path: write_bulk(path, []), Code.EXPORT_SHRUNK),
    (ONEROSTER, lambda path: write_bulk(path, roster(30, enrolments=[])), Code.EXPORT_SHRUNK),
    (ONEROSTER, lambda path: write_bulk(path, _end_unreadable()), Code.EXPORT_SHRUNK),
    (ONEROSTER, _all_deleted, Code.EXPORT_SHRUNK),
]


@pytest.mark.parametrize(("kind", "write", "code"), BROKEN, ids=lambda value: str(getattr(value, "source", "")) or None)
def test_a_refused_delivery_leaves_everything_as_it_was(
    sqlite_node: Node, kind: Kind, write: Break, code: Code
) -> None:
    node = sqlite_node
    deliver(node, BASELINE, kind, roster(30))
    before = node.bytes_of_store()
    path = node.directory / f"broken{kind.suffix}"
    write(path)
    with pytest.raises(UppropError) as caught:
        take(node, BASELINE + WEEK, kind.source, path)
    assert caught.value.code is code
    assert node.bytes_of_store() == before


def test_a_delta_before_any_whole_delivery_is_refused(sqlite_node: Node) -> None:
    node = sqlite_node
    tables = oneroster_tables(roster(3))
    write_oneroster(node.directory / "delta.zip", tables, dict.fromkeys(tables, "delta"))
    before = node.bytes_of_store()
    with pytest.raises(UppropError) as caught:
        take(node, BASELINE, Source.ONEROSTER, node.directory / "delta.zip")
    assert caught.value.code is Code.INPUT_REFUSED
    assert node.bytes_of_store() == before


def test_a_delta_knows_the_schools_of_deliveries_before(sqlite_node: Node) -> None:
    node = sqlite_node
    tables = oneroster_tables(roster(3))
    tables["orgs"].append({**tables["orgs"][0], "sourcedId": "kommunen", "type": "district"})
    write_oneroster(node.directory / "bulk.zip", tables)
    take(node, BASELINE, Source.ONEROSTER, node.directory / "bulk.zip")
    roles = [{**tables["roles"][0], "sourcedId": f"new{place}", "status": "active"} for place in range(2)]
    roles[0]["orgSourcedId"] = "kommunen"
    write_oneroster(node.directory / "delta.zip", {"roles": roles}, {"roles": "delta"})
    report = take(node, BASELINE + WEEK, Source.ONEROSTER, node.directory / "delta.zip")
    assert [(remark.row, remark.field) for remark in report.remarks] == [(2, "roles.orgSourcedId")]
    assert len(known(node, 0)[person_id(0)][0].rows) == 2


KILLS = [("read", 0), ("read", 7), ("read", 29), *(("write", count) for count in (0, 1, 2, 3, 5, 8, 13, 1_000))]
"""Where an import is killed: before a row, or after a writing statement. The last is never reached."""


@pytest.mark.parametrize("baseline", [True, False], ids=["baseline", "later"])
def test_an_import_killed_at_any_row_or_statement_resumes_to_the_same_state(
    node: Node, node_twin: Node, kind: Kind, baseline: bool
) -> None:
    if not baseline:
        for each in (node, node_twin):
            deliver(each, WEEKS[0], kind, week(0))
    day, persons = (WEEKS[0], week(0)) if baseline else (WEEKS[1], week(1))
    path = kind.written(node.directory, persons)
    before = node.bytes_of_store()
    store = node.database.url.render_as_string(hide_password=False)
    died = 0
    while killed(store, kind.source, path, day, *KILLS[died]):
        died += 1
        assert node.bytes_of_store() == before
    assert died >= 6
    take(node, day, kind.source, path)
    deliver(node_twin, day, kind, persons)
    assert meaning(node) == meaning(node_twin)


def test_a_delta_killed_on_the_way_resumes_to_the_same_state(node: Node, node_twin: Node) -> None:
    for each in (node, node_twin):
        deliver(each, WEEKS[0], ONEROSTER, week(0))
    tables = delta_tables(oneroster_tables(week(0)), oneroster_tables(week(1)), "2026-08-31T05:00:00Z")
    path = node.directory / "delta.zip"
    write_oneroster(path, tables, dict.fromkeys(tables, "delta"))
    before = node.bytes_of_store()
    store = node.database.url.render_as_string(hide_password=False)
    for at, count in (("read", 2), ("write", 0), ("write", 2), ("write", 4)):
        assert killed(store, Source.ONEROSTER, path, WEEKS[1], at, count)
        assert node.bytes_of_store() == before
    for each in (node, node_twin):
        take(each, WEEKS[1], Source.ONEROSTER, path)
    assert meaning(node) == meaning(node_twin)
