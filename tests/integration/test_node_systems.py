"""Rosters of several school systems in one node: each stands for itself, and a pupil is what all of them show."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from federation.errors import Code, UppropError
from node.identity import Route
from node.records import ss12000_person
from node.records.person import PersonRecord, Progress, Remark
from node.records.report import ImportReport
from node.store.imports import Imports
from node.store.records import Records
from node.store.schema_systems import records
from tests.integration.node_alone import BASELINE, WEEK, Node, roster
from tests.unit.node.exports import OTHER_UNIT, UNIT, enrolment, number, person, person_id

DAY = timedelta(days=1)


@dataclass
class Delivered:
    """What a school system delivers, whole or in part."""

    persons: Sequence[Any]
    whole: bool = True
    gone: Collection[str] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(repr((self.persons, self.gone)).encode()).digest()

    def read(self, progress: Progress) -> Iterator[PersonRecord | Remark]:
        for position, one in enumerate(self.persons, start=1):
            yield from ss12000_person.parse(msgspec.Raw(msgspec.json.encode(one)), position, {})
        progress(len(self.persons), len(self.persons))


def take(node: Node, as_of: date, system: str, persons: Sequence[Any], **options: Any) -> ImportReport:
    fields = {name: options.pop(name) for name in ("whole", "gone", "units") if name in options}
    node.clock.set_today(max(as_of, node.clock.today()))
    return node.importing.take(Delivered(persons, **fields), as_of, system=system, **options)


def opening_since(node: Node, place: int) -> date | None:
    opening = node.states(node.pupil(place)).opening
    return None if opening is None else opening.since


def heard(node: Node) -> date | None:
    return node.database.view("test_heard", Imports(node.sealer).current_as_of)


def test_a_roster_replaces_what_its_own_system_said_and_nothing_else(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    take(node, BASELINE, "resursskolan", [person(50), person(51)])
    report = take(node, BASELINE + WEEK, "resursskolan", [person(50)])
    assert (report.persons, report.changed, report.vanished) == (1, 0, 1)
    assert opening_since(node, 51) == BASELINE + WEEK
    assert not [place for place in (*range(20), 50) if opening_since(node, place)]


def test_a_pupil_who_goes_from_one_system_to_another_has_not_left(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    take(node, BASELINE, "resursskolan", [person(50)])
    moved = person(3, enrolment("2026-09-07", enroledAt={"id": OTHER_UNIT}), id="an id of its own")
    take(node, BASELINE + 2 * WEEK, "resursskolan", [person(50), moved])
    take(node, BASELINE + 2 * WEEK, "main", [each for each in roster(20) if each["id"] != person_id(3)])
    statement = node.states(node.pupil(3))
    assert statement.opening is None
    assert statement.in_force
    assert node.with_id("resursskolan:an id of its own").pupil_id == node.pupil(3).pupil_id


def test_the_order_in_which_systems_are_heard_on_a_day_does_not_matter(node: Node) -> None:
    """The old school's system is imported first, so that for a moment nobody has the pupil."""
    take(node, BASELINE, "main", roster(20))
    take(node, BASELINE, "resursskolan", [person(50)])
    ended = [person(3, enrolment(end="2026-09-04")), *(each for each in roster(20) if each["id"] != person_id(3))]
    take(node, BASELINE + 2 * WEEK, "main", ended)
    assert opening_since(node, 3) == date(2026, 9, 5)
    take(node, BASELINE + 2 * WEEK, "resursskolan", [person(50), person(3, enrolment("2026-09-05"))])
    assert opening_since(node, 3) is None
    assert [presence.until for presence in node.states(node.pupil(3)).presences] == [None]


def test_the_same_id_in_two_systems_is_two_persons(node: Node) -> None:
    take(node, BASELINE, "main", [person(1, id="1"), person(2, id="2")])
    take(node, BASELINE, "resursskolan", [person(3, id="1")])
    assert node.with_id("1").pupil_id == node.pupil(1).pupil_id
    assert node.with_id("resursskolan:1").pupil_id == node.pupil(3).pupil_id


