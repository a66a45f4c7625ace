"""`upprop registry unblock` against a running registry, over its control socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from federation.cli import main
from federation.descriptor_file import PolicyValues
from federation.rules.vocabulary import GapState, Policy
from tests.integration.node_parties import Federation, running
from tests.unit.node.exports import enrolment, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE, SHOWN, DUE = date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 18)
GONE = (1, 2, 3)


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    """One opening a month is allowed; three pupils of Stockholm go to Malmö."""
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        parties.publish(2, policy=PolicyValues.of(Policy(monthly_openings=1)))
        stay = [person(place) for place in range(20)]
        parties.day(BASELINE, {STOCKHOLM: stay, MALMO: [person(place) for place in range(100, 120)]})
        left = [person(place, enrolment(end="2026-09-04")) if place in GONE else person(place) for place in range(20)]
        came = [person(place, enrolment("2026-09-07")) for place in GONE]
        came += [person(place) for place in range(100, 120)]
        for day in (SHOWN, DUE):
            parties.day(day, {STOCKHOLM: left, MALMO: came})
        yield parties


def unblock(federation: Federation, *arguments: str, typed: str = "") -> Result:
    command = ["registry", "unblock", *arguments, "--config", str(federation.dev.registry)]
    return CliRunner().invoke(main, command, input=typed)


def states(federation: Federation) -> list[GapState]:
    return [GapState(gap.state) for gap in federation.nodes[STOCKHOLM].gaps()]


def test_a_person_who_says_why_lets_what_waits_be_answered(federation: Federation) -> None:
    # One of the three was answered in time; the two beyond the month opened as if nobody had the pupils.
    assert states(federation) == [GapState.OPEN, GapState.OPEN]
    waits = [{"member": STOCKHOLM, "month": "2026-09", "openings": "a few"}]
    assert json.loads(unblock(federation, "--json").stdout) == {"waiting": waits, "released": False}
    assert "Nothing waits of 1280." in unblock(federation, MALMO).stdout
    assert unblock(federation, STOCKHOLM, "--json", "--by", "Ada Berg").exit_code != 0

    said = unblock(federation, STOCKHOLM, typed="Ada Berg\nThe school at the border was closed\n")
    assert said.exit_code == 0, said.output
    assert "0180: a few of those received in 2026-09 wait." in said.stdout
    assert "They are answered by the next close." in said.stdout
    assert json.loads(unblock(federation, "--json").stdout) == {"waiting": [], "released": False}
    federation.day(date(2026, 9, 21), {})
    assert states(federation) == [GapState.ANSWERED, GapState.ANSWERED]


def test_without_a_reason_nothing_is_let(federation: Federation) -> None:
    assert unblock(federation, STOCKHOLM).exit_code != 0
    refused = unblock(federation, STOCKHOLM, "--by", " ", "--reason", "why not")
    assert refused.exit_code != 0
    federation.day(date(2026, 9, 21), {})
    assert states(federation) == [GapState.OPEN, GapState.OPEN]
