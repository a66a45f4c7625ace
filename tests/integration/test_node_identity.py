"""Who is who over imports into a real store: numbers, school-system ids, markings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from federation.errors import UppropError
from federation.rules.vocabulary import Policy
from node.identity import Route
from node.records.person import RemarkKind
from node.store.imports import Imports
from node.store.pupils import Pupils
from node.store.sealing import Sealer
from tests.integration.node_alone import BASELINE, WEEK, Node, make, roster
from tests.unit.node.exports import enrolment, number, person, person_id


def test_a_new_id_with_the_same_number_is_the_same_pupil(node: Node) -> None:
    node.take(BASELINE, roster(10))
    before = node.pupil(3)
    report = node.take(BASELINE + WEEK, [*roster(10)[:3], person(3, id="another"), *roster(10)[4:]])
    after = node.pupil(3)
    assert (after.pupil_id, after.handle, after.observations) == (before.pupil_id, before.handle, before.observations)
    assert (after.identity.person_id, report.changed, report.vanished) == ("another", 0, 0)
    assert node.with_id(person_id(3)).pupil_id == node.with_id("another").pupil_id


def test_a_broken_number_keeps_the_last_sound_one(node: Node) -> None:
    node.take(BASELINE, roster(10))
    broken = {"value": number(3)[:-1] + str((int(number(3)[-1]) + 1) % 10), "nationality": "SE"}
    report = node.take(BASELINE + WEEK, [*roster(10)[:3], person(3, civicNo=broken), *roster(10)[4:]])
    assert [(remark.row, remark.field) for remark in report.of_kind(RemarkKind.REJECTED)] == [(4, "civicNo")]
    assert node.pupil(3).route is Route.REGISTRY
    assert (report.changed, report.vanished) == (0, 0)


@pytest.mark.parametrize(
    ("civic_no", "kind"),
    [
        (None, RemarkKind.UNLINKABLE),
        ({"value": "20130101TF01", "nationality": "SE"}, RemarkKind.UNLINKABLE),
        ({"value": "0101901234", "nationality": "DK"}, RemarkKind.UNLINKABLE),
        ({"value": "201301019999", "nationality": "SE"}, RemarkKind.REJECTED),
        ({"value": "201313019801", "nationality": "SE"}, RemarkKind.REJECTED),
    ],
)
def test_a_person_without_a_sound_number_is_watched_under_the_id_until_one_arrives(
    node: Node, civic_no: Any, kind: RemarkKind
) -> None:
    report = node.take(BASELINE, [*roster(10), person(20, civicNo=civic_no)])
    assert [(remark.kind, remark.row) for remark in report.remarks] == [(kind, 11)]
    before = node.with_id(person_id(20))
    assert before.route is Route.UNLINKABLE
    node.take(BASELINE + WEEK, [*roster(10), person(20)])
    after = node.pupil(20)
    assert (after.pupil_id, after.handle, after.route) == (before.pupil_id, before.handle, Route.REGISTRY)


def test_a_personnummer_after_a_samordningsnummer_is_added(node: Node) -> None:
    coordination = number(20, coordination=True)
    node.take(BASELINE, [*roster(10), person(20, civicNo={"value": coordination})])
    before = node.numbered(coordination)
    node.take(BASELINE + WEEK, [*roster(10), person(20)])
    after = node.pupil(20)
    assert (after.pupil_id, after.handle, after.route) == (before.pupil_id, before.handle, Route.REGISTRY)
    assert [found.number for found in after.identity.numbers] == [coordination, number(20)]
    assert node.numbered(coordination).pupil_id == after.pupil_id


def test_a_replaced_personnummer_is_for_the_protected_role_until_a_person_calls_it_a_typing_error(node: Node) -> None:
    node.take(BASELINE, roster(10))
    before = node.pupil(3)
    renumbered = person(33, id=person_id(3))
    node.take(BASELINE + WEEK, [*roster(10)[:3], renumbered, *roster(10)[4:]])
    after = node.pupil(33)
    assert (after.pupil_id, after.handle) == (before.pupil_id, before.handle)
    assert (after.route, after.protected) == (Route.RENUMBERED, True)
    # The next export says nothing new of it.
    node.take(BASELINE + 2 * WEEK, [*roster(10)[:3], renumbered, *roster(10)[4:]])
    assert node.pupil(33).route is Route.RENUMBERED

    node.casework.say(number(33), "typing-error", said_by="Ada Berg")
    corrected = node.pupil(33)
    assert (corrected.pupil_id, corrected.route, corrected.protected) == (before.pupil_id, Route.REGISTRY, False)
    assert corrected.handle != before.handle
    pupils = Pupils(node.sealer)
    retired = node.database.view("test_retired", lambda tx: pupils.retired(tx, [corrected.pupil_id]))
    assert retired == {before.handle: corrected.pupil_id}
    # The wrong number may be another child's.
    node.take(BASELINE + 3 * WEEK, [*roster(10)[:3], renumbered, person(3, id="somebody"), *roster(10)[4:]])
    assert node.pupil(3).pupil_id != corrected.pupil_id
    assert node.pupil(3).route is Route.REGISTRY


def test_two_pupils_that_turn_out_to_be_one_become_one(node: Node) -> None:
    node.take(BASELINE, [*roster(10), person(3, enrolment("2026-08-18"), id="extra", civicNo=None)])
    assert len(node.pupils()) == 11
    unknown, known = node.with_id("extra"), node.pupil(3)
    node.take(BASELINE + WEEK, [*roster(10), person(3, enrolment("2026-08-18"), id="extra")])
    assert len(node.pupils()) == 10
    merged = node.pupil(3)
    assert merged.pupil_id == known.pupil_id
    assert node.with_id("extra").pupil_id == known.pupil_id
    pupils = Pupils(node.sealer)
    retired = node.database.view("test_retired", lambda tx: pupils.retired(tx, [merged.pupil_id]))
    assert retired == {unknown.handle: merged.pupil_id}
    assert node.database.view("test_handle", lambda tx: pupils.by_handle(tx, unknown.handle)) == merged.pupil_id


def test_a_marked_pupil_is_local_until_released(node: Node) -> None:
    node.take(BASELINE, roster(10))
    marked = person(3, securityMarking="Sekretessmarkering")
    node.take(BASELINE + WEEK, [*roster(10)[:3], marked, *roster(10)[4:]])
    assert (node.pupil(3).route, node.pupil(3).protected) == (Route.PROTECTED, True)
    with pytest.raises(UppropError, match="still marks"):
        node.casework.say(number(3), "release", said_by="Ada Berg")
    node.take(BASELINE + 2 * WEEK, roster(10))
    assert node.pupil(3).route is Route.PROTECTED
    node.casework.say(number(3), "release", said_by="Ada Berg")
    assert (node.pupil(3).route, node.pupil(3).protected) == (Route.REGISTRY, False)
    with pytest.raises(UppropError, match="nothing to release"):
        node.casework.say(number(3), "release", said_by="Ada Berg")


def test_under_the_policy_same_a_marking_only_hides_the_pupil_here(tmp_path: Path, node_store: str) -> None:
    node = make(tmp_path, node_store, Policy(protected="same"))
    node.take(BASELINE, roster(10, securityMarking="Sekretessmarkering"))
    assert (node.pupil(3).route, node.pupil(3).protected) == (Route.REGISTRY, True)
    node.take(BASELINE + WEEK, roster(10))
    assert (node.pupil(3).route, node.pupil(3).protected) == (Route.REGISTRY, False)
    node.database.close()


def test_another_record_key_is_noticed(node: Node) -> None:
    assert node.database.run("test_key", Imports(node.sealer).check_key)
    assert node.database.run("test_key", Imports(node.sealer).check_key)
    assert not node.database.run("test_key", Imports(Sealer(bytes(32))).check_key)
