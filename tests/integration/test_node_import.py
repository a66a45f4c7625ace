"""Imports into a real store: what is kept, what is refused, what a second time changes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from federation.clock import ManualClock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.migration import migrate
from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import OpeningKind, Policy
from node.casework.sayings import CaseworkSayings
from node.identity import Route
from node.model import History, Observation, Statement, What
from node.presence import statement
from node.records.importing import Importing
from node.records.person import RemarkKind
from node.records.report import ImportReport
from node.settings import STORE_PACKAGE
from node.store.imports import Imports
from node.store.pupils import Pupil, Pupils
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from privacy.identifiers import Sound, parse
from tests.unit.node.exports import OTHER_UNIT, UNIT, content, enrolment, number, person, person_id, write

BASELINE = date(2026, 8, 24)
WEEK = timedelta(days=7)
CALENDAR = SchoolCalendar(
    [Break(date(2026, 6, 13), date(2026, 8, 17)), Break(date(2026, 10, 26), date(2026, 10, 30))],
)


@dataclass
class Node:
    """The importing part of a node, on a store of its own."""

    directory: Path
    database: Database
    sealer: Sealer
    policy: Policy
    clock: ManualClock
    importing: Importing
    casework: CaseworkSayings

    def take(
        self, as_of: date, persons: list[Any], *, accept_shrink: bool = False, confirm_leavings: bool = False
    ) -> ImportReport:
        """Import on the day itself."""
        self.clock.set_today(as_of)
        return self.importing.import_file(
            write(self.directory, as_of, persons),
            as_of,
            accept_shrink=accept_shrink,
            confirm_leavings=confirm_leavings,
        )

    def pupils(self) -> dict[bytes, Pupil]:
        pupils = Pupils(self.sealer)

        def work(tx: Any) -> dict[bytes, Pupil]:
            return pupils.load_all(tx, pupils.to_restate(tx, date.max))

        # Everything is marked, so that everything is found.
        self.database.run("test_mark", pupils.mark_all_dirty)
        return self.database.view("test_pupils", work)

    def pupil(self, place: int) -> Pupil:
        """The pupil who bears, or ever bore, the synthetic number."""
        return self.numbered(number(place))

    def numbered(self, text: str) -> Pupil:
        sound = parse(text, self.clock.today())
        assert isinstance(sound, Sound)
        pupils = Pupils(self.sealer)
        index = pupils.number_index(sound)
        return self.database.view("test_pupil", lambda tx: pupils.load(tx, pupils.by_numbers(tx, [index])[index]))

    def with_id(self, text: str) -> Pupil:
        pupils = Pupils(self.sealer)
        index = pupils.person_index(text)
        return self.database.view("test_pupil", lambda tx: pupils.load(tx, pupils.by_person_ids(tx, [index])[index]))

    def states(self, pupil: Pupil) -> Statement:
        facts = self.database.view("test_facts", Imports(self.sealer).facts)
        assert facts is not None
        said = self.database.view("test_said", lambda tx: Sayings(self.sealer).standing(tx, [pupil.pupil_id]))
        history = History(pupil.observations, said.get(pupil.pupil_id, ()))
        return statement(history, facts, self.clock.today(), self.policy, CALENDAR)

    def bytes_of_store(self) -> bytes:
        """All that the store holds, as far as equality goes: a dump of every table."""

        def dump(tx: Any) -> bytes:
            names = tx.exec_driver_sql("select name from sqlite_master where type = 'table' order by name").scalars()
            return repr([(name, tx.exec_driver_sql(f"select * from {name}").fetchall()) for name in names]).encode()

        return self.database.view("test_dump", dump)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store without content: migrating takes longer than most of these tests."""
    path = tmp_path_factory.mktemp("store") / "node.sqlite"
    database = Database(path)
    migrate(database, STORE_PACKAGE)
    database.close()
    return path


def make(directory: Path, empty_store: Path, policy: Policy) -> Node:
    shutil.copy(empty_store, directory / "node.sqlite")
    database = Database(directory / "node.sqlite")
    sealer, clock = Sealer(bytes(range(32))), ManualClock("Europe/Stockholm", BASELINE)
    return Node(
        directory,
        database,
        sealer,
        policy,
        clock,
        Importing(database, sealer, lambda: (policy, CALENDAR), clock),
        CaseworkSayings(database, sealer, lambda: policy, clock),
    )


@pytest.fixture
def node(tmp_path: Path, empty_store: Path) -> Iterator[Node]:
    made = make(tmp_path, empty_store, Policy())
    yield made
    made.database.close()


def roster(size: int, **fields: Any) -> list[Any]:
    return [person(place, **fields) for place in range(size)]


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
        node.importing.import_file(path, BASELINE + WEEK)
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
        node.importing.import_file(node.directory / "none.json", BASELINE)
    assert caught.value.code is Code.EXPORT_UNREADABLE


