"""Imports into a real store: what is kept, what is refused, what a second time changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from federation.errors import Code, UppropError
from node.model import Observation
from node.records.ss12000_file import Ss12000File
from node.store.imports import Imports
from tests.integration.node_alone import BASELINE, WEEK, Node, roster
from tests.unit.node.exports import OTHER_UNIT, UNIT, content, enrolment, number, person, person_id, write


def test_the_report_counts_what_was_read_changed_and_vanished(node: Node) -> None:
    first = node.take(BASELINE, roster(30))
    assert (first.baseline, first.persons, first.rows, first.changed, first.vanished) == (True, 30, 30, 30, 0)
    changed = [person(0, enrolment(end="2026-08-28")), *roster(29)[1:], person(40)]
    second = node.take(BASELINE + WEEK, changed)
    assert (second.baseline, second.persons, second.changed, second.vanished) == (False, 30, 2, 1)


def test_the_same_export_again_changes_nothing(node: Node) -> None:
    persons = [*roster(30), person(31, civicNo=None), person(32, civicNo={"value": "201201019816"})]
    first = node.take(BASELINE, persons)
    before = node.bytes_of_store()
    again = node.take(BASELINE, persons)
    assert again.repeated
    assert (again.baseline, again.persons, again.remarks) == (first.baseline, first.persons, first.remarks)
    assert node.bytes_of_store() == before


def test_an_unchanged_export_of_a_later_day_touches_no_pupil(node: Node) -> None:
    node.take(BASELINE, [*roster(30), person(31, civicNo=None), person(3, id="twin")])
    before = node.pupils()
    persons = [person(3, id="twin"), person(31, civicNo=None), *reversed(roster(30))]
    report = node.take(BASELINE + WEEK, persons)
    assert (report.changed, report.vanished) == (0, 0)
    assert node.pupils() == before


def test_the_order_of_imports_and_repetition_leave_the_same_histories(node: Node) -> None:
    weeks = [roster(30), roster(28), [*roster(29), person(3, enrolment(end="2026-09-01"), id="twin")], roster(30)]
    for place, persons in enumerate(weeks):
        node.take(BASELINE + place * WEEK, persons)
        node.take(BASELINE + place * WEEK, list(reversed(persons)))
        node.take(BASELINE + place * WEEK, persons)
    histories = {pupil.identity.number: pupil.observations for pupil in node.pupils().values()}
    assert len(histories[node.pupil(0).identity.number]) == 1
    assert [seen.rows is None for seen in histories[node.pupil(28).identity.number]] == [False, True, False]
    assert [seen.rows is None for seen in histories[node.pupil(29).identity.number]] == [False, True, False]
    assert [len(seen.rows or ()) for seen in histories[node.pupil(3).identity.number]] == [1, 2, 1]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (b"", Code.EXPORT_UNREADABLE),
        (content(roster(30))[:-20], Code.EXPORT_UNREADABLE),
        (content(roster(30), token="next"), Code.EXPORT_UNREADABLE),
        (content([person(place) for place in range(500, 530)]), Code.EXPORT_FOREIGN),
        (content(roster(15)), Code.EXPORT_SHRUNK),
        (content([]), Code.EXPORT_SHRUNK),
        (content(roster(30, enrolments=[])), Code.EXPORT_SHRUNK),
        (content(roster(30, enrolments=[enrolment("18/8 2025")])), Code.EXPORT_SHRUNK),
    ],
)
def test_a_refused_export_leaves_everything_as_it_was(node: Node, broken: bytes, code: Code) -> None:
    node.take(BASELINE, roster(30))
    before = node.bytes_of_store()
    path = node.directory / "broken.json"
    path.write_bytes(broken)
    node.clock.set_today(BASELINE + WEEK)
    with pytest.raises(UppropError) as caught:
        node.importing.take(Ss12000File(path), BASELINE + WEEK)
    assert caught.value.code is code
    assert node.bytes_of_store() == before


def test_an_import_that_breaks_off_leaves_everything_as_it_was(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.take(BASELINE, roster(30))
    before = node.bytes_of_store()
    after = [person(0, enrolment(end="2026-08-28")), *roster(29)[1:], person(40)]

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Imports, "add", fail)
        with pytest.raises(OSError, match="disk"):
            node.take(BASELINE + WEEK, after)
    assert node.bytes_of_store() == before
    assert node.take(BASELINE + WEEK, after).changed == 2


def test_an_import_whose_transaction_runs_twice_imports_once(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    run = node.database.run

    def twice(name: str, work: Any, **options: Any) -> Any:
        with node.database.transaction(name) as tx:
            work(tx)
            tx.rollback()
        return run(name, work, **options)

    monkeypatch.setattr(node.database, "run", twice)
    node.take(BASELINE, [*roster(30), person(3, id="twin")])
    report = node.take(BASELINE + WEEK, [person(0, enrolment(end="2026-08-28")), *roster(29)[1:], person(3, id="twin")])
    assert (report.changed, report.vanished) == (1, 1)
    monkeypatch.undo()
    assert len(node.pupils()) == 30
    assert len(node.pupil(0).observations) == 2


def test_a_missing_file_is_refused(node: Node) -> None:
    with pytest.raises(UppropError) as caught:
        node.importing.take(Ss12000File(node.directory / "none.json"), BASELINE)
    assert caught.value.code is Code.EXPORT_UNREADABLE


def test_an_export_older_than_the_last_or_of_tomorrow_is_refused(node: Node) -> None:
    node.take(BASELINE + WEEK, roster(30))
    before = node.bytes_of_store()
    with pytest.raises(UppropError) as older:
        node.importing.take(Ss12000File(write(node.directory, BASELINE, roster(31))), BASELINE)
    assert older.value.code is Code.EXPORT_OLDER
    day = BASELINE + WEEK + timedelta(days=1)
    path = write(node.directory, day, roster(31))
    with pytest.raises(UppropError) as tomorrow:
        node.importing.take(Ss12000File(path), day)
    assert tomorrow.value.code is Code.INPUT_REFUSED
    assert node.bytes_of_store() == before


def test_half_the_roster_may_be_missing_when_somebody_says_so(node: Node) -> None:
    node.take(BASELINE, roster(30))
    report = node.take(BASELINE + WEEK, roster(15), accept_shrink=True)
    assert report.vanished == 15


def test_one_as_of_day_may_be_exported_again_corrected(node: Node) -> None:
    node.take(BASELINE, roster(30))
    node.take(BASELINE + WEEK, [person(0, enrolment(end="2026-08-28")), *roster(30)[1:]])
    assert node.states(node.pupil(0)).opening is not None
    node.take(BASELINE + WEEK, roster(30))
    assert node.states(node.pupil(0)).opening is None
    assert len(node.pupil(0).observations) == 1


def test_nothing_of_a_person_stands_in_the_clear_in_the_nodes_files(sqlite_node: Node) -> None:
    node = sqlite_node
    persons = [
        *roster(30),
        person(40, civicNo={"value": "20130101TF01"}),
        person(41, securityMarking="Sekretessmarkering"),
        person(42, civicNo={"value": "201201019816"}),
    ]
    node.take(BASELINE, persons)
    node.take(BASELINE + WEEK, [person(33, id=person_id(3)), *persons[:3], *persons[4:-1]])
    node.casework.say(number(5), "gone", on=BASELINE, reason="seen at the airport", said_by="Ada Berg")
    node.casework.say(number(33), "typing-error", said_by="Ada Berg")
    node.casework.say(number(77), "not-placed", on=BASELINE, said_by="Ada Berg")
    files = [path for path in node.directory.iterdir() if path.name.startswith("node.sqlite")]
    assert {path.name for path in files} >= {"node.sqlite", "node.sqlite-wal"}
    stored = b"".join(path.read_bytes() for path in files)
    # What stands in the clear is found by this search.
    assert b"has a wrong check digit" in stored
    secrets = {number(place) for place in range(80)} | {person_id(place) for place in range(80)}
    secrets |= {f"Förnamn{place}" for place in range(80)} | {"Efternamn", "20130101TF01", "201201019816"}
    secrets |= {UNIT, OTHER_UNIT, "Ada Berg", "airport", "Sekretessmarkering"}
    found = [
        secret
        for secret in secrets
        for form in {secret.encode(), secret.encode("utf-16-le"), secret.replace("-", "").encode()}
        if form in stored
    ]
    assert not found
    short = {number(place)[2:].encode() for place in range(80)}
    assert not [one for one in short if one in stored]


def test_reprs_name_nobody(node: Node) -> None:
    node.take(BASELINE, roster(3))
    pupil = node.pupil(1)
    shown = repr(pupil) + repr(pupil.identity) + repr(pupil.identity.numbers)
    assert number(1) not in shown
    assert "Förnamn1" not in shown
    assert person_id(1) not in shown
    assert isinstance(pupil.observations[0], Observation)
