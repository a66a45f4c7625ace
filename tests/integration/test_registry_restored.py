"""A registry that was lost and made of an older copy, with its nodes: nothing is lost, nothing raised twice."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from federation.checkpoint import verify as verify_note
from federation.database import Database
from federation.errors import Code, UppropError
from node.ledger.findings import Kind
from node.ledger.watching import LedgerReport
from privacy.evaluator.app import App
from privacy.evaluator.cli import evaluator as evaluator_commands
from privacy.evaluator.store import usage
from registry.cli import registry as commands
from registry.ledger.checkpoints import NEWEST_NAME, RESTORED_NAME
from registry.ledger.cli import ledger as ledger_commands
from registry.store import restores
from registry.store.schema import gaps, notices, signals
from tests.harness.postgres import PostgresServer
from tests.integration.node_parties import Federation, running
from tests.unit.node.exports import enrolment, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE = date(2026, 8, 24)
BEFORE, BETWEEN, AFTER, LATER = date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 21), date(2026, 10, 5)
LAST_DAY = "2026-09-04"


def roll(first: int, *others: dict[str, Any], count: int = 12) -> list[dict[str, Any]]:
    ids = {each["id"] for each in others}
    return [each for each in map(person, range(first, first + count)) if each["id"] not in ids] + list(others)


def left(place: int, last_day: str = LAST_DAY) -> dict[str, Any]:
    return person(place, enrolment(end=last_day))


def came(place: int, start: str) -> dict[str, Any]:
    return person(place, enrolment(start))


# 0 is nowhere; 1 went to Malmö, which says so after the copy; 2 left after the copy and is nowhere; 3 left and was
# taken back after it; 104 left Malmö after it and came to Stockholm.
FIRST = {STOCKHOLM: roll(0, left(0), left(1), left(3)), MALMO: roll(100)}
THEN = {
    STOCKHOLM: roll(0, left(0), left(1), left(2, "2026-09-11"), came(104, "2026-09-14")),
    MALMO: roll(100, came(1, "2026-09-07"), left(104, "2026-09-11")),
}


def played(federation: Federation) -> None:
    federation.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
    federation.day(BEFORE, FIRST)


def since(federation: Federation) -> None:
    """What comes after the copy, closes of two days with it."""
    for day in (BETWEEN, AFTER):
        federation.day(day, THEN)


def command(federation: Federation, *arguments: str, expect: int | None = 0) -> Result:
    done = CliRunner().invoke(commands, [*arguments, "--config", str(federation.dev.registry)])
    if expect is not None:
        assert done.exit_code == expect, (done.output, done.exception)
    return done


def told(federation: Federation) -> dict[str, list[Any]]:
    """What the nodes hold of their gaps, but for the days on which a close said it."""
    return {
        member: [(case.person_id, case.effective_date, case.opened_on, case.state) for case in node.gaps()]
        for member, node in federation.nodes.items()
    }


def stood(federation: Federation) -> dict[str, list[Any]]:
    """What the registry holds of its members' words, and of the gaps, by how many there are of each: names differ."""

    def look(tx: Any) -> dict[str, list[Any]]:
        said = [(row.member, row.version, row.retracted, row.statement) for row in tx.execute(select(signals))]
        states = [(row.number, row.since, row.state) for row in tx.execute(select(gaps))]
        return {"signals": sorted(said), "gaps": sorted(states)}

    return federation.registry_app.database.view("test_stood", look)


@pytest.fixture(params=["sqlite", "postgresql"])
def federation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Federation]:
    if request.param == "sqlite":
        with running(tmp_path / "lost", [STOCKHOLM, MALMO], BASELINE) as parties:
            yield parties
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with (
        server.fresh_database() as url,
        running(tmp_path / "lost", [STOCKHOLM, MALMO], BASELINE, registry_store=url) as parties,
    ):
        yield parties


