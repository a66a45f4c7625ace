"""What the operator of a running registry is shown and does: status, members, retention; no count of children."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from federation.cli import main
from tests.integration.node_parties import Federation, running
from tests.unit.node.exports import enrolment, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE, SHOWN, DUE = date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 18)


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    """One pupil has gone from Stockholm to Malmö."""
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        stay = [person(place) for place in range(100)]
        there = [person(place) for place in range(100, 200)]
        parties.day(BASELINE, {STOCKHOLM: stay, MALMO: there})
        for day in (SHOWN, DUE):
            left = [person(0, enrolment(end="2026-09-04")), *stay[1:]]
            parties.day(day, {STOCKHOLM: left, MALMO: [*there, person(0, enrolment("2026-09-07"))]})
        yield parties


def registry(federation: Federation, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["registry", *arguments, "--config", str(federation.dev.registry)])
    assert result.exit_code == 0, result.output
    return result


def test_members_are_shown_by_when_they_were_last_heard_of(federation: Federation) -> None:
    federation.set_today(DUE + timedelta(days=14))
    federation.nodes[STOCKHOLM].take([person(place) for place in range(100)])
    federation.nodes[STOCKHOLM].sync()
    found = json.loads(registry(federation, "members", "--json").stdout)
    assert (found["covered_percent"], found["silence_school_days"]) == (50, 5)
    assert [(line["member"], line["state"], line["last_contact"], line["roster"]) for line in found["members"]] == [
        (STOCKHOLM, "CURRENT", "2026-10-02", 100),
        (MALMO, "SILENT", "2026-09-18", 100),
    ]
    shown = registry(federation, "members").stdout
    assert "silent" in shown
    assert "50 %" in shown
    status = json.loads(registry(federation, "status", "--json").stdout)
    assert (status["newest close"], status["members current"], status["members silent"]) == (
        "2026-09-18",
        "1 of 2",
        "1",
    )


def test_retention_says_what_is_due_and_takes_it_away(federation: Federation) -> None:
    assert not any(json.loads(registry(federation, "retention", "--dry-run", "--json").stdout)["due"].values())
    federation.day(DUE + timedelta(days=60), {})
    for _ in range(2):
        looked = json.loads(registry(federation, "retention", "--dry-run", "--json").stdout)
        assert (looked["closed_on"], looked["due"]["handles"], looked["dry_run"]) == ("2026-11-17", True, True)
    shown = registry(federation, "retention").stdout
    assert "handles say, with their pseudonyms: taken away" in shown
    assert not any(json.loads(registry(federation, "retention", "--json").stdout)["due"].values())
    # What was taken away, the ledger lists; nothing else is missing in it.
    federation.day(DUE + timedelta(days=63), {})
    assert "sound" in registry_verify(federation)


def registry_verify(federation: Federation) -> str:
    result = CliRunner().invoke(main, ["ledger", "verify", "--config", str(federation.dev.registry)])
    return result.output if result.exit_code else f"sound: {result.output}"