def test_an_export_older_than_the_last_or_of_tomorrow_is_refused(node: Node) -> None:
    node.take(BASELINE + WEEK, roster(30))
    before = node.bytes_of_store()
    with pytest.raises(UppropError) as older:
        node.importing.import_file(write(node.directory, BASELINE, roster(31)), BASELINE)
    assert older.value.code is Code.EXPORT_OLDER
    day = BASELINE + WEEK + timedelta(days=1)
    path = write(node.directory, day, roster(31))
    with pytest.raises(UppropError) as tomorrow:
        node.importing.import_file(path, day)
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


# -- identity ---------------------------------------------------------------------------------------------------------


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


def test_under_the_policy_same_a_marking_only_hides_the_pupil_here(tmp_path: Path, empty_store: Path) -> None:
    node = make(tmp_path, empty_store, Policy(protected="same"))
    node.take(BASELINE, roster(10, securityMarking="Sekretessmarkering"))
    assert (node.pupil(3).route, node.pupil(3).protected) == (Route.REGISTRY, True)
    node.take(BASELINE + WEEK, roster(10))
    assert (node.pupil(3).route, node.pupil(3).protected) == (Route.REGISTRY, False)
    node.database.close()


def test_another_record_key_is_noticed(node: Node) -> None:
    assert node.database.run("test_key", Imports(node.sealer).check_key)
    assert node.database.run("test_key", Imports(node.sealer).check_key)
    assert not node.database.run("test_key", Imports(Sealer(bytes(32))).check_key)


# -- leavings that wait -----------------------------------------------------------------------------------------------


def emptied(unit_size: int, gone: int, how: str) -> tuple[list[Any], list[Any]]:
    """A large roster before and after `gone` pupils left the other unit."""
    stay = roster(100)
    there = [person(place, enrolment(enroledAt={"id": OTHER_UNIT})) for place in range(100, 100 + unit_size)]
    after = [
        person(place, enrolment(end="2026-08-28", enroledAt={"id": OTHER_UNIT})) for place in range(100, 100 + gone)
    ]
    return [*stay, *there], [*stay, *(after if how == "ends" else []), *there[gone:]]


def left(node: Node, place: int) -> bool:
    opening = node.states(node.pupil(place)).opening
    return opening is not None and opening.kind is OpeningKind.LEFT


@pytest.mark.parametrize("how", ["ends", "vanishes"])
def test_a_unit_that_empties_waits_until_imports_of_five_school_days_still_say_so(node: Node, how: str) -> None:
    before, after = emptied(40, 11, how)
    node.take(BASELINE, before)
    report = node.take(BASELINE + WEEK, after)
    assert [(held.unit, held.pupils) for held in report.held] == [(OTHER_UNIT, 11)]
    assert not left(node, 100)
    four_days = node.take(BASELINE + WEEK + timedelta(days=4), after)
    assert four_days.held
    assert not left(node, 100)
    later = node.take(BASELINE + 2 * WEEK, after)
    assert not later.held
    assert left(node, 100)