def test_a_registry_restored_from_an_older_copy_ends_where_an_undisturbed_one_does(
    federation: Federation, tmp_path: Path
) -> None:
    played(federation)
    copy = tmp_path / "copy"
    made = json.loads(command(federation, "backup", str(copy), "--json").stdout)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    since(federation)
    leaves = federation.registry_app.ledger.checkpoints.size()  # type: ignore[union-attr]
    assert made["leaves"] < leaves
    before = told(federation)
    federation.registry.stop()
    data = federation.dev.registry.parent / "data"

    # An older copy is not put in place by mistake, and nothing is changed by the attempt.
    refusal = command(federation, "restore", str(copy), "--replace", expect=None)
    assert isinstance(refusal.exception, UppropError)
    assert refusal.exception.code is Code.LEDGER_BROKEN
    occupied = command(federation, "restore", str(copy), "--set-back", expect=None)
    assert isinstance(occupied.exception, UppropError)
    assert occupied.exception.code is Code.INPUT_REFUSED
    assert not (data / RESTORED_NAME).exists()

    done = command(federation, "restore", str(copy), "--replace", "--set-back")
    assert f"Leaves {made['leaves']} to {leaves - 1} are lost" in done.output
    assert "upprop evaluator witness reset ledger.restored" in done.output
    assert not (data / NEWEST_NAME).exists()
    assert list(data.glob(f"{NEWEST_NAME}.before-*"))
    federation.registry.start()
    assert command(federation, "status").output.count("restored from a copy") == 1
    note = (data / RESTORED_NAME).read_bytes()
    key = federation.registry_app.ledger.checkpoints.public_key  # type: ignore[union-attr]
    assert verify_note(note, key).size == made["leaves"]

    # The first sync finds that the ledger was set back; the next sends what is missing, before any close.
    for node in federation.nodes.values():
        # That it has kept notices which this registry never gave is believed.
        assert not any("No notice" in problem for problem in node.sync().problems)
        assert Kind.SHRUNK in {alarm.kind for alarm in node.app.pipeline._alarms.standing()}
        assert node.sync().submitted > 0
        assert node.sync().submitted == 0
        node.app.pipeline._alarms.acknowledge("Eva Ek")
    federation.close_day()
    for node in federation.nodes.values():
        node.sync(notices_only=True)
    assert told(federation) == before

    with running(tmp_path / "twin", [STOCKHOLM, MALMO], BASELINE) as twin:
        played(twin)
        since(twin)
        for parties in (federation, twin):
            parties.day(LATER, {**THEN, MALMO: roll(100, came(1, "2026-09-07"), came(0, "2026-09-28"))})
        # 0 has turned up, so that a notice after the restore is read as well.
        assert told(federation) == told(twin)
        assert stood(federation) == stood(twin)
    for node in federation.nodes.values():
        assert node.sync().problems == ()
    checked = CliRunner().invoke(ledger_commands, ["verify", "--config", str(federation.dev.registry)])
    assert checked.exit_code == 0, checked.output


def test_the_newest_copy_is_restored_without_a_word_to_anybody(federation: Federation, tmp_path: Path) -> None:
    played(federation)
    federation.registry.stop()
    copy = tmp_path / "copy"
    command(federation, "backup", str(copy))
    done = command(federation, "restore", str(copy), "--replace")
    assert "Nothing that was signed here is lost." in done.output
    federation.registry.start()
    for node in federation.nodes.values():
        assert node.sync().problems == ()


def test_a_copy_goes_to_a_new_machine_only_when_that_is_said(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM], BASELINE) as federation:
        federation.day(BASELINE, {STOCKHOLM: roll(0)})
        copy = tmp_path / "copy"
        command(federation, "backup", str(copy))
        federation.registry.stop()
        data = federation.dev.registry.parent / "data"
        shutil.rmtree(data)
        data.mkdir(0o700)
        refusal = command(federation, "restore", str(copy), expect=None)
        assert isinstance(refusal.exception, UppropError)
        assert "Nobody can tell" in refusal.exception.sentence
        done = command(federation, "restore", str(copy), "--set-back", "--hold-hours", "5", "--json")
        report = json.loads(done.stdout)
        assert (report["lost"], report["signed_leaves"], report["drawn_known"]) == (True, None, False)
        database = Database(data / "registry.sqlite")
        kept = database.view("test", restores.newest)
        database.close()
        assert kept is not None
        assert (kept.held_until - kept.restored_at).total_seconds() == 5 * 3_600
        federation.registry.start()
        assert federation.nodes[STOCKHOLM].sync().problems == ()
        # By itself it closes nothing yet; a person may.
        daily_close = federation.registry_app.daily_close
        before = daily_close.state()
        for worker in federation.registry_app.workers:
            if worker.name in ("daily_close", "retention", "statistics", "statistics_questions"):
                worker.run()
        assert daily_close.state() == before
        federation.set_today(BEFORE)
        federation.close_day()
        assert daily_close.state() != before


