"""`upprop query` before a registry that has released two years of a synthetic nation."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from federation import cli, control
from federation.errors import EXIT_IDENTITY, EXIT_INPUT, EXIT_PEER, EXIT_USAGE
from registry.statistics import jsonstat
from registry.statistics.catalogue import TableId
from registry.statistics.publishing import client
from tests.harness.statistics_site import StatisticsSite, statistics_site

PROJECT = Path(__file__).resolve().parents[2]
QUESTION = ("--table", "own-selection", "--select", "Region=0180,1480")

Query = Callable[..., Result]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StatisticsSite]:
    with statistics_site(tmp_path_factory.mktemp("site") / "federation", dashboards=False) as running:
        yield running


@pytest.fixture
def query(site: StatisticsSite) -> Query:
    def run(*arguments: object, reader: str = "statistics", exit_code: int = 0, typed: str | None = None) -> Result:
        command = ["query", "--config", str(site.reader(reader)), *map(str, arguments)]
        # Not as wide as whoever runs the tests happens to be.
        result = CliRunner().invoke(cli.main, command, input=typed, env={"COLUMNS": None})
        assert result.exit_code == exit_code, result.output
        return result

    return run


def _values(result: Result) -> dict[tuple[str, ...], int | None]:
    cells = jsonstat.parse(result.stdout_bytes).cells()
    return {key: cell.value for key, cell in cells.items()}


def test_without_a_question_it_teaches(query: Query) -> None:
    shown = query().stdout
    assert "upprop query --table county-month" in shown
    assert "costs of the year's privacy budget" in " ".join(shown.split())


def test_tables_are_listed_and_described(query: Query) -> None:
    listed = query("tables").stdout
    assert all(table in listed for table in TableId)
    named = json.loads(query("tables", "--json", "--language", "en").stdout)
    assert {each["table_id"] for each in named} == set(TableId)
    described = query("tables", "municipality-year", "--language", "en").stdout
    assert "Cost: rho 0.1 of a year's privacy budget" in described
    assert "Region (" in described
    assert "--json has all" in described
    plain = json.loads(query("tables", "municipality-year", "--json").stdout)
    region = next(each for each in plain["dimensions"] if each["name"] == "Region")
    assert "0180" in [each["code"] for each in region["codes"]]


def test_a_table_shows_what_the_registry_said_with_its_intervals(query: Query) -> None:
    asked = ("--table", "county-month", "--select", "Region=01,12", "--select", "Tid=2026*")
    cells = jsonstat.parse(query(*asked, "--format", "json-stat").stdout_bytes).cells()
    shown = query(*asked).stdout
    [stockholm] = [line for line in shown.splitlines() if line.startswith("01 ")]
    for (region, _), cell in cells.items():
        if region == "01":
            assert f"{cell.value} ({cell.low}–{cell.high})" in stockholm
    assert len(stockholm.split()[-1]) == 12
    assert set(stockholm.split()[-1]) <= set("▁▂▃▄▅▆▇█")


def test_time_alone_is_shown_downwards(query: Query) -> None:
    shown = query("--table", "nation-month", "--select", "Tid=2026*").stdout
    assert sum("2026" in line and "(" in line for line in shown.splitlines()) == 12
    [course] = [line for line in shown.splitlines() if "▁" in line or "█" in line]
    assert course.split()[-3] == "2026M01"


def test_silence_is_shown_as_silence(query: Query) -> None:
    shown = query("--table", "municipality-year", "--select", "Region=0980,0180", "--language", "en").stdout
    [silent] = [line for line in shown.splitlines() if line.startswith("0980")]
    assert silent.split()[-3:-1] == [":", ":"]
    assert any(line.startswith(": ") for line in shown.splitlines())


def test_an_interval_that_includes_nothing_is_marked(query: Query) -> None:
    shown = query("--table", "municipality-year", "--select", "Tid=2026", "--language", "en").stdout
    marked = [line for line in shown.splitlines() if line.endswith(")*")]
    assert marked
    assert all("(0–" in line for line in marked)
    assert "the interval includes 0" in shown


def test_the_same_question_has_the_same_bytes(query: Query) -> None:
    asked = ("--table", "municipality-year", "--format", "csv")
    assert query(*asked).stdout_bytes == query(*asked).stdout_bytes


def test_every_format_is_written_to_a_file(query: Query, tmp_path: Path) -> None:
    for form in ("table", "csv", "json-stat", "xlsx"):
        path = tmp_path / form
        result = query("--table", "county-month", "--format", form, "--out", path)
        assert (result.stdout, result.stderr) == ("", f"Wrote {path}.\n")
    assert zipfile.is_zipfile(tmp_path / "xlsx")
    assert jsonstat.parse((tmp_path / "json-stat").read_bytes()).size[0] == 22
    assert b"2026M12" in (tmp_path / "csv").read_bytes()
    assert "Över tid" in (tmp_path / "table").read_text(encoding="utf-8")
    query("--table", "county-month", "--out", tmp_path / "nowhere" / "file", exit_code=EXIT_INPUT)


def test_the_public_sees_nothing_under_ten(query: Query) -> None:
    asked = ("--table", "county-month", "--format", "json-stat")
    public = _values(query(*asked, "--public"))
    assert _values(query(*asked, reader="public")) == public
    assert _values(query(*asked)) != public
    assert all(value is None or value >= 10 for value in public.values())
    shown = query("--table", "county-month", "--public").stdout
    assert ".." in shown
    assert "·" in shown


def test_a_code_list_is_asked_for_by_its_name(query: Query) -> None:
    plain = json.loads(query("tables", "municipality-year", "--json").stdout)
    region = next(each for each in plain["dimensions"] if each["name"] == "Region")
    listed = next(each for each in region["code_lists"] if len(each["codes"]) == 21)
    values = _values(
        query(
            *("--table", "municipality-year", "--format", "json-stat"),
            *("--select", f"Region=@{listed['code_list_id']}", "--select", "Tid=2026"),
        )
    )
    assert {region for region, _ in values} == set(listed["codes"])


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("--table", "municipality-month"), EXIT_INPUT),
        (("--table", "county-month", "--select", "Region=9999"), EXIT_INPUT),
        (("--table", "county-month", "--select", "Alder=13-"), EXIT_INPUT),
        (("--table", "county-month", "--select", "Region"), EXIT_USAGE),
        (("--table", "county-month", "--format", "px"), EXIT_USAGE),
        (("--table", "county-month", "tables"), EXIT_USAGE),
    ],
)
def test_what_is_not_in_the_catalogue_is_refused(query: Query, arguments: tuple[str, ...], exit_code: int) -> None:
    query(*arguments, exit_code=exit_code)


def test_releases_and_budget_are_told(query: Query) -> None:
    told = query("releases").stdout
    assert "2026M09" in told or "2026-09" in told
    assert "3 municipalities silent" in told
    assert "OpenDP" in told
    assert "Next:" in told
    found = json.loads(query("releases", "--json").stdout)
    assert len(found["drawn"]) == 27
    spent = {year["year"]: year for year in json.loads(query("budget", "--json").stdout)}
    assert spent[2025]["cap_nano_rho"] == 250_000_000
    assert spent[2025]["spent_nano_rho"] <= spent[2025]["cap_nano_rho"]
    assert "2025: rho 0.24 of 0.25 spent" in query("budget").stdout


def test_a_narrow_terminal_leaves_out_whole_periods_and_says_so(site: StatisticsSite) -> None:
    done = _process(site, "--table", "county-month", "--language", "en", COLUMNS="100")
    lines = done.stdout.decode().splitlines()
    rows = [line for line in lines if line[:3] in ("00 ", "01 ", "25 ")]
    assert len(rows) == 3
    assert max(map(len, rows)) <= 100
    assert any("of 24 periods fit" in line for line in lines)


def test_a_terminal_without_unicode_gets_plain_letters(site: StatisticsSite) -> None:
    done = _process(site, "--table", "county-month", PYTHONIOENCODING="ascii")
    shown = done.stdout.decode("ascii")
    [stockholm] = [line for line in shown.splitlines() if line.startswith("01 ")]
    assert "-" in stockholm
    assert set(stockholm.split()[-1]) <= set("_.,-=+*#")


def test_a_further_question_is_not_asked_against_ones_will(query: Query) -> None:
    for typed in ("n\n", "", None):
        refused = query(*QUESTION, "--select", "Tid=2026M03", typed=typed, exit_code=EXIT_INPUT)
        assert "It costs rho 0.0005 of the year's privacy budget" in refused.stderr
        assert "Of 2026 your role has rho 0.006 left" in refused.stderr
        assert "nothing was spent" in refused.stderr
    assert json.loads(query("asked", "--json").stdout) == []


def test_a_further_question_is_paid_for_drawn_and_never_paid_for_again(site: StatisticsSite, query: Query) -> None:
    question = (*QUESTION, "--select", "Tid=2026M01,2026M02", "--format", "json-stat")
    before = json.loads(query("budget", "--json").stdout)[-1]
    with _waiting(site, *question, "--yes") as asking:
        # Under a manual clock nothing is drawn by itself.
        give_up = time.monotonic() + 60
        while not json.loads(query("asked", "--json").stdout):
            assert asking.poll() is None, asking.communicate()
            assert time.monotonic() < give_up
        with control.connect(site.registry.data_dir) as stub:
            client.publish(stub, "")
        output, errors = asking.communicate(timeout=60)
        assert asking.returncode == 0, errors
    first = jsonstat.parse(output)
    [(_, cell)] = first.rows()
    assert cell.value is not None
    after = json.loads(query("budget", "--json").stdout)[-1]
    assert after["spent_nano_rho"] - before["spent_nano_rho"] == 500_000
    # Asked again it is not asked about, costs nothing and says the same.
    again = query(*question)
    assert (again.stdout_bytes, again.stderr) == (output, "")
    assert json.loads(query("budget", "--json").stdout)[-1] == after
    [asked] = json.loads(query("asked", "--json").stdout)
    assert (asked["answered"], asked["nano_rho"]) == (True, 500_000)
    assert "answered" in query("asked").stdout


def test_the_public_asks_no_further_question(query: Query) -> None:
    asked = (*QUESTION, "--select", "Tid=2026M04", "--yes")
    refused = query(*asked, reader="public", exit_code=EXIT_IDENTITY)
    assert refused.stdout == ""


def test_a_node_is_no_reader(site: StatisticsSite) -> None:
    config = site.federation.node("0180")
    text = config.read_text(encoding="utf-8").replace('record_key = "record.key"\n', "")
    other = config.with_name("as-reader.toml")
    other.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(cli.main, ["query", "--config", str(other), "tables"])
    assert result.exit_code == EXIT_IDENTITY, result.output


def test_a_registry_that_does_not_answer_is_said_so(site: StatisticsSite, query: Query) -> None:
    site.supervisor.kill(site.registry)
    try:
        assert "cannot be reached" in query("tables", exit_code=EXIT_PEER).stderr
    finally:
        site.supervisor.restart(site.registry)


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT), **more}


def _command(site: StatisticsSite, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "federation.cli", "query", "--config", str(site.reader("statistics")), *arguments]


def _process(site: StatisticsSite, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(_command(site, *arguments), env=_environment(**environment), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


@contextlib.contextmanager
def _waiting(site: StatisticsSite, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = _command(site, *arguments)
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()
