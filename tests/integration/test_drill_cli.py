"""`upprop node drill` as an operator types it, against real evaluators and a real registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from federation.cli import main
from tests.integration.drill_parties import BASELINE, MALMO, STOCKHOLM, joined
from tests.integration.node_parties import Federation, running


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    """The node of Stockholm is left to the commands: nobody holds its store."""
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        joined(parties).nodes.pop(STOCKHOLM).close()
        yield parties


def drill(federation: Federation, *arguments: str) -> Result:
    config = str(federation.dev.node(STOCKHOLM))
    return CliRunner().invoke(main, ["node", "drill", "--config", config, *arguments])


def shown(result: Result) -> list[str]:
    """The marks of the seven steps."""
    return [line[0] for line in result.stdout.splitlines() if line[2:3].isdigit()]


def test_a_drill_goes_through_in_three_commands_with_two_closes_between(federation: Federation) -> None:
    begun = drill(federation, "--lang", "en")
    assert begun.exit_code == 0, begun.stderr
    assert shown(begun) == list("✓✓✓✓…  ")
    assert "Evaluators 1,2 answered" in begun.stdout
    assert "closed 2026-08-25, after 18:00" in begun.stdout
    federation.close_day()
    opened = drill(federation)
    assert opened.exit_code == 0, opened.stderr
    assert shown(opened) == list("✓✓✓✓✓✓…")
    assert "Registret öppnade ett ärende vid dagsavslutet 2026-08-24" in opened.stdout
    federation.close_day()
    passed = drill(federation, "--json")
    assert passed.exit_code == 0, passed.stderr
    report: dict[str, Any] = json.loads(passed.stdout)
    assert (report["drill_id"], report["state"], report["problems"]) == (1, "PASSED", [])
    assert [step["state"] for step in report["steps"]] == ["DONE"] * 7
    assert report["steps"][6]["detail"] == "2026-08-24"
    last = drill(federation, "--show")
    assert "Hela kedjan fungerar." in last.stdout
    assert json.loads(drill(federation, "--json").stdout)["drill_id"] == 2


def test_what_cannot_come_further_now_ends_with_6_and_says_why(federation: Federation) -> None:
    for index in (1, 2):
        federation.evaluators[index].stop()
    stuck = drill(federation, "--lang", "en")
    assert stuck.exit_code == 6
    assert shown(stuck) == list("✓… ✓   ")
    assert "Too few evaluators have answered" in stuck.stdout
    assert "2 evaluators are needed" in stuck.stderr
    assert drill(federation, "--show").exit_code == 0


def test_waiting_goes_on_until_the_drill_has_ended(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    closes: list[float] = []

    def instead_of_sleeping(seconds: float) -> None:
        closes.append(seconds)
        federation.close_day()

    monkeypatch.setattr("node.drill.cli.time.sleep", instead_of_sleeping)
    waited = drill(federation, "--wait", "--every", "7", "--lang", "en")
    assert waited.exit_code == 0, waited.stderr
    assert closes == [7.0, 7.0]
    assert shown(waited)[-7:] == ["✓"] * 7
    assert waited.stdout.endswith("The whole chain works.\n")


def test_a_drill_that_has_failed_says_what_to_do_and_ends_with_6(federation: Federation) -> None:
    config = federation.dev.node(STOCKHOLM)
    federation.registry.stop()
    assert drill(federation).exit_code == 6
    config.write_text(config.read_text().replace("2026-08-24", "2026-08-28"))
    for arguments, advice in (([], "brandväggen"), (["--show", "--lang", "en"], "firewall")):
        failed = drill(federation, *arguments)
        assert failed.exit_code == 6
        assert shown(failed)[2] == "✗"
        assert advice in failed.stdout


def test_nothing_of_the_test_pupil_is_printed(federation: Federation) -> None:
    for arguments in ([], ["--json"], ["--show"]):
        printed = drill(federation, *arguments)
        assert not [word for word in printed.output.replace('"', " ").split() if word.isdigit() and len(word) > 4]
