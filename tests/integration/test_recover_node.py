"""A node that has lost its database, against real evaluators and a real registry: nothing is lost, nothing twice."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from federation.errors import Code, UppropError
from federation.files import write_secret
from federation.rules.vocabulary import GapState, MemberId, Signal
from node.recovery.copies import Copies, restore
from node.recovery.stated import RecoveryReport
from node.store.schema import pupils, versions
from privacy.evaluator.store.allowances import Allowance
from registry.store import signals as registry_signals
from registry.store.schema import gaps as registry_gaps
from tests.harness.postgres import PostgresServer
from tests.integration.node_lossy import Fault, Killed, put_between
from tests.integration.node_parties import Federation, Node, keys_of, running
from tests.unit.node.exports import enrolment, number, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE = date(2026, 8, 24)
LAST_DAY, SINCE = "2026-09-04", date(2026, 9, 5)
DAYS = (date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 21))
LATER = date(2026, 9, 28)


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        yield parties


def roll(first: int, count: int = 30) -> list[dict[str, Any]]:
    return [person(place) for place in range(first, first + count)]


def left(place: int) -> dict[str, Any]:
    return person(place, enrolment(end=LAST_DAY))


def came(place: int, start: str = "2026-09-07") -> dict[str, Any]:
    return person(place, enrolment(start))


def changed(persons: Sequence[dict[str, Any]], *others: dict[str, Any]) -> list[dict[str, Any]]:
    ids = {each["id"] for each in others}
    return [each for each in persons if each["id"] not in ids] + list(others)


AUTUMN = changed(roll(0), left(0), left(1), came(200))
"""Stockholm's pupils: 0 is nowhere, 1 moves to Malmö, 200 came from there."""
THERE = changed(roll(100), came(1))


def lose(node: Node) -> None:
    """The database is gone, and nothing else of the node."""
    node.close()
    for path in node.settings.data_dir.glob("node.sqlite*"):
        path.unlink()
    node.open()


def recover(node: Node) -> RecoveryReport:
    *_, report = node.app.pipeline.recover()
    assert isinstance(report, RecoveryReport)
    return report


def told(federation: Federation, member: str = STOCKHOLM) -> list[Signal]:
    """What the registry has of a member, without the epochs of what it bears."""

    def look(tx: Any) -> list[Signal]:
        return [signal for _, signal in registry_signals.of_member(tx, member, b"", 1_000)]  # type: ignore[arg-type]

    return federation.registry_app.database.view("test_told", look)


def autumn(federation: Federation, *days: date) -> None:
    for day in days or DAYS:
        federation.day(day, {STOCKHOLM: AUTUMN, MALMO: THERE})


def raised(federation: Federation) -> int:
    return federation.registry_app.database.view("test_gaps", lambda tx: len(tx.execute(select(registry_gaps)).all()))


