"""What readers of the statistics send and get over mutual TLS, from a registry of its own process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import grpc
import pytest
from msgspec.structs import replace

from federation import control, throwaway
from federation.descriptor import split
from federation.descriptor_file import parse_file
from federation.errors import Code, UppropError
from federation.migration import migrate
from federation.observability import Log
from federation.rpc.status import grpc_status
from federation.settings import load
from federation.v1 import control_pb2, statistics_pb2
from federation.v1.statistics_pb2_grpc import StatisticsServiceStub
from federation.web.i18n import Language
from privacy.keys import deal_epoch
from registry.settings import STORE_PACKAGE, open_database
from registry.statistics import jsonstat
from registry.statistics.catalogue import TableId
from registry.statistics.client import StatisticsClient
from registry.statistics.reader import connect
from registry.statistics.reading import Document, Format, Level, Pending, Selection
from registry.statistics.settings import ReaderSettings
from tests.harness.ports import free_ports
from tests.harness.statistics_nation import fill
from tests.integration.registry_parties import Caller, Server
from tests.integration.rpc_parties import resign

TODAY = date(2027, 2, 20)
HEARD = ("0180", "1480")
MEDIA_TYPES = {
    Format.JSON_STAT2: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass
class Statistics:
    """A registry that has released what is due of 2026, and its readers."""

    server: Server

    @contextlib.contextmanager
    def reader(self, name: str) -> Iterator[StatisticsClient]:
        settings = load(self.server.federation.reader(name), ReaderSettings)
        with connect(settings, Log(level="error")) as reader:
            yield reader.client

    def publish(self) -> list[str]:
        with control.connect(self.server.settings.data_dir) as stub:
            return [each.release_id for each in stub.Publish(control_pb2.PublishRequest()).releases]


@contextlib.contextmanager
def running(directory: Path, *, children: int = 900) -> Iterator[Statistics]:
    registry, *evaluators = free_ports(4)
    federation = throwaway.dev(
        directory,
        [throwaway.DevMember(member) for member in HEARD],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(registry, tuple(evaluators)),
        today=TODAY,
    )
    server = Server(federation)
    database = open_database(server.settings)
    migrate(database, STORE_PACKAGE)
    fill(database, 2026, 1, children, closed_on=TODAY, heard_on=TODAY)
    database.close()
    server.start()
    try:
        yield Statistics(server)
    finally:
        server.kill()


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Statistics]:
    with running(tmp_path_factory.mktemp("statistics") / "federation") as released:
        assert released.publish()[-1] == "2026"
        yield released


def data(
    client: StatisticsClient,
    table: str,
    *selections: Selection,
    level: Level = Level.AUTHORITY,
    form: Format = Format.JSON_STAT2,
) -> Document | Pending:
    return client.data(table, selections, level, form, Language.SWEDISH)


def refused(client: StatisticsClient, table: str, *selections: Selection, level: Level = Level.AUTHORITY) -> Code:
    with pytest.raises(UppropError) as refusal:
        data(client, table, *selections, level=level)
    return refusal.value.code


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("name", ["statistics", "oversight", "public"])
def test_every_reader_gets_the_same_bytes_for_the_same_question(
    statistics: Statistics, name: str, form: Format
) -> None:
    with statistics.reader(name) as mine, statistics.reader("statistics") as theirs:
        answered = data(mine, "county-month", level=Level.PUBLIC, form=form)
        assert isinstance(answered, Document)
        assert answered.media_type == MEDIA_TYPES[form]
        assert answered.release_ids == tuple(f"2026-{month:02d}" for month in range(1, 13))
        assert answered == data(theirs, "county-month", level=Level.PUBLIC, form=form)


def test_the_catalogue_says_what_can_be_asked_and_it_can(statistics: Statistics) -> None:
    with statistics.reader("statistics") as client:
        summaries = client.tables(Language.SWEDISH)
        assert [each.table_id for each in summaries] == list(TableId)
        released = [each for each in summaries if each.last_period and each.table_id != "own-selection"]
        assert [(each.table_id, each.first_period, each.last_period) for each in released] == [
            ("nation-month", "2026M01", "2026M12"),
            ("county-month", "2026M01", "2026M12"),
            ("nation-year", "2026", "2026"),
            ("municipality-year", "2026", "2026"),
        ]
        for summary in released:
            info = client.table(summary.table_id, Language.ENGLISH)
            assert (info.unit, info.mechanism) == ("children", "discrete Gaussian")
            assert any("0.25" in note for note in info.notes)
            whole = [Selection(each.name, tuple(code.code for code in each.codes)) for each in info.dimensions]
            assert data(client, summary.table_id, *whole) == data(client, summary.table_id)
            for dimension in info.dimensions:
                for code_list in dimension.code_lists:
                    answered = data(client, summary.table_id, Selection(dimension.name, (), code_list.code_list_id))
                    assert isinstance(answered, Document)
                    axis = jsonstat.parse(answered.content).axis(dimension.name)
                    assert axis is not None
                    assert axis.codes == code_list.codes


def test_who_was_silent_is_shown_as_silent(statistics: Statistics) -> None:
    with statistics.reader("statistics") as client:
        answered = data(client, "municipality-year", Selection("Region", ("00", "01", "0180", "0114", "2403", "24")))
        assert isinstance(answered, Document)
        cells = jsonstat.parse(answered.content).cells()
        assert {key[0] for key, cell in cells.items() if cell.status == ":"} == {"0114", "2403", "24"}
        assert cells["0180", "2026"].value is not None
        *_, newest = client.releases().drawn
        assert (newest.release_id, newest.current_members, len(newest.silent)) == ("2026", 2, 288)


def test_releases_to_come_are_listed_with_their_days(statistics: Statistics) -> None:
    with statistics.reader("public") as client:
        listed = client.releases()
    assert [each.release_id for each in listed.drawn] == [*(f"2026-{month:02d}" for month in range(1, 13)), "2026"]
    assert [(each.period, each.due_on) for each in listed.upcoming] == [
        ("2027-01", date(2027, 3, 17)),
        ("2026", date(2028, 1, 1)),
        ("2027", date(2028, 2, 14)),
    ]
    assert all(each.mechanism == "discrete Gaussian" and each.library == "OpenDP 0.16.0" for each in listed.drawn)


@pytest.mark.parametrize(
    ("table", "selections"),
    [
        ("municipality-month", ()),
        ("municipality-year", (Selection("Tid", ("2026M01",)),)),
        ("municipality-year", (Selection("Kon", ("1",)),)),
        ("county-month", (Selection("Region", ("0180",)),)),
        ("county-month", (Selection("Alder", ("10-12",)),)),
        ("nation-year", (Selection("Region", ("0180",)),)),
        ("closed-county-year", ()),
        ("own-selection", (Selection("Alder", ("10-12",)),)),
    ],
)
def test_what_is_not_in_the_catalogue_is_an_invalid_argument(
    statistics: Statistics, table: str, selections: tuple[Selection, ...]
) -> None:
    with statistics.reader("statistics") as client:
        assert refused(client, table, *selections) is Code.REQUEST_INVALID


def test_the_public_reader_is_refused_what_is_not_public(statistics: Statistics) -> None:
    with statistics.reader("public") as client:
        assert refused(client, "county-month") is Code.METHOD_FORBIDDEN
        assert refused(client, "own-selection", level=Level.PUBLIC) is Code.METHOD_FORBIDDEN
        assert client.asked() == ()
        (year,) = client.budget()
        assert (year.cap_nano_rho, year.role_left_nano_rho, year.caller_left_nano_rho) == (250_000_000, 0, 0)


def test_a_member_reads_no_statistics(statistics: Statistics) -> None:
    caller = Caller(statistics.server, "node-0180")
    caller.clock.set_today(TODAY)
    stub, envelope = StatisticsServiceStub(caller.peer.channel), caller.envelope()
    calls: tuple[Callable[[], object], ...] = (
        lambda: caller.peer.call(stub.ListTables, statistics_pb2.ListTablesRequest(envelope=envelope)),
        lambda: caller.peer.call(stub.GetBudget, statistics_pb2.GetBudgetRequest(envelope=envelope)),
        lambda: caller.peer.call(stub.QueryTable, statistics_pb2.QueryTableRequest(envelope=envelope)),
    )
    try:
        for call in calls:
            with pytest.raises(UppropError) as refusal:
                call()
            assert refusal.value.code is Code.METHOD_FORBIDDEN
    finally:
        caller.peer.close()


def test_a_further_question_is_drawn_once_and_costs_once(statistics: Statistics) -> None:
    selections = (Selection("Region", ("0180", "1480")), Selection("Tid", ("2026M0*",)))
    with statistics.reader("statistics") as client, statistics.reader("oversight") as other:
        pending = data(client, "own-selection", *selections)
        assert isinstance(pending, Pending)
        (asked,) = client.asked()
        assert (asked.query_id, asked.answered, asked.selections[1].codes[0]) == (pending.query_id, False, "2026M01")
        # The clock is manual: what workers do by themselves, the command does.
        statistics.publish()
        answered = data(client, "own-selection", *selections)
        assert isinstance(answered, Document)
        assert answered == data(other, "own-selection", *reversed(selections))
        assert jsonstat.parse(answered.content).disclosure.selection["Region"] == ("0180", "1480")
        (year,) = client.budget()
        assert sum(each.purpose.startswith("2026/query") for each in year.spends) == 1
        assert year.spent_nano_rho == sum(each.nano_rho for each in year.spends)


def test_over_budget_is_resource_exhausted_and_not_in_the_catalogue_an_invalid_argument(statistics: Statistics) -> None:
    with statistics.reader("oversight") as client:
        codes: list[Code] = []
        for month in range(1, 13):
            try:
                data(client, "own-selection", Selection("Region", ("00",)), Selection("Tid", (f"2026M{month:02d}",)))
            except UppropError as refusal:
                codes.append(refusal.code)
        assert set(codes) == {Code.BUDGET_EXHAUSTED}
        (year,) = client.budget()
        assert year.caller_left_nano_rho < 500_000
    assert grpc_status(Code.BUDGET_EXHAUSTED) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert grpc_status(Code.REQUEST_INVALID) is grpc.StatusCode.INVALID_ARGUMENT
    with statistics.reader("statistics") as client:
        asked = data(client, "own-selection", Selection("Region", ("00",)), Selection("Tid", ("2026M12",)))
        assert isinstance(asked, Pending)


def test_what_a_reader_may_is_looked_up_at_every_call(tmp_path: Path) -> None:
    with running(tmp_path / "federation", children=50) as statistics, statistics.reader("statistics") as client:
        statistics.publish()
        assert isinstance(data(client, "county-month"), Document)
        federation = statistics.server.federation
        listed = parse_file(split(federation.descriptor.read_bytes())[0]).readers
        fewer = [replace(each, role="public") if each.name == "statistics" else each for each in listed]
        resign(federation, readers=fewer)
        assert refused(client, "county-month") is Code.METHOD_FORBIDDEN
        assert isinstance(data(client, "county-month", level=Level.PUBLIC), Document)
        resign(federation, readers=[each for each in listed if each.name != "statistics"])
        assert refused(client, "county-month", level=Level.PUBLIC) is Code.IDENTITY_UNLISTED
