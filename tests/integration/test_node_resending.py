"""A node says again what the registry acknowledged and has no more: as it was, once, and not of everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from node.cli import node as commands
from node.ledger.findings import Kind
from registry.store.schema import gaps, metadata, pseudonyms, signals
from registry.store.schema_limits import openings
from tests.attacks.ledger_parties import BASELINE, MONDAY, STOCKHOLM, TUESDAY, alarms, roll, superuser, verify
from tests.integration.node_parties import Federation, running
from tests.unit.node.exports import enrolment, person


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    """Two pupils have left on Monday."""
    with running(tmp_path / "federation", [STOCKHOLM], BASELINE) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0, 12)})
        parties.day(MONDAY, {STOCKHOLM: left()})
        yield parties


def left(**protected: Any) -> list[dict[str, Any]]:
    gone = [person(place, enrolment(end="2026-09-04"), **protected) for place in (0, 1)]
    return [*gone, *roll(2, 12)]


def lose(federation: Federation) -> int:
    """Every word about a handle is gone from the registry, behind its back; returns how many there were."""
    with superuser(federation) as connection:
        for table in (metadata.tables["dirty"], metadata.tables["portions"], gaps, openings, pseudonyms):
            connection.execute(sa.delete(table))
        return connection.execute(sa.delete(signals)).rowcount


def stood(federation: Federation) -> list[Any]:
    def look(tx: Any) -> list[Any]:
        columns = (signals.c.handle, signals.c.version, signals.c.content_digest, signals.c.statement)
        return sorted(map(tuple, tx.execute(sa.select(*columns))))

    return federation.registry_app.database.view("test_stood", look)


def test_what_a_verification_misses_is_sent_again_as_it_was(federation: Federation) -> None:
    [node] = federation.nodes.values()
    before = stood(federation)
    assert verify(node).problems == ()
    assert lose(federation) == len(before) == 2
    verify(node)
    assert {kind for kind, _, _ in alarms(node)} == {Kind.MISSING}
    report = node.sync()
    assert report.submitted == 2
    assert any("sent again" in problem for problem in report.problems)
    assert stood(federation) == before
    node.app.pipeline._alarms.acknowledge("Eva Ek")
    assert node.sync().submitted == 0
    assert verify(node).problems == ()
    assert alarms(node) == set()


def test_the_command_finds_what_is_missing_and_the_next_sync_sends_it(federation: Federation) -> None:
    [node] = federation.nodes.values()
    before = stood(federation)
    lose(federation)
    node.close()
    # A node at rest goes by the date of its settings.
    settings = federation.dev.node(STOCKHOLM)
    settings.write_text(settings.read_text().replace(BASELINE.isoformat(), MONDAY.isoformat()))
    config = str(settings)
    done = CliRunner().invoke(commands, ["ledger", "resend", "--config", config, "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.stdout) == {"again": 2, "withheld": 0}
    again = CliRunner().invoke(commands, ["ledger", "resend", "--config", config, "--lang", "en"])
    assert "0 signals are missing" in again.output
    node.open()
    assert node.sync().submitted == 2
    assert stood(federation) == before


def test_a_registry_that_has_all_of_it_is_sent_nothing(federation: Federation) -> None:
    [node] = federation.nodes.values()
    found = node.app.pipeline.resend()
    assert (found.again, found.withheld) == (0, 0)
    assert node.sync().submitted == 0


def test_of_a_pupil_whose_identity_is_protected_since_nothing_is_said_again(federation: Federation) -> None:
    [node] = federation.nodes.values()
    federation.day(TUESDAY, {STOCKHOLM: left(securityMarking="Sekretessmarkering")})
    before = node.gaps()
    lose(federation)
    found = node.app.pipeline.resend()
    assert (found.again, found.withheld) == (0, 2)
    assert node.sync().submitted == 0
    assert stood(federation) == []
    assert node.gaps() == before