@pytest.mark.parametrize("how", ["ends", "vanishes"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_unit_that_empties_is_let_through_by_a_person(node: Node, how: str, at_once: bool) -> None:
    before, after = emptied(40, 11, how)
    node.take(BASELINE, before)
    if not at_once:
        assert node.take(BASELINE + WEEK, after).held
    report = node.take(BASELINE + WEEK, after, confirm_leavings=True)
    assert not report.held
    assert report.repeated is not at_once
    assert left(node, 100)


def test_ten_leavings_of_a_unit_do_not_wait(node: Node) -> None:
    before, after = emptied(40, 10, "ends")
    node.take(BASELINE, before)
    assert not node.take(BASELINE + WEEK, after).held
    assert left(node, 100)


def test_leavings_that_only_the_calendar_shows_wait_too(node: Node) -> None:
    ended = [person(place, enrolment(end="2026-08-28")) for place in range(12)]
    persons = [*ended, *[person(place) for place in range(20, 50)]]
    node.take(BASELINE, persons)
    report = node.take(BASELINE + WEEK, persons)
    assert (report.changed, [(held.unit, held.pupils) for held in report.held]) == (0, [(UNIT, 12)])
    assert not left(node, 0)


def test_an_emptied_unit_that_is_back_is_forgotten(node: Node) -> None:
    before, after = emptied(40, 11, "vanishes")
    node.take(BASELINE, before)
    node.take(BASELINE + WEEK, after)
    node.take(BASELINE + 2 * WEEK, before)
    node.take(BASELINE + 3 * WEEK, before)
    assert not left(node, 100)


# -- what persons say -------------------------------------------------------------------------------------------------


def test_a_hand_made_opening_counts_once_a_second_person_agrees(node: Node) -> None:
    node.take(BASELINE, roster(10))
    saying_id, waits = node.casework.say(
        number(3), "gone", on=BASELINE - timedelta(days=3), reason="seen at the airport", said_by="Ada Berg"
    )
    assert waits
    assert node.states(node.pupil(3)).opening is None
    assert [(one.saying_id, one.word, one.said_by) for one in node.casework.waiting()] == [
        (saying_id, "gone", "Ada Berg")
    ]
    with pytest.raises(UppropError, match="second person"):
        node.casework.review(saying_id, " ada  BERG ")
    node.casework.review(saying_id, "Bo Ek")
    opening = node.states(node.pupil(3)).opening
    assert opening is not None
    assert opening.since == BASELINE - timedelta(days=2)
    assert node.pupil(3).dirty
    assert node.casework.waiting() == ()
    with pytest.raises(UppropError, match="waits for review"):
        node.casework.review(saying_id, "Cia Falk")


def test_what_waits_about_a_protected_pupil_names_nobody(node: Node) -> None:
    node.take(BASELINE, [*roster(10), person(20, securityMarking="Sekretessmarkering")])
    node.casework.say(number(20), "gone", said_by="Ada Berg")
    node.casework.say(number(3), "gone", said_by="Ada Berg")
    assert [one.person_id for one in node.casework.waiting()] == ["", person_id(3)]


def test_a_refused_saying_never_counts(node: Node) -> None:
    node.take(BASELINE, roster(10))
    saying_id, _ = node.casework.say(number(3), "no-show", said_by="Ada Berg")
    node.casework.review(saying_id, "Bo Ek", refuse=True)
    assert node.states(node.pupil(3)).opening is None
    assert node.casework.waiting() == ()


def test_a_resident_who_was_never_here_can_be_said_not_placed(node: Node) -> None:
    node.take(BASELINE, roster(10))
    saying_id, _ = node.casework.say(number(77), "not-placed", on=BASELINE, said_by="Ada Berg")
    node.casework.review(saying_id, "Bo Ek")
    opening = node.states(node.pupil(77)).opening
    assert opening is not None
    assert opening.kind is OpeningKind.NOT_PLACED
    # The pupil then comes: the same pupil, by number.
    handle = node.pupil(77).handle
    node.take(BASELINE + WEEK, [*roster(10), person(77, enrolment("2026-08-26"))])
    assert node.pupil(77).handle == handle
    assert node.states(node.pupil(77)).opening is None


def test_what_stands_is_part_of_the_history(node: Node) -> None:
    node.take(BASELINE, roster(10))
    node.casework.say(person_id(3), "met", on=BASELINE, said_by="Ada Berg")
    assert node.states(node.pupil(3)).presences[-1].met_on == BASELINE


@pytest.mark.parametrize(
    ("word", "fields", "told"),
    [
        ("sings", {}, "nothing that can be said"),
        ("reason", {"reason": "because"}, "one of"),
        ("duty-ended", {}, "--review"),
        ("duty-ended", {"review": BASELINE}, "--review"),
        ("duty-ended", {"review": BASELINE + timedelta(days=400)}, "within a year"),
        ("met", {"review": BASELINE + WEEK}, "Only duty-ended"),
        ("met", {"on": BASELINE + WEEK}, "after today"),
        ("met", {"on": BASELINE.replace(year=1926)}, "cannot be right"),
        ("planned-start", {"on": BASELINE.replace(year=2062)}, "cannot be right"),
        ("met", {"said_by": "  "}, "Say who"),
        ("typing-error", {}, "has not been replaced"),
    ],
)
def test_a_saying_that_lacks_something_is_refused_and_kept_nowhere(
    node: Node, word: str, fields: dict[str, Any], told: str
) -> None:
    node.take(BASELINE, roster(10))
    before = node.bytes_of_store()
    with pytest.raises(UppropError, match=told) as caught:
        node.casework.say(number(3), word, **{"said_by": "Ada Berg", **fields})
    assert caught.value.code is Code.INPUT_REFUSED
    assert node.bytes_of_store() == before


@pytest.mark.parametrize("whom", [number(77), "no-such-id", "20130101TF01", ""])
def test_nothing_can_be_said_of_somebody_unknown(node: Node, whom: str) -> None:
    node.take(BASELINE, roster(10))
    with pytest.raises(UppropError, match="No pupil") as caught:
        node.casework.say(whom, "met", said_by="Ada Berg")
    assert not whom or whom not in str(caught.value)


def test_nothing_can_be_said_before_the_first_import(node: Node) -> None:
    with pytest.raises(UppropError, match="Import an export first"):
        node.casework.say(number(3), "not-placed", said_by="Ada Berg")


def test_words_said_keep_their_persons(node: Node) -> None:
    node.take(BASELINE, roster(10))
    saying_id, _ = node.casework.say(number(3), "gone", on=BASELINE, said_by="Ada Berg")
    node.casework.review(saying_id, "Bo Ek")
    said = node.database.view("test_said", lambda tx: Sayings(node.sealer).load(tx, saying_id))
    assert said is not None
    assert (said.content.said_by, said.content.reviewed_by) == ("Ada Berg", "Bo Ek")
    assert said.content.what is What.GONE


# -- what others could read --------------------------------------------------------------------------------------------


def test_nothing_of_a_person_stands_in_the_clear_in_the_nodes_files(node: Node) -> None:
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
