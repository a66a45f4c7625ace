"""What honest parties do raises no alarm: every rule of the ledger on, nobody attacks, and everybody looks after each
step."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from federation.descriptor_file import PolicyValues
from node.recovery.stated import RecoveryReport
from registry.ledger.checking import compare
from tests.attacks.ledger_parties import BASELINE, MALMO, MONDAY, STOCKHOLM, alarms, roll, seal, verify
from tests.integration import drill_parties
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import enrolment, number, person

LAST_DAY = "2026-09-04"


def test_nobody_raises_an_alarm_where_nobody_attacks(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, policy=PolicyValues().policy()) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0, 30), MALMO: roll(100, 130)})
        look(parties)

        _day(parties, 0, left=[0, 1], came=[200])
        node = parties.nodes[STOCKHOLM]
        drill_parties.drill(node)
        look(parties)
        # A typing error is corrected: one handle is retracted and another begun.
        _day(parties, 1, left=[0, 1, 2], came=[(200, 201)])
        parties.registry.stop()
        parties.registry.start()
        look(parties)

        # The store is lost, and all is taken up again from what the registry knows.
        node.close()
        for path in node.settings.data_dir.glob("node.sqlite*"):
            path.unlink()
        node.open()
        look(parties)
        node.take(_persons(left=[0, 1, 2], came=[(200, 201)]))
        *_, report = node.app.pipeline.recover()
        assert isinstance(report, RecoveryReport)
        assert report.complete
        look(parties)

        # The federation gives its ledger up and takes it again.
        parties.publish(2, ledger_key=None)
        _day(parties, 2, left=[0, 1, 2, 3], came=[(200, 201)])
        parties.publish(3)
        look(parties)

        for evaluator in parties.evaluators.values():
            evaluator.stop()
        _day(parties, 3, left=[0, 1, 2, 3, 4], came=[(200, 201)])
        for evaluator in parties.evaluators.values():
            evaluator.start()
        _day(parties, 4, left=[0, 1, 2, 3, 4], came=[(200, 201)])
        assert [len(alarms(each)) for each in parties.nodes.values()] == [0, 0]


def _day(federation: Federation, days: int, *, left: list[int], came: list[Any]) -> None:
    today: date = MONDAY + timedelta(days=days)
    federation.day(today, {STOCKHOLM: _persons(left=left, came=came), MALMO: [*roll(100, 130), _came(1)]})
    look(federation)


def _persons(*, left: list[int], came: list[Any]) -> list[dict[str, Any]]:
    stay = [each for place, each in enumerate(roll(0, 30)) if place not in left]
    return [*stay, *(person(place, enrolment(end=LAST_DAY)) for place in left), *map(_came, came)]


def _came(place: int | tuple[int, int]) -> dict[str, Any]:
    """Somebody who began in September; with the number of another place where two are given."""
    place, numbered = place if isinstance(place, tuple) else (place, place)
    return person(place, enrolment("2026-09-07"), civicNo={"value": number(numbered), "nationality": "SE"})


def look(federation: Federation) -> None:
    """Everybody looks at everything."""
    seal(federation)
    kept = federation.registry_app.ledger.checkpoints.kept()  # type: ignore[union-attr]
    assert kept is not None
    found = compare(federation.registry_app.database, [kept], lambda _step, _done, _total: None)
    assert [flaw.sentence for flaw in found.flaws] == []
    for node in federation.nodes.values():
        verify(node)
        assert _raised(node) == []


def _raised(node: Node) -> list[str]:
    return [alarm.kind.value for alarm in node.app.pipeline._alarms.all()]
