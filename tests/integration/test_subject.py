"""What a person may ask of a node, in a whole federation: a copy of what is kept, and that it goes."""

from __future__ import annotations

import enum
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from federation.control import socket_path
from federation.errors import EXIT_INTERRUPTED, EXIT_PEER, Code, UppropError
from federation.observability import Log
from federation.rules.calendar import DAY
from federation.rules.vocabulary import GapState
from node.cli import node as commands
from node.doctor.backlog import erasures
from node.doctor.texts import DoctorText
from node.recovery.copies import Copies, restore
from node.settings import NodeSettings, open_database, open_sealer
from node.store.case_keys import DIRECTORY, CaseKeys
from node.store.pupils import Pupils
from node.store.schema import metadata
from node.store.subjects import Kind, State
from node.subject import waiting
from node.subject.erasing import Erasing
from node.subject.exporting import Exporting
from node.subject.tombstones import Tombstones
from privacy.identifiers import Sound, parse
from registry.store import schema as registry_schema
from tests.integration.node_parties import Federation, Node, NodeStores, keys_of, running
from tests.integration.test_backup import unseen
from tests.integration.test_recover_node import (
    AUTUMN,
    BASELINE,
    DAYS,
    LATER,
    MALMO,
    STOCKHOLM,
    THERE,
    changed,
    left,
    roll,
)
from tests.unit.node.exports import enrolment, number, person

MOVED, MISSING = number(1), number(0)
"""1 moved from Stockholm to Malmö, 0 is nowhere."""


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        yield after_weeks(parties)


@pytest.fixture
def either(tmp_path: Path, node_stores: NodeStores) -> Iterator[Federation]:
    """On each kind of store."""
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, stores=node_stores) as parties:
        yield after_weeks(parties)


def after_weeks(parties: Federation) -> Federation:
    parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
    for day in DAYS:
        parties.day(day, {STOCKHOLM: AUTUMN, MALMO: THERE})
    return parties


def gone(federation: Federation, on: date = LATER) -> Node:
    """The pupil who moved stands in no roster of Stockholm's any more."""
    rest = [each for each in AUTUMN if each["id"] != left(1)["id"]]
    federation.day(on, {STOCKHOLM: rest, MALMO: THERE})
    return federation.nodes[STOCKHOLM]


def erasing(node: Node) -> Erasing:
    sealer = open_sealer(node.settings)
    tombstones = Tombstones(node.settings.data_dir, sealer)
    keys = CaseKeys(node.settings.data_dir / DIRECTORY, sealer)
    return Erasing(node.app.database, sealer, tombstones, node.clock, Log(node.log), lambda size: b"n" * size, keys)


def export(node: Node, text: str, *, protected: bool = False) -> dict[str, Any]:
    sealer = open_sealer(node.settings)
    keys = CaseKeys(node.settings.data_dir / DIRECTORY, sealer)
    exporting = Exporting(node.app.database, sealer, node.app.member, node.clock, Log(node.log), keys)
    made = exporting.export(text, "Karin Ek", protected=protected)
    document: dict[str, Any] = json.loads(json.dumps(made))
    return document


def names(node: Node, text: str) -> list[bytes]:
    """What the store could know the pupil by: id, handles, index of the number, sealed pseudonyms."""
    pupils, sound = Pupils(open_sealer(node.settings)), parse(text, node.clock.today())
    assert isinstance(sound, Sound)
    index = pupils.number_index(sound)

    def read(tx: Any) -> list[bytes]:
        pupil = pupils.load(tx, pupils.by_numbers(tx, [index])[index])
        table = metadata.tables["pseudonyms"]
        made = tx.scalars(sa.select(table.c.sealed_value).where(table.c.number_index == index)).all()
        return [pupil.pupil_id, pupil.handle, index, *made]

    return node.app.database.view("test_names", read)


def holding(node: Node, sought: list[bytes]) -> list[str]:
    """The tables in which any of these values stands, in whatever column."""

    def read(tx: Any) -> list[str]:
        return [
            table.name
            for table in metadata.sorted_tables
            for row in tx.execute(table.select())
            if any(isinstance(value, bytes) and name in value for value in row for name in sought)
        ]

    return node.app.database.view("test_holding", read)


