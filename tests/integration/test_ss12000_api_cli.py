"""Fetching as a municipality's IT staff meet it: by command, by settings, every day; and killed amid it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from federation.cli import main
from federation.control import connect
from federation.v1 import control_pb2
from tests.conftest import MakeFederation
from tests.harness.school_system import SchoolSystem
from tests.unit.node.exports import enrolment, person

PERSONS = [person(place) for place in range(25)]


@pytest.fixture
def config(make_federation: MakeFederation) -> Path:
    """The settings of a migrated node."""
    path = make_federation("0180").node("0180")
    assert _node("migrate", "--config", str(path))[0] == 0
    return path


@pytest.fixture
def school(tmp_path: Path) -> Iterator[SchoolSystem]:
    with SchoolSystem(tmp_path, tls=True) as running:
        running.serve(PERSONS)
        yield running


def _node(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["node", *arguments], env={"COLUMNS": "100"})
    return result.exit_code, result.stdout, result.stderr


def _named(config: Path, school: SchoolSystem, *lines: str, name: str = "main") -> None:
    table = [
        f"[school_systems.{name}]",
        f'url = "{school.url}"',
        f'token_file = "{school.token_file}"',
        f'ca_file = "{school.ca_file}"',
        *lines,
    ]
    config.write_text("\n".join([config.read_text(encoding="utf-8"), *table, ""]), encoding="utf-8")


def _options(school: SchoolSystem) -> list[str]:
    return ["--ss12000", school.url, "--token-file", str(school.token_file), "--ca-file", str(school.ca_file)]


def test_an_address_and_a_token_are_enough(config: Path, school: SchoolSystem) -> None:
    code, out, err = _node("import", *_options(school), "--config", str(config))
    assert (code, err) == (0, "")
    assert "25" in out
    school.serve([person(0, enrolment(end="2026-08-28")), *PERSONS[1:]])
    code, out, err = _node("import", *_options(school), "--json", "--config", str(config))
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert (report["baseline"], report["changed"]) == (False, 1)


def test_a_school_system_of_the_settings_needs_its_name_alone(config: Path, school: SchoolSystem) -> None:
    _named(config, school, "limit = 7", name="fria-skolor")
    code, _, err = _node("import", "--config", str(config))
    assert code == 3
    assert "[school_systems.main]" in err
    code, out, err = _node("import", "--system", "fria-skolor", "--json", "--config", str(config))
    assert (code, err) == (0, "")
    assert json.loads(out)["persons"] == 25
    assert school.requests[-4]["query"]["limit"] == ["7"]


@pytest.mark.parametrize(
    "line",
    [
        'tokn_file = "x"',
        "limit = 0",
        'at = "25:00"',
        'scope = "x"',
        'token_url = "https://skola.example.se/token"',
        'proxy = "socks://x"',
    ],
)
def test_settings_that_are_not_understood_are_refused(config: Path, school: SchoolSystem, line: str) -> None:
    _named(config, school, line)
    code, _, err = _node("import", "--config", str(config))
    assert code == 3
    assert "not understood" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ss12000", "https://skola.example.se"],
        ["--token-file", "x"],
        ["--ca-file", "x"],
        ["export.json", "--full", "--as-of", "2026-08-24"],
        ["--as-of", "2026-08-24"],
    ],
    ids=" ".join,
)
def test_what_does_not_go_together_is_wrong_usage(arguments: list[str]) -> None:
    assert _node("import", *arguments)[0] == 2


@pytest.mark.parametrize(
    "url",
    ["http://skola.example.se", "https://user@skola.example.se", "https://skola.example.se?x=1", "skola", "https://"],
)
def test_an_address_to_which_no_token_may_be_sent_is_refused(config: Path, school: SchoolSystem, url: str) -> None:
    code, _, err = _node("import", "--ss12000", url, "--token-file", str(school.token_file), "--config", str(config))
    assert code == 3
    assert "url" in err


def test_a_running_node_fetches_every_day_by_itself(config: Path, school: SchoolSystem) -> None:
    _named(config, school, 'at = "00:00"')
    # Under a manual clock nothing is done by itself.
    config.write_text(config.read_text(encoding="utf-8").replace('"manual"', '"system"'), encoding="utf-8")
    with (config.parent / "log.jsonl").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "federation.cli", "node", "serve", "--config", str(config)], stderr=log, stdout=log
        )
    data_dir = config.parent / "data"
    give_up = time.monotonic() + 60
    try:
        while not (data_dir / "ports.json").exists():
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.05)
        with connect(data_dir) as stub:
            line = ""
            while not line.startswith("fetched"):
                assert time.monotonic() < give_up
                time.sleep(0.1)
                status = stub.Status(control_pb2.StatusRequest())
                line = {each.name: each.value for each in status.lines}["school system main"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    logged = (config.parent / "log.jsonl").read_text(encoding="utf-8")
    assert "school_system_fetched" in logged
    assert "127.0.0.1:" + str(school.port) not in logged


@pytest.mark.parametrize("page", range(1, 6))
def test_a_node_killed_at_any_page_goes_on_there(config: Path, school: SchoolSystem, page: int, tmp_path: Path) -> None:
    _named(config, school, "limit = 5")
    pid_file = tmp_path / "pid"
    school.misbehave("kill", at=page, pid_file=str(pid_file))
    command = f'echo $$ > {pid_file}; exec {sys.executable} -m federation.cli node import --config "{config}"'
    killed = subprocess.run(["sh", "-c", command], capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    code, out, err = _node("import", "--json", "--config", str(config))
    assert (code, err) == (0, "")
    assert json.loads(out)["persons"] == 25
    asked = [request["query"] for request in school.requests if request["on"] == "persons"]
    # The page at which it was killed, and no other, was asked for twice.
    assert len(asked) == 6
    assert asked[page - 1] == asked[page]
