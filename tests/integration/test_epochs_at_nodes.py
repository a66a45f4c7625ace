"""A new epoch at a node whose pupils are not all like the others, and whose evaluators do not all have it yet."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from federation import descriptor
from federation.v1 import control_pb2
from node.sync import SyncReport
from registry.store.schema import pseudonyms, signals
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import enrolment, number, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE, NEXT, THEN = date(2026, 8, 31), date(2026, 9, 7), date(2026, 9, 8)


def roll(start: int, size: int = 10) -> list[dict[str, Any]]:
    return [person(place) for place in range(start, start + size)]


def carried(federation: Federation) -> list[set[int]]:
    """The epochs that each handle at the registry carries, in the order of size."""
    with federation.registry_app.database.read("test") as tx:
        rows = tx.execute(
            sa.select(signals.c.ref, pseudonyms.c.epoch)
            .select_from(signals.outerjoin(pseudonyms, pseudonyms.c.ref == signals.c.ref))
            .where(~signals.c.retracted)
        ).all()
    found: dict[bytes, set[int]] = {ref: set() for ref, _ in rows}
    for ref, epoch in rows:
        found[ref].add(epoch)
    return sorted(found.values(), key=len)


def statements(federation: Federation) -> list[str]:
    with federation.registry_app.database.read("test") as tx:
        return list(tx.scalars(sa.select(signals.c.statement).order_by(signals.c.ref)))


def status(node: Node) -> dict[str, str]:
    found = node.app.handlers["Status"](control_pb2.StatusRequest())
    return {line.name: line.value for line in found.lines}


def arrivals(node: str, *places: int) -> list[dict[str, Any]]:
    base = roll(0 if node == STOCKHOLM else 100)
    return [*base, *(person(place, enrolment("2026-09-07")) for place in places)]


def test_what_was_said_of_a_pupil_now_protected_is_met_under_the_new_epoch_and_nothing_is_added(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1,)) as federation:
        node = federation.nodes[STOCKHOLM]
        federation.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        federation.day(NEXT, {STOCKHOLM: arrivals(STOCKHOLM, 50, 51), MALMO: roll(100)})
        said = statements(federation)
        # From now on one is protected, and leaves: nothing of that is said.
        marked = person(50, enrolment("2026-09-07", "2026-09-07"), securityMarking="Sekretessmarkering")
        federation.set_today(THEN)
        node.take([*arrivals(STOCKHOLM, 51), marked])
        federation.set_epochs(2, 1, 2)
        assert node.sync() == SyncReport(submitted=2)
        assert node.sync() == SyncReport()
        # No handle stands out at the registry: one without the epoch would tell that its pupil is protected.
        assert carried(federation) == [{1, 2}, {1, 2}]
        assert statements(federation) == said
        federation.set_epochs(3, 2)
        assert node.sync() == SyncReport()


def test_a_number_that_replaced_another_is_sent_under_no_epoch(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1,)) as federation:
        node = federation.nodes[STOCKHOLM]
        federation.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        federation.day(NEXT, {STOCKHOLM: arrivals(STOCKHOLM, 50), MALMO: roll(100)})
        renumbered = person(50, enrolment("2026-09-07"), civicNo={"value": number(777), "nationality": "SE"})
        federation.set_today(THEN)
        node.take([*roll(0), renumbered])
        federation.set_epochs(2, 1, 2)
        node.sync()
        assert carried(federation) == [{1, 2}]
        with federation.registry_app.database.read("test") as tx:
            assert tx.execute(sa.select(sa.func.count()).select_from(pseudonyms)).scalar_one() == 2


def test_news_does_not_wait_for_evaluators_that_lack_the_new_share(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1,)) as federation:
        node = federation.nodes[STOCKHOLM]
        federation.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        federation.day(NEXT, {STOCKHOLM: arrivals(STOCKHOLM, 50), MALMO: roll(100)})
        shares = {}
        for index in (1, 2, 3):
            # The evaluators start without the new epoch's shares, which come into their share_dir while they run.
            federation.evaluators[index].stop()
            home = federation.dev.evaluator(index).parent
            shares[index] = home / "shares" / "epoch-2.share"
            shares[index].parent.mkdir(mode=0o700)
            settings = federation.dev.evaluator(index)
            content = msgspec.toml.decode(settings.read_bytes())
            settings.write_bytes(msgspec.toml.encode(content | {"share_files": ["epoch-1.share"]}))
            federation.evaluators[index].start()
        federation.set_epochs(2, 1, 2)
        federation.set_today(THEN)
        node.take(arrivals(STOCKHOLM, 50, 51))
        report = node.sync()
        assert (report.submitted, report.waiting) == (1, 0)
        assert "needed for a pseudonym of epoch 2" in " ".join(report.problems)
        assert carried(federation) == [{1}, {1}]
        assert "2 pupils still to get the pseudonym of 2" in status(node)["pseudonym epochs"]
        # Nothing is said again and again meanwhile.
        assert node.sync().submitted == 0
        for path in list(shares.values())[:2]:
            path.write_bytes((path.parent.parent / "epoch-2.share").read_bytes())
            path.chmod(0o600)
        assert node.sync() == SyncReport(submitted=2)
        assert carried(federation) == [{1, 2}, {1, 2}]
        federation.close_day()
        assert node.sync().problems == ()
        assert status(node)["pseudonym epochs"].startswith("1 and 2 (changed last on 2026-09-08); 0 pupils")


def test_a_change_beyond_a_days_quota_goes_on_the_next_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 60 a year, 20 a day: in both epochs together.
    monkeypatch.setattr(descriptor, "MIN_YEAR_QUOTA", 60)
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1,)) as federation:
        members = descriptor.parse_file(federation.every_epoch).members
        small = [descriptor.Member(**{**_fields(each), "population": 0}) for each in members]
        [first, _] = descriptor.parse_file(federation.every_epoch).epochs
        federation.publish(2, members=small, epochs=[first])
        node = federation.nodes[STOCKHOLM]
        federation.day(BASELINE, {STOCKHOLM: roll(0, 60), MALMO: roll(100)})
        for day, places in ((NEXT, range(60, 74)), (THEN, range(60, 88))):
            shown = [person(place, enrolment(NEXT.isoformat())) for place in places]
            federation.day(day, {STOCKHOLM: [*roll(0, 60), *shown], MALMO: roll(100)})
        assert carried(federation) == [{1}] * 28
        federation.publish(3, members=small)
        today, came_over = date(2026, 9, 9), []
        for day in (today, date(2026, 9, 10), date(2026, 9, 11)):
            federation.set_today(day)
            node.sync()
            came_over.append(sum(epochs == {1, 2} for epochs in carried(federation)))
        assert came_over == [20, 28, 28]


def _fields(member: descriptor.Member) -> dict[str, Any]:
    return {name: getattr(member, name) for name in member.__struct_fields__}