def test_a_copy_holds_what_the_node_keeps_and_no_random_name(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    document = export(node, MOVED)
    assert document["identity"]["numbers"] == [MOVED]
    assert document["school_systems"]
    assert document["observations"][0]["as_of"] == BASELINE.isoformat()
    assert [version["state"] for version in document["sent_to_registry"]] == ["ACKNOWLEDGED"]
    assert document["gaps"][0]["state"] == "ANSWERED"
    assert [notice["kind"] for notice in document["notices_of_registry"]] == ["ANSWERED"]
    assert document["pseudonyms"] == [{"epoch": 1, "evaluators": document["pseudonyms"][0]["evaluators"]}]
    assert {"pupils", "versions", "gaps"} <= {each["table"] for each in document["kept"]}
    told = json.dumps(document)
    for name in names(node, MOVED):
        assert name.hex() not in told
        assert str(list(name)) not in told
    assert document["gaps"][0].keys().isdisjoint({"handle", "case_id"})
    # That it was made is kept and logged, and not of whom.
    [request] = erasing(node).requests()
    assert (request.kind, request.state, request.by) == (Kind.EXPORT, State.DONE, "Karin Ek")
    assert "subject_exported" in node.log.getvalue()
    assert MOVED not in node.log.getvalue()


def test_what_is_erased_is_taken_back_first_and_then_nothing_of_it_is_left(either: Federation) -> None:
    node = gone(either)
    known = names(node, MOVED)
    work = erasing(node)
    plan = work.plan(MOVED, protected=False)
    assert plan.takes_back
    assert plan.rows["pupils"] == 1
    work.begin(MOVED, "Karin Ek", "Begärt av vårdnadshavare", protected=False)
    # Nothing goes before the registry has taken it, however often one looks, and over a restart.
    work.carry_on()
    node.restart()
    assert holding(node, known)
    assert [each.state for each in erasing(node).requests()] == [State.PENDING]
    # Asked for twice it is one.
    again = erasing(node).begin(MOVED, "Karin Ek", "Begärt av vårdnadshavare", protected=False)
    assert again.begun
    assert node.sync().problems == ()
    assert holding(node, known) == []
    if node.app.database.is_sqlite:
        for path in node.settings.data_dir.glob("node.sqlite*"):
            assert not [name for name in known if name in path.read_bytes()]
    [request] = erasing(node).requests()
    assert (request.state, request.reason) == (State.DONE, "Begärt av vårdnadshavare")
    # The close looks once more at whom the handle met. Then the registry keeps nothing to meet it by.
    either.close_day()
    with either.registry_app.database.read("test") as tx:
        row = tx.execute(sa.select(registry_schema.signals).where(registry_schema.signals.c.handle == known[1])).one()
        assert row.retracted
        assert MOVED not in row.statement
        bearing = sa.select(registry_schema.pseudonyms).where(registry_schema.pseudonyms.c.ref == row.ref)
        assert tx.execute(bearing).all() == []
    # And it stays so: what that close tells brings nothing back.
    node.sync()
    assert holding(node, known) == []
    with pytest.raises(UppropError, match="Nothing is kept here"):
        export(node, MOVED)


def test_a_pupil_of_a_roster_is_erased_there_first(federation: Federation) -> None:
    with pytest.raises(UppropError, match="newest roster of: main") as refused:
        erasing(federation.nodes[STOCKHOLM]).begin(MOVED, "Karin Ek", "begärt", protected=False)
    assert refused.value.code is Code.INPUT_REFUSED
    assert MOVED not in str(refused.value)


def test_a_pupil_who_is_looked_for_is_not_erased(federation: Federation) -> None:
    rest = [each for each in AUTUMN if each["id"] != left(0)["id"]]
    federation.day(LATER, {STOCKHOLM: rest, MALMO: THERE})
    node = federation.nodes[STOCKHOLM]
    assert [gap.state for gap in node.gaps()] == [GapState.OPEN]
    [case_file] = export(node, MISSING)["case_files"]
    assert [entry["kind"] for entry in case_file["journal"]] == ["OPENED"]
    with pytest.raises(UppropError, match="17\\(3\\)\\(b\\)"):
        erasing(node).begin(MISSING, "Karin Ek", "begärt", protected=False)


def test_a_reason_that_holds_a_number_is_not_kept(federation: Federation) -> None:
    node = gone(federation)
    with pytest.raises(UppropError, match="leave numbers out"):
        erasing(node).begin(MOVED, "Karin Ek", f"begärt av {MOVED}", protected=False)
    assert erasing(node).requests() == ()


def test_a_pupil_who_comes_back_meanwhile_is_not_erased_and_is_stated_anew(federation: Federation) -> None:
    node = gone(federation)
    erasing(node).begin(MOVED, "Karin Ek", "begärt", protected=False)
    node.take(changed(AUTUMN, left(1)))
    node.sync()
    assert [each.state for each in erasing(node).requests()] == [State.GIVEN_UP]
    node.sync()
    versions = export(node, MOVED)["sent_to_registry"]
    assert [version["retracted"] for version in versions] == [False, True, False]


def test_an_arrival_that_is_taken_back_lets_the_case_of_another_open_again(federation: Federation) -> None:
    """It fails towards an open case: whoever erases is told so before."""
    there, here = federation.nodes[MALMO], federation.nodes[STOCKHOLM]
    rest = [each for each in THERE if each["id"] != left(1)["id"]]
    died = person(1, enrolment("2026-09-07", end="2026-09-25"), personStatus="Avliden")
    federation.day(LATER, {STOCKHOLM: AUTUMN, MALMO: [*rest, died]})
    federation.day(LATER + DAY, {STOCKHOLM: AUTUMN, MALMO: rest})
    work = erasing(there)
    assert work.plan(MOVED, protected=False).relied_on
    work.begin(MOVED, "Karin Ek", "begärt", protected=False)
    federation.day(LATER + 2 * DAY, {})
    assert [each.state for each in work.requests()] == [State.DONE]
    [state] = [gap.state for gap in here.gaps() if gap.number == MOVED]
    assert state == GapState.OPEN


def test_an_older_copy_does_not_bring_back_who_was_erased(either: Federation, tmp_path: Path) -> None:
    node = gone(either)
    known, copy = names(node, MOVED), tmp_path / "copy"
    Copies(node.app.database, keys_of(node.settings)).make(copy, unseen)
    erasing(node).begin(MOVED, "Karin Ek", "begärt", protected=False)
    node.sync()
    node.close()
    restore(node.settings, copy, replace=True, report=unseen)
    node.open()
    assert holding(node, known) == []
    # The registry knows of the handle that it is taken back: nothing that this store lacks.
    assert node.sync().problems == ()


def test_the_commands_ask_before_they_erase_and_say_what_goes(federation: Federation) -> None:
    node = gone(federation)
    node.close()
    config = str(federation.dev.node(STOCKHOLM))
    shown = CliRunner().invoke(
        commands, ["subject", "export", "-", "--by", "Karin Ek", "--config", config], input=MOVED
    )
    assert shown.exit_code == 0, shown.output
    for told in ("Registerutdrag", "Förnamn: Förnamn1", "Uppgifter till registret", "Pseudonymer", MOVED):
        assert told in shown.output
    asked = ["subject", "erase", "-", "--by", "Karin Ek", "--reason", "begärt", "--config", config]
    kept = CliRunner().invoke(commands, asked, input=f"{MOVED}\nn\n")
    assert kept.exit_code == 1
    assert "kan ett ärende hos en annan huvudman öppnas igen" in kept.output
    begun = CliRunner().invoke(commands, [*asked, "--yes", "--lang", "en"], input=MOVED)
    assert begun.exit_code == 0, begun.output
    assert "Begun." in begun.output
    node.open()
    node.sync()
    node.close()
    log = CliRunner().invoke(commands, ["subject", "log", "--json", "--config", config])
    assert [(each["kind"], each["state"]) for each in json.loads(log.output)] == [
        ("EXPORT", "DONE"),
        ("ERASURE", "DONE"),
    ]
    again = CliRunner().invoke(commands, [*asked, "--yes"], input=MOVED)
    assert again.exit_code != 0
    assert "Nothing is kept here" in str(again.exception)
    node.open()


def erase(federation: Federation, *more: str, who: str = MOVED) -> Result:
    """`upprop node subject erase` in English, confirmed; by the running daemon where there is one."""
    config = str(federation.dev.node(STOCKHOLM))
    asked = ["subject", "erase", "-", "--by", "Karin Ek", "--reason", "begärt", "--yes", "--lang", "en"]
    return CliRunner().invoke(commands, [*asked, *more, "--config", config], input=who)


def shown(federation: Federation, *command: str) -> str:
    done = CliRunner().invoke(commands, [*command, "--config", str(federation.dev.node(STOCKHOLM))])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def closed(federation: Federation) -> Iterator[Federation]:
    """The pupil who moved may be erased, and commands may have the store."""
    node = gone(federation)
    node.close()
    told_the_day(federation, LATER)
    yield federation
    node.open()


def told_the_day(federation: Federation, today: date) -> None:
    """Commands and daemons read it from the settings; it does not move with the parties of this process."""
    config = federation.dev.node(STOCKHOLM)
    settings = config.read_text(encoding="utf-8")
    assert BASELINE.isoformat() in settings
    config.write_text(settings.replace(BASELINE.isoformat(), today.isoformat()), encoding="utf-8")


def test_waiting_goes_on_until_the_registry_has_taken_it_back(
    closed: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def come_back(_seconds: float) -> None:
        if closed.registry.daemon is None:
            closed.registry.start()
        # The channel does not dial again at once.
        time.sleep(0.5)

    closed.registry.stop()
    monkeypatch.setattr(waiting, "pause", come_back)
    monkeypatch.setattr(waiting, "FAILURES", 60)
    done = erase(closed, "--wait")
    assert done.exit_code == 0, done.output
    assert done.output.count("! registry a cannot be reached") == 1
    assert "Waits for the registry" in done.output
    assert "Erased. What stays" in done.output
    assert "Begun." not in done.output


def test_waiting_ends_with_a_sentence_where_the_registry_cannot_be_reached(
    closed: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed.registry.stop()
    monkeypatch.setattr(waiting, "pause", lambda _seconds: None)
    done = erase(closed, "--wait")
    assert done.exit_code == EXIT_PEER
    assert "The registry could not be reached" in done.output
    assert "upprop node doctor" in done.output

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting, "pause", interrupt)
    interrupted = erase(closed, "--wait")
    assert interrupted.exit_code == EXIT_INTERRUPTED
    assert "goes on with the next sync" in interrupted.output
    # What waits is said wherever somebody looks.
    assert "erasures pending: 1, the oldest asked on 2026-09-28" in shown(closed, "status")
    assert looked_into(closed, LATER) == [DoctorText.ERASURES_WAIT]
    assert looked_into(closed, LATER + 2 * DAY) == [DoctorText.ERASURES_WAIT_LONG]
    closed.registry.start()


def looked_into(federation: Federation, today: date) -> list[enum.Enum]:
    """What the doctor finds about erasures."""
    settings = federation.nodes[STOCKHOLM].settings
    with closing(open_database(settings)) as database:
        found = database.view("test", lambda tx: list(erasures(tx, open_sealer(settings), today)))
    return [finding.says for finding in found]


def test_an_erasure_that_the_registry_does_not_take_says_so_and_is_sent_anew_when_asked_for_again(
    closed: Federation,
) -> None:
    settings = closed.nodes[STOCKHOLM].settings
    with closing(open_database(settings)) as database:
        theirs = database.view("test", lambda tx: handle_of(tx, settings, MOVED))
    # The registry has something else under the version of the retraction: a conflict.
    signals = registry_schema.signals
    bump = sa.update(signals).where(signals.c.handle == theirs).values(version=signals.c.version + 1)
    closed.registry_app.database.run("test", lambda tx: tx.execute(bump).rowcount)
    refused = erase(closed, "--wait")
    assert refused.exit_code == EXIT_PEER, refused.output
    assert "did not take the retraction (CONFLICT)" in refused.output
    assert "CONFLICT" in shown(closed, "subject", "log", "--lang", "en")
    [line] = json.loads(shown(closed, "subject", "log", "--json"))
    assert (line["state"], line["not_taken"]) == ("PENDING", "CONFLICT")
    assert "1 not taken by the registry: upprop node subject log" in shown(closed, "status")
    assert looked_into(closed, LATER) == [DoctorText.ERASURES_NOT_TAKEN]
    again = erase(closed, "--wait")
    assert again.exit_code == 0, again.output
    assert "erasures pending: 0" in shown(closed, "status")
    assert looked_into(closed, LATER) == []


def handle_of(tx: Any, settings: NodeSettings, text: str) -> bytes:
    pupils, sound = Pupils(open_sealer(settings)), parse(text, LATER)
    assert isinstance(sound, Sound)
    index = pupils.number_index(sound)
    return pupils.load(tx, pupils.by_numbers(tx, [index])[index]).handle


def test_a_running_node_answers_a_request(closed: Federation) -> None:
    config = str(closed.dev.node(STOCKHOLM))
    data_dir = closed.nodes[STOCKHOLM].settings.data_dir
    command = [sys.executable, "-m", "federation.cli", "node", "serve", "--config", config]
    with (data_dir.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        give_up = time.monotonic() + 60
        while not (data_dir / "ports.json").exists() or not socket_path(data_dir).exists():
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.05)
        # The store is the daemon's alone: what follows goes through its socket.
        asked = ["subject", "export", "-", "--by", "Karin Ek", "--json", "--config", config]
        copy = CliRunner().invoke(commands, asked, input=MOVED)
        assert json.loads(copy.stdout)["identity"]["numbers"] == [MOVED]
        done = erase(closed, "--wait")
        assert done.exit_code == 0, done.output
        assert "Erased. What stays" in done.output
        log_lines = json.loads(shown(closed, "subject", "log", "--json"))
        assert [(each["kind"], each["state"]) for each in log_lines] == [("EXPORT", "DONE"), ("ERASURE", "DONE")]
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert MOVED not in (data_dir.parent / "log").read_text()


def test_a_protected_pupil_is_answered_for_by_the_protected_identity_role_alone(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    marked = person(1, enrolment(end="2026-09-04"), securityMarking="Sekretessmarkering")
    federation.day(LATER, {STOCKHOLM: changed(AUTUMN, marked), MALMO: THERE})
    gone(federation, LATER + DAY)
    known = names(node, MOVED)
    node.close()
    told_the_day(federation, LATER + DAY)
    config, nobody = str(federation.dev.node(STOCKHOLM)), number(77)
    asked = ["subject", "export", "-", "--by", "Karin Ek", "--json", "--config", config]

    def told(done: Result) -> tuple[int, str, str]:
        # Without the number itself, which the test's terminal repeats.
        return done.exit_code, done.output.replace(MOVED, "").replace(nobody, ""), str(done.exception)

    hidden, unknown = (CliRunner().invoke(commands, asked, input=who) for who in (MOVED, nobody))
    assert told(hidden) == told(unknown)
    assert hidden.exit_code != 0
    assert told(erase(federation)) == told(erase(federation, who=nobody))
    assert json.loads(shown(federation, "subject", "log", "--json")) == []
    copy = CliRunner().invoke(commands, [*asked, "--protected"], input=MOVED)
    assert json.loads(copy.stdout)["identity"]["protected"] is True
    done = erase(federation, "--protected", "--wait")
    assert done.exit_code == 0, done.output
    assert "Erased. What stays" in done.output
    node.open()
    assert holding(node, known) == []