def test_a_system_that_joins_later_brings_its_pupils_as_a_baseline(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    joins = BASELINE + 8 * WEEK
    settled = [person(place, enrolment("2025-08-18")) for place in range(50, 60)]
    arrived = person(60, enrolment("2026-10-12"))
    report = take(node, joins, "resursskolan", [*settled, arrived])
    assert report.baseline
    assert not [place for place in range(50, 60) if node.states(node.pupil(place)).moves]
    assert node.states(node.pupil(60)).moves
    # Who was here before keeps the baseline of then.
    take(node, joins, "main", [*roster(20), person(30, enrolment("2026-10-12"))])
    assert node.states(node.pupil(30)).moves


def test_the_member_is_heard_as_far_as_its_most_silent_system(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    take(node, BASELINE, "resursskolan", [person(50)])
    take(node, BASELINE + WEEK, "main", roster(20))
    assert heard(node) == BASELINE
    # A roster of an earlier day than another system's newest counts as known from then, but is not heard as such.
    take(node, BASELINE + DAY, "resursskolan", [])
    assert opening_since(node, 50) == BASELINE + WEEK
    assert heard(node) == BASELINE + DAY


def test_an_older_roster_of_the_same_system_is_refused_and_of_another_is_not(node: Node) -> None:
    take(node, BASELINE + WEEK, "main", roster(20))
    with pytest.raises(UppropError) as caught:
        take(node, BASELINE, "main", roster(20))
    assert caught.value.code is Code.EXPORT_OLDER
    assert take(node, BASELINE, "resursskolan", [person(50)]).baseline


def test_a_system_that_is_no_more_is_heard_no_longer_and_its_pupils_have_vanished(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    take(node, BASELINE, "resursskolan", [person(50), person(51)])
    node.clock.set_today(BASELINE + WEEK)
    with pytest.raises(UppropError, match="no school system"):
        node.importing.retire("another", lambda *_: None)
    take(node, BASELINE + WEEK, "main", [*roster(20), person(51, id="new id")])
    report = node.importing.retire("resursskolan", lambda *_: None)
    assert report.vanished == 1
    assert opening_since(node, 50) == BASELINE + WEEK
    assert opening_since(node, 51) is None
    assert heard(node) == BASELINE + WEEK
    with pytest.raises(UppropError, match="only school system"):
        node.importing.retire("main", lambda *_: None)
    # It may come back.
    take(node, BASELINE + WEEK, "resursskolan", [person(50)])
    assert opening_since(node, 50) is None


def test_leavings_of_a_system_that_is_no_more_wait_for_the_imports_of_the_others(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    take(node, BASELINE, "resursskolan", [person(place) for place in range(50, 65)])
    node.clock.set_today(BASELINE + WEEK)
    assert node.importing.retire("resursskolan", lambda *_: None).held
    assert take(node, BASELINE + WEEK + 4 * DAY, "main", roster(20)).held
    assert opening_since(node, 50) is None
    assert not take(node, BASELINE + 2 * WEEK, "main", roster(20)).held
    assert opening_since(node, 50) == BASELINE + WEEK


def test_leavings_of_a_system_that_is_no_more_are_let_through_by_a_person(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    take(node, BASELINE, "resursskolan", [person(place) for place in range(50, 65)])
    take(node, BASELINE + WEEK, "main", roster(20))
    node.importing.retire("resursskolan", lambda *_: None)
    assert not take(node, BASELINE + WEEK, "main", roster(20), confirm_leavings=True).held
    assert opening_since(node, 50) == BASELINE + WEEK


def test_a_number_replaced_in_one_system_after_the_other_is_said_by_neither(node: Node) -> None:
    """Both systems have the pupil, and are told of the new number some days apart."""
    take(node, BASELINE, "main", roster(20))
    take(node, BASELINE, "resursskolan", [person(3, id="3"), person(50)])
    renumbered = {"civicNo": {"value": number(33)}}
    take(node, BASELINE + WEEK, "main", [*roster(3), person(3, **renumbered), *roster(20)[4:]])
    assert [node.pupil(place).route for place in (3, 33)] == [Route.REGISTRY, Route.RENUMBERED]
    take(node, BASELINE + 2 * WEEK, "resursskolan", [person(3, id="3", **renumbered), person(50)])
    # One pupil, of whom nothing more is said under either number; nobody has left.
    assert node.pupil(3) == node.pupil(33)
    assert (node.pupil(33).route, len(node.pupil(33).identity.numbers)) == (Route.RENUMBERED, 2)
    assert node.states(node.pupil(33)).in_force


def test_a_roster_from_before_records_were_kept_is_no_other_systems_to_replace(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    node.database.run("test_forget", lambda tx: tx.execute(records.delete()))
    assert take(node, BASELINE + WEEK, "resursskolan", [person(50)]).vanished == 0
    assert opening_since(node, 3) is None
    assert take(node, BASELINE + WEEK, "main", roster(20)[1:]).vanished == 1


@pytest.mark.parametrize("name", ["", "Main", "a:b", "-a", "a" * 41, "å"])
def test_a_system_has_a_plain_name(node: Node, name: str) -> None:
    with pytest.raises(UppropError) as caught:
        take(node, BASELINE, name, roster(3))
    assert caught.value.code is Code.INPUT_REFUSED


# -- deliveries of changes ------------------------------------------------------------------------------------------


def test_a_delivery_of_changes_replaces_what_was_said_of_its_persons_and_leaves_the_rest(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    changed = [person(3, enrolment(end="2026-09-04")), person(25, enrolment("2026-09-03"))]
    report = take(node, BASELINE + 2 * WEEK, "main", changed, whole=False, gone=[person_id(4), "never seen"])
    assert (report.persons, report.changed, report.vanished) == (2, 2, 1)
    assert opening_since(node, 3) == date(2026, 9, 5)
    assert opening_since(node, 4) == BASELINE + 2 * WEEK
    assert node.states(node.pupil(25)).in_force
    assert not [place for place in range(5, 20) if opening_since(node, place)]


def test_changes_on_the_day_of_the_baseline_leave_it_a_baseline(node: Node) -> None:
    """They tell of one arrival; that the school year began for everyone else is not theirs to say."""
    take(node, BASELINE, "main", [person(place, enrolment("2026-08-18")) for place in range(20)])
    take(node, BASELINE, "main", [person(30, enrolment("2026-08-20"))], whole=False)
    assert not node.states(node.pupil(3)).moves
    assert node.states(node.pupil(30)).moves


def test_a_unit_is_as_large_as_all_its_pupils_though_a_detail_of_each_has_changed(node: Node) -> None:
    """Such as the form in which the school system gives their numbers."""

    def written(place: int, *rows: Any, mark: str) -> Any:
        return person(place, *rows, civicNo={"value": f"{number(place)[:8]}{mark}{number(place)[8:]}"})

    take(node, BASELINE, "main", [written(place, mark="") for place in range(80)])
    gone = [written(place, enrolment(end="2026-08-28"), mark="-") for place in range(12)]
    report = take(node, BASELINE + WEEK, "main", [*gone, *(written(place, mark="-") for place in range(12, 80))])
    assert not report.held
    assert opening_since(node, 0) == date(2026, 8, 29)


def test_changes_and_the_whole_roster_come_to_the_same_state(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    changed = [person(3, enrolment(end="2026-09-04")), person(25, enrolment("2026-09-03"))]
    take(node, BASELINE + WEEK, "main", changed, whole=False, gone=[person_id(4)])
    whole = [each for each in roster(20) if each["id"] not in (person_id(3), person_id(4))]
    report = take(node, BASELINE + WEEK, "main", [*whole, *changed])
    assert (report.changed, report.vanished) == (0, 0)


def test_days_that_run_out_between_deliveries_of_changes_are_noticed(node: Node) -> None:
    take(node, BASELINE, "main", [*roster(20), person(30, enrolment(end="2026-09-04"))])
    assert opening_since(node, 30) is None
    take(node, BASELINE + 2 * WEEK, "main", [], whole=False)
    assert opening_since(node, 30) == date(2026, 9, 5)
    assert heard(node) == BASELINE + 2 * WEEK


def test_days_of_a_whole_unit_that_run_out_between_deliveries_of_changes_wait(node: Node) -> None:
    """An end date set for everyone by mistake shows when it comes, not when it is delivered."""
    unit = [person(place, enrolment(end="2026-09-04", enroledAt={"id": OTHER_UNIT})) for place in range(30, 45)]
    staying = [person(place, enrolment(enroledAt={"id": OTHER_UNIT})) for place in range(45, 60)]
    take(node, BASELINE, "main", [*roster(20), *unit, *staying])
    report = take(node, BASELINE + 2 * WEEK, "main", [person(3, enrolment(schoolYear=5))], whole=False)
    assert [(held.unit, held.pupils) for held in report.held] == [(OTHER_UNIT, 15)]
    assert opening_since(node, 30) is None


def test_changes_that_take_away_half_the_roster_are_refused(node: Node) -> None:
    take(node, BASELINE, "main", roster(20))
    gone = [person_id(place) for place in range(10)]
    with pytest.raises(UppropError) as caught:
        take(node, BASELINE + WEEK, "main", [], whole=False, gone=gone)
    assert caught.value.code is Code.EXPORT_SHRUNK
    assert opening_since(node, 0) is None
    take(node, BASELINE + WEEK, "main", [], whole=False, gone=gone, accept_shrink=True)
    assert opening_since(node, 0) == BASELINE + WEEK


def test_a_number_that_becomes_sound_with_time_is_taken_up(node: Node) -> None:
    """A school system may register a child before its day of birth, by our clock."""
    unborn = person(1, civicNo={"value": number(20 * 28 * 12 * 14 + 20 * 28 * 7 + 20 * 26)})
    assert unborn["civicNo"]["value"].startswith("20260827")
    report = take(node, BASELINE, "main", [*roster(3), unborn | {"id": "soon"}])
    assert [remark.field for remark in report.remarks] == ["civicNo"]
    report = take(node, BASELINE + WEEK, "main", [*roster(3), unborn | {"id": "soon"}])
    assert (report.remarks, report.changed) == ((), 1)
    assert node.with_id("soon").identity.number is not None


def test_units_bear_the_names_that_systems_give_them(node: Node) -> None:
    take(node, BASELINE, "main", roster(3), units={UNIT: "Ekskolan"})
    take(node, BASELINE + WEEK, "main", roster(3), units={UNIT: "Nya Ekskolan"})
    take(node, BASELINE + WEEK + DAY, "main", roster(3))
    assert node.database.view("test_units", Records(node.sealer).units) == {UNIT: "Nya Ekskolan"}