def test_notices_after_a_restore_are_numbered_beyond_all_that_were_given(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as federation:
        played(federation)
        federation.registry.stop()
        copy = tmp_path / "copy"
        command(federation, "backup", str(copy))
        command(federation, "restore", str(copy), "--replace")
        federation.registry.start()
        since(federation)

        def numbers(tx: Any) -> list[int]:
            return list(tx.execute(select(notices.c.number).order_by(notices.c.position)).scalars())

        given = federation.registry_app.database.view("test_numbers", numbers)
        assert given
        assert min(given) > restores.NUMBERS_APART


def test_a_running_registry_is_not_restored(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM], BASELINE) as federation:
        copy = tmp_path / "copy"
        command(federation, "backup", str(copy))
        refusal = command(federation, "restore", str(copy), "--replace", expect=None)
        assert isinstance(refusal.exception, UppropError)
        assert refusal.exception.code is Code.STORE_LOCKED


def witnessed(app: App) -> int:
    newest = app.witness.newest()
    assert newest is not None
    return newest.size


def evaluator_command(federation: Federation, index: int, *arguments: str) -> Result:
    return CliRunner().invoke(evaluator_commands, [*arguments, "--config", str(federation.dev.evaluator(index))])


def test_witnesses_go_on_from_a_restored_ledger_once_their_administrators_say_so(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as federation:
        played(federation)
        federation.registry_app.ledger.after_close(BEFORE)
        copy = tmp_path / "copy"
        command(federation, "backup", str(copy))
        since(federation)
        federation.registry_app.ledger.after_close(AFTER)
        federation.registry.stop()
        command(federation, "restore", str(copy), "--replace", "--set-back")
        federation.registry.start()
        node = federation.nodes[STOCKHOLM]
        for _ in range(3):
            for each in federation.nodes.values():
                each.sync()
        federation.day(LATER, THEN)
        federation.registry_app.ledger.after_close(LATER)
        [before] = {witnessed(app) for app in federation.apps.values()}
        note = federation.dev.registry.parent / "data" / RESTORED_NAME
        for index, server in federation.evaluators.items():
            assert evaluator_command(federation, index, "witness", "reset", str(note), "--yes").exception is not None
            server.stop()
            unsure = CliRunner().invoke(
                evaluator_commands,
                ["witness", "reset", str(note), "--config", str(federation.dev.evaluator(index))],
                input="n\n",
            )
            assert f"Co-signed: {before} leaves" in unsure.output
            assert unsure.exit_code == 1
            done = evaluator_command(federation, index, "witness", "reset", str(note), "--yes")
            assert done.exit_code == 0, (done.output, done.exception)
            server.start()
            # Nobody is made to forget twice what was forgotten.
            assert federation.apps[index].witness.refused() >= 1
        for each in federation.nodes.values():
            each.app.pipeline._alarms.acknowledge("Eva Ek")
        federation.registry.stop()
        federation.registry.start()
        federation.registry_app.ledger.after_close(LATER)
        size = federation.registry_app.ledger.checkpoints.size()  # type: ignore[union-attr]
        assert {witnessed(app) for app in federation.apps.values()} == {size}
        # The leaves that are gone are told of, once and for all; the ledger and its witnesses agree.
        for _ in range(2):
            *_, report = node.app.pipeline.verify_ledger()
            assert isinstance(report, LedgerReport)
            assert report.problems == ()
        kinds = {alarm.kind for alarm in node.app.pipeline._alarms.standing()}
        assert kinds <= {Kind.LEAF_GONE}


def test_an_evaluator_is_restored_from_a_copy(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM], BASELINE) as federation:
        federation.day(BASELINE, {STOCKHOLM: roll(0)})
        federation.day(BEFORE, {STOCKHOLM: roll(0, left(0))})
        copy = tmp_path / "copy"
        before = federation.apps[1].database.view("test", lambda tx: usage.used_by_all(tx, BEFORE))
        assert before
        assert evaluator_command(federation, 1, "backup", str(copy)).exit_code == 0
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert evaluator_command(federation, 1, "restore", str(copy), "--replace").exception is not None
        federation.evaluators[1].stop()
        assert evaluator_command(federation, 1, "restore", str(copy)).exception is not None
        done = evaluator_command(federation, 1, "restore", str(copy), "--replace")
        assert done.exit_code == 0, (done.output, done.exception)
        federation.evaluators[1].start()
        assert federation.apps[1].database.view("test", lambda tx: usage.used_by_all(tx, BEFORE)) == before
