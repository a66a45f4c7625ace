"""`upprop registry publish`, typed where no registry runs: it works on the store by itself."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from federation.cli import main
from federation.clock import SystemClock
from federation.settings import load
from registry.settings import RegistrySettings, open_database
from tests.conftest import MakeFederation
from tests.harness.statistics_nation import fill

TODAY = SystemClock("Europe/Stockholm").today()
YEAR = TODAY.year - 3
"""Long enough ago that all of it is due, whenever the test runs."""


@pytest.fixture
def config(make_federation: MakeFederation) -> Path:
    """The settings of a registry at rest whose store holds a year."""
    path = make_federation("0180", "1480").registry
    assert CliRunner().invoke(main, ["registry", "migrate", "--config", str(path)]).exit_code == 0
    with contextlib.closing(open_database(load(path, RegistrySettings))) as database:
        fill(database, YEAR, 1, 30, closed_on=TODAY, heard_on=TODAY)
    return path


def publish(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["registry", "publish", *arguments, "--config", str(config)])


def test_a_month_is_published_and_typed_again_stays_as_it_is(config: Path) -> None:
    said = publish(config, "--month", f"{YEAR}-09")
    assert said.exit_code == 0, said.output
    assert f"{YEAR}-09 is published. Members that had reported: 2; 288 municipalities are silent in it." in said.stdout
    again = publish(config, "--month", f"{YEAR}-09")
    assert again.exit_code == 0
    assert f"{YEAR}-09 was published on {TODAY} and stays as it is." in again.stdout


def test_without_a_name_all_that_is_due_is_published_and_the_next_is_announced(config: Path) -> None:
    done = json.loads(publish(config, "--json").stdout)
    of_year = [each["release_id"] for each in done["releases"] if each["release_id"].startswith(str(YEAR))]
    assert of_year == [*(f"{YEAR}-{month:02d}" for month in range(1, 13)), str(YEAR), f"{YEAR}-closed"]
    assert all(each["drawn_now"] for each in done["releases"])
    assert all(each["due_on"] > TODAY.isoformat() and each["obstacle"] is None for each in done["awaited"])
    said = publish(config)
    assert said.exit_code == 0
    assert "Nothing is due that has not been published." in said.stdout
    assert f"Next: {done['awaited'][0]['release_id']}, on {done['awaited'][0]['due_on']}." in said.stdout


def test_what_is_not_due_is_refused_with_the_day_on_which_it_is(config: Path) -> None:
    refused = publish(config, "--year", str(TODAY.year))
    assert refused.exit_code != 0
    assert (
        f"{TODAY.year} is not due before {TODAY.year + 1}-02-14; today is {TODAY}. Publish it then." in refused.stderr
    )
    assert publish(config, "--closed", str(YEAR - 1)).exit_code != 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--month", "2026"),
        ("--month", "2026-13"),
        ("--year", "2026-09"),
        ("--year", "2026-closed"),
        ("--closed", "2026-09"),
        ("--month", "2026-09", "--year", "2026"),
    ],
)
def test_what_is_mistyped_is_explained(config: Path, arguments: tuple[str, ...]) -> None:
    refused = publish(config, *arguments)
    assert refused.exit_code == 2
    assert "not of the form" in refused.stderr or "Name one release" in refused.stderr