def test_a_lost_node_ends_where_an_undisturbed_one_does(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    before, said, gaps = node.gaps(), told(federation), raised(federation)
    assert [case.state for case in before] == [GapState.OPEN]
    lose(node)
    node.take(AUTUMN)
    report = recover(node)
    assert (report.complete, report.known, report.nameless) == (True, 3, 0)
    assert node.gaps() == before
    synced = node.sync()
    assert synced.submitted == 0
    assert synced.problems == ()
    assert told(federation) == said
    federation.day(LATER, {STOCKHOLM: AUTUMN, MALMO: changed(THERE, came(0, "2026-09-22"))})
    assert raised(federation) == gaps
    [case] = node.gaps()
    assert (case.state, case.state_since) == (GapState.ANSWERED, LATER)


def test_a_lost_node_sends_nothing_before_it_has_recovered(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    said = told(federation)
    lose(node)
    for _ in range(2):
        report = node.sync()
        assert report.submitted == 0
        [problem] = report.problems
        assert problem.endswith("upprop node recover")
        node.take(AUTUMN)
    assert told(federation) == said
    assert '"store_behind_registry"' not in node.log.getvalue()
    recover(node)
    assert node.sync().problems == ()
    assert told(federation) == said


def test_a_new_node_asks_once_and_then_sends(federation: Federation) -> None:
    node = federation.nodes[MALMO]
    lossy = put_between(node, lambda _: None)
    assert node.sync().problems == ()
    # It has asked at its first sync, the baseline's.
    assert lossy.calls == ["list_notices", "acknowledge", "describe", "list_contacts"]


def test_a_recovery_without_an_import_says_what_to_do(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    lose(node)
    with pytest.raises(UppropError) as refused:
        recover(node)
    assert refused.value.code is Code.INPUT_REFUSED
    assert "upprop node import" in refused.value.sentence


def test_a_recovery_beyond_the_quota_waits_for_an_allowance(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    lose(node)
    node.take(AUTUMN)
    everyone = [evaluation.evaluation for evaluation in federation.apps.values()]
    for evaluation in everyone:
        quota = evaluation._descriptors().quota(STOCKHOLM)
        evaluation._database.run("spend", _spend(quota.day))
    report = recover(node)
    assert not report.complete
    assert report.nameless == 3
    assert "upprop evaluator allow" in " ".join(report.problems)
    [case] = node.cases()
    assert (case.name, case.person_id[:10], case.state) == ("", "recovered-", GapState.OPEN)
    for evaluation in everyone:
        evaluation.allow(MemberId(STOCKHOLM), Allowance(31, LATER), federation.clock.today())
    report = recover(node)
    assert (report.complete, report.nameless) == (True, 0)
    [case] = node.cases()
    assert case.number == number(0)


def _spend(elements: int) -> Any:
    from privacy.evaluator.store import usage

    return lambda tx: usage.charge(tx, STOCKHOLM, b"spent" + bytes(11), bytes(32), elements, DAYS[-1])  # type: ignore[arg-type]


def test_whoever_is_in_no_export_is_named_by_a_typed_number(federation: Federation) -> None:
    gone = [each for each in AUTUMN if each["id"] != person(0)["id"]]
    for day in DAYS:
        federation.day(day, {STOCKHOLM: gone, MALMO: THERE})
    node = federation.nodes[STOCKHOLM]
    [before] = node.gaps()
    lose(node)
    node.take(gone)
    report = recover(node)
    assert (report.complete, report.nameless, report.nameless_open) == (True, 1, 1)
    [case] = node.gaps()
    assert (case.name, case.state, case.opened_on, case.effective_date) == (
        "",
        before.state,
        before.opened_on,
        before.effective_date,
    )
    with pytest.raises(UppropError) as refused:
        node.app.pipeline.attach_number(number(77))
    assert refused.value.code is Code.INPUT_REFUSED
    assert node.app.pipeline.attach_number(number(0)) == case.person_id
    said = told(federation)
    assert node.sync().submitted == 0
    assert told(federation) == said
    [named] = node.gaps()
    assert (named.number, named.route, named.opened_on) == (number(0), "registry", before.opened_on)
    federation.day(LATER, {STOCKHOLM: gone, MALMO: changed(THERE, came(0, "2026-09-22"))})
    assert [gap.state for gap in node.gaps()] == [GapState.ANSWERED]


def test_whoever_comes_back_after_a_recovery_is_known_again(federation: Federation) -> None:
    gone = [each for each in AUTUMN if each["id"] != person(0)["id"]]
    for day in DAYS:
        federation.day(day, {STOCKHOLM: gone, MALMO: THERE})
    node = federation.nodes[STOCKHOLM]
    [before] = node.gaps()
    lose(node)
    node.take(gone)
    recover(node)
    handles = {signal.handle for signal in told(federation)}
    federation.day(LATER, {STOCKHOLM: [*gone, person(0, enrolment("2026-09-24"))], MALMO: THERE})
    assert {signal.handle for signal in told(federation)} == handles
    [case] = node.gaps()
    assert (case.name, case.state, case.opened_on) == ("Förnamn0 Efternamn0", GapState.ANSWERED, before.opened_on)


def test_an_arrival_that_vanished_with_the_store_is_looked_for(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    lose(node)
    federation.set_today(LATER)
    without = [each for each in AUTUMN if each["id"] != person(200)["id"]]
    node.take(without)
    assert recover(node).nameless == 1
    for day in (date(2026, 10, 5), date(2026, 10, 12)):
        federation.day(day, {STOCKHOLM: without, MALMO: THERE})
    nameless = [case for case in node.cases() if not case.name]
    assert [(case.effective_date, case.route) for case in nameless] == [(LATER, "unlinkable")]
    assert node.app.pipeline.attach_number(number(200))
    assert node.sync().submitted == 1
    [said] = [signal for signal in told(federation) if signal.opening and signal.opening.since == LATER]
    assert said.presences[0].affirmed_on == date(2026, 9, 7)


def test_what_was_affirmed_is_affirmed_on_the_same_day(federation: Federation) -> None:
    """A recovery that affirmed anew would answer gaps that these presences never answered."""
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    lose(node)
    node.take(AUTUMN)
    recover(node)
    node.sync()
    # One of whom nothing was ever said leaves after the recovery.
    federation.day(LATER, {STOCKHOLM: changed(AUTUMN, person(9, enrolment(end="2026-09-25"))), MALMO: THERE})
    affirmed = {presence.affirmed_on for signal in told(federation) for presence in signal.presences}
    assert affirmed == {BASELINE, date(2026, 9, 7)}


def test_a_store_set_back_by_hand_is_noticed_and_stops(federation: Federation, tmp_path: Path) -> None:
    autumn(federation, DAYS[0])
    node = federation.nodes[STOCKHOLM]
    copy = tmp_path / "copy.sqlite"
    node.close()
    shutil.copy(node.settings.data_dir / "node.sqlite", copy)
    node.open()
    federation.day(DAYS[1], {STOCKHOLM: changed(AUTUMN, left(2)), MALMO: THERE})
    federation.day(DAYS[2], {STOCKHOLM: changed(AUTUMN, left(2), left(3)), MALMO: THERE})
    node.close()
    for path in node.settings.data_dir.glob("node.sqlite*"):
        path.unlink()
    shutil.copy(copy, node.settings.data_dir / "node.sqlite")
    node.open()
    federation.set_today(LATER)
    node.take(changed(AUTUMN, left(2)))
    problems = [problem for _ in range(2) for problem in node.sync().problems]
    assert any("upprop node recover" in problem for problem in problems)


def test_two_live_handles_of_one_pupil_become_one(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    # An earlier recovery that was none: the store was lost, and the node of that time raised all anew.
    lose(node)
    node.take(AUTUMN)
    node.app.database.run("test_agree", node.app.pipeline._guard._recoveries.agree)
    assert node.sync().submitted == 3
    assert len(told(federation)) == 6
    lose(node)
    node.take(AUTUMN)
    report = recover(node)
    assert (report.known, report.nameless) == (6, 0)
    assert node.sync().submitted == 3
    live = [signal for signal in told(federation) if not signal.retracted]
    assert len(live) == 3
    federation.day(LATER, {STOCKHOLM: AUTUMN, MALMO: THERE})
    assert [case.number for case in node.cases()] == [number(0)]


def test_nothing_is_made_twice_by_recovering_twice(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    lose(node)
    node.take(AUTUMN)
    recover(node)
    node.sync()
    before = node.dump()
    assert recover(node).complete
    after = node.dump()
    assert {name for name in before if before[name] != after[name]} == {"fetches"}
    assert len(before["versions"]) == 3
    assert node.app.database.view("test", lambda tx: len(tx.execute(select(versions)).all())) == 3
    assert node.app.database.view("test", lambda tx: len(tx.execute(select(pupils)).all())) == 31


def ended(federation: Federation, node: Node) -> dict[str, Any]:
    """What a recovery comes to, random ids left out."""
    *_, report = node.app.pipeline.recover()
    assert isinstance(report, RecoveryReport)
    assert report.complete
    assert node.sync().submitted == 0
    tables = node.dump()
    return {
        "gaps": node.gaps(),
        "told": told(federation),
        "rows": {name: len(rows) for name, rows in tables.items() if name != "fetches"},
    }


def test_a_recovery_killed_at_any_call_ends_the_same(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    lose(node)
    node.take(AUTUMN)
    lossy = put_between(node, lambda _: None)
    expected = ended(federation, node)
    calls = lossy.calls[: lossy.calls.index("find_handles") + 1]
    assert set(calls) >= {"list_notices", "list_signals", "blind_evaluate", "find_handles"}
    for place in range(len(calls)):
        for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REQUEST_LOST, Fault.ANSWER_LOST):
            lose(node)
            node.take(AUTUMN)
            faults = {place: fault}
            put_between(node, faults.get)
            with contextlib.suppress(Killed, UppropError):
                recover(node)
            node.restart()
            assert ended(federation, node) == expected, (calls[place], fault)


def test_a_recovery_killed_after_any_transaction_ends_the_same(federation: Federation) -> None:
    autumn(federation)
    node = federation.nodes[STOCKHOLM]
    lose(node)
    node.take(AUTUMN)
    expected = ended(federation, node)
    place, killed = 0, True
    while killed:
        lose(node)
        node.take(AUTUMN)
        killed = False
        database: Any = node.app.database
        left_to_run, run = [place], database.run

        def counted(*args: Any, run: Any = run, left_to_run: list[int] = left_to_run, **options: Any) -> Any:
            result = run(*args, **options)
            left_to_run[0] -= 1
            if left_to_run[0] < 0:
                raise Killed
            return result

        database.run = counted
        try:
            recover(node)
        except Killed:
            killed = True
        node.restart()
        assert ended(federation, node) == expected, place
        place += 1
    assert place > 8


# -- who is asked about ------------------------------------------------------------------------------------------------


def test_protected_pupils_are_asked_about_only_when_somebody_types_their_number(federation: Federation) -> None:
    """Marked after the leaving was said: what was said stands, and nobody asks about the pupil by himself."""
    autumn(federation, *DAYS)
    node = federation.nodes[STOCKHOLM]
    marked = changed(AUTUMN, left(0) | {"securityMarking": "Sekretessmarkering"})
    federation.day(LATER, {STOCKHOLM: marked, MALMO: THERE})
    lose(node)
    node.take(marked)
    assert recover(node).nameless == 1
    nameless = [case for case in node.cases() if case.person_id.startswith("recovered-")]
    assert [case.state for case in nameless] == [GapState.OPEN]
    node.app.pipeline.attach_number(number(0))
    assert node.sync().submitted == 0
    assert node.cases(protected=False) == ()
    [case] = node.cases()
    assert (case.number, case.opened_on) == (number(0), date(2026, 9, 21))


def test_an_earlier_number_that_was_lost_is_kept_at_the_registry_until_it_is_typed(federation: Federation) -> None:
    """A samordningsnummer that a personnummer followed: exports show the latter alone."""
    node = federation.nodes[STOCKHOLM]
    before = came(300) | {"civicNo": {"value": number(300, coordination=True), "nationality": "SE"}}
    federation.day(DAYS[0], {STOCKHOLM: [*roll(0), before], MALMO: roll(100)})
    federation.day(DAYS[1], {STOCKHOLM: [*roll(0), came(300)], MALMO: roll(100)})
    [signal] = told(federation)
    assert len(signal.pseudonyms) == 2
    lose(node)
    node.take([*roll(0), came(300)])
    report = recover(node)
    assert (report.complete, report.numbers_missing) == (True, 1)
    assert node.sync().submitted == 0
    assert node.app.pipeline.attach_number(number(300, coordination=True)) == person(300)["id"]
    assert recover(node).numbers_missing == 0
    assert node.sync().submitted == 0
    gone = person(300, enrolment("2026-09-07", "2026-09-18"))
    federation.day(DAYS[2], {STOCKHOLM: [*roll(0), gone], MALMO: roll(100)})
    [signal] = told(federation)
    assert signal.opening is not None
    assert len(signal.pseudonyms) == 2


def test_two_epochs_are_asked_about_once_and_nothing_is_said_anew(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1, 2)) as federation:
        federation.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        autumn(federation)
        node = federation.nodes[STOCKHOLM]
        lose(node)
        node.take(AUTUMN)
        spent = _used(federation)
        assert recover(node).nameless == 0
        assert _used(federation) - spent == 31
        assert node.sync().submitted == 0


def _used(federation: Federation) -> int:
    evaluation = federation.apps[1].evaluation
    return evaluation.used(MemberId(STOCKHOLM), federation.clock.today()).year


# -- a node on PostgreSQL ----------------------------------------------------------------------------------------------


def test_a_node_on_postgresql_recovers_too(tmp_path: Path, postgres: PostgresServer) -> None:
    with (
        postgres.fresh_database() as first,
        postgres.fresh_database() as second,
        running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as federation,
    ):
        node = federation.nodes[STOCKHOLM]
        node.close()
        config = federation.dev.node(STOCKHOLM)
        url_file = config.parent / "db.url"
        write_secret(url_file, first.encode())
        config.write_text('database_url_file = "db.url"\n' + config.read_text())
        federation.nodes[STOCKHOLM] = node = Node(config, federation.clock)
        federation.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        autumn(federation)
        before, said = node.gaps(), told(federation)
        copy = tmp_path / "copy"
        Copies(node.app.database, keys_of(node.settings)).make(copy, lambda _step, _done, _total: None)
        node.close()
        url_file.unlink()
        write_secret(url_file, second.encode())
        node.open()
        node.take(AUTUMN)
        assert recover(node).nameless == 0
        assert node.sync().submitted == 0
        assert (node.gaps(), told(federation)) == (before, said)
        node.close()
        restore(node.settings, copy, replace=True, report=lambda _step, _done, _total: None)
        node.open()
        assert node.sync().problems == ()
        assert node.gaps() == before
