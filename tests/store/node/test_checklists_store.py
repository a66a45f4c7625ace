"""A step is done once, whoever is quicker; a case file keeps the version that its routine began with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from federation.clock import ManualClock
from federation.database import Database
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from node.casework.actor import Actor, Role
from node.casework.files.filing import CaseFiles
from node.casework.files.model import CaseFile, OpenedFor
from node.casework.routines.catalogue import Catalogue, Listed
from node.casework.routines.checklist import Line, StepDoneError
from node.casework.routines.model import LASTING_SUPPORT, MISSING_PUPIL
from node.casework.routines.reading import digest
from node.casework.routines.working import Routines
from node.store.case_keys import CaseKeys
from node.store.checklists import Checklists
from node.store.files import Files
from node.store.journal import Journal
from tests.store.node.stored import SEALER, opened, pupil, pupil_id

TODAY = date(2026, 9, 21)
KIM = Actor("test|kim", "Kim Ek", frozenset({Role.CASEWORKER}))
SHIPPED = Catalogue.of(None)


class Office:
    """Case files with routines over a store of their own."""

    def __init__(self, database: Database, directory: Path, catalogue: Catalogue = SHIPPED) -> None:
        self.database, self.directory = database, directory
        clock, keys = ManualClock("Europe/Stockholm", TODAY), CaseKeys(directory / "case-keys", SEALER)
        self.journal = Journal(keys, SEALER)
        self.routines = Routines(catalogue, Checklists(), self.journal, lambda: (Policy(), SchoolCalendar()), clock)
        self.case_files = CaseFiles(
            database,
            Files(keys),
            self.journal,
            clock,
            on_opened=(self.routines.opened,),
            on_changed=(self.routines.changed,),
        )

    def open(self) -> CaseFile:
        return self.database.run(
            "test_open",
            lambda tx: self.case_files.open_in(tx, pupil_id(1), OpenedFor.WORRY, "Oro", KIM, protected=False),
        )

    def lines(self, file: CaseFile) -> tuple[Line, ...]:
        return self.database.view("test_lines", lambda tx: self.routines.checklist(tx, file.file_id))

    def line(self, file: CaseFile, step_id: str) -> Line:
        [found] = [line for line in self.lines(file) if line.step.id == step_id and line.open]
        return found


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    with opened(database, pupil(1)):
        yield Office(database, tmp_path)


def test_of_two_who_finish_a_step_at_once_one_does_and_the_other_is_told(office: Office) -> None:
    file = office.open()
    name = office.line(file, "orsak").name
    told: list[str] = []

    def finish(outcome: str) -> None:
        try:
            office.database.run(
                "test_finish",
                lambda tx: office.routines.finish(tx, file.file_id, name, outcome, KIM, f"Anteckning {outcome}"),
            )
            told.append("done")
        except StepDoneError as error:
            told.append("" if error.line.outcome is None else error.line.outcome.id)

    both = [threading.Thread(target=finish, args=(outcome,)) for outcome in ("ingen-oro", "oro")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    [done] = [line for line in office.lines(file) if line.step.id == "orsak"]
    assert done.outcome is not None
    assert sorted(told) == sorted(["done", done.outcome.id])
    # The journal has one entry of it, which the line names; what was refused left nothing.
    entries = office.database.view("test_journal", lambda tx: office.journal.of_file(tx, file.file_id))
    [entry] = [each for each in entries if each.body and each.body.get("step_id") == "orsak"]
    assert entry.position == done.position
    assert entry.body is not None
    assert entry.body["outcome_id"] == done.outcome.id
    assert ("orosanmalan" in {line.step.id for line in office.lines(file)}) == (done.outcome.id == "oro")


def test_a_case_file_keeps_the_version_that_its_routine_began_with(office: Office) -> None:
    old = office.open()
    routine = SHIPPED[MISSING_PUPIL].routine
    changed = msgspec.structs.replace(routine, edition=2, steps=routine.steps[:2])
    listed = {each.routine.name: each for each in SHIPPED.all()}
    listed[MISSING_PUPIL] = Listed(changed, digest(changed), own=True, source="")
    later = Office(office.database, office.directory, Catalogue(listed))
    assert {line.routine.edition for line in later.lines(old)} == {1}
    assert len(later.lines(old)) > 2
    # A step of the old version is still taken by its own rules.
    name = later.line(old, "ny-oro").name
    office.database.run("test_finish", lambda tx: later.routines.finish(tx, old.file_id, name, "oro", KIM, "Oro"))
    assert later.line(old, "orosanmalan").due_on == TODAY
    later.case_files.begin_missing()
    with office.database.transaction("test_new") as tx:
        later.routines.start(tx, old, LASTING_SUPPORT, TODAY, KIM)
    assert {line.routine.name for line in later.lines(old)} == {MISSING_PUPIL, LASTING_SUPPORT}


def test_a_routine_that_runs_is_not_begun_twice_and_one_that_ended_may_be(office: Office) -> None:
    file = office.open()

    def start() -> int:
        return office.database.run(
            "test_start", lambda tx: office.routines.start(tx, file, LASTING_SUPPORT, TODAY, KIM)
        )

    assert start() == start() == 2
    for step, outcome in (
        ("kontakt-socialtjanst", "kontakt"),
        ("behov", "utrett"),
        ("beslut", "annat-stod"),
        ("efter-skyddat-boende", "planerat"),
        ("uppfoljning", "forlanga"),
        ("uppfoljning", "andra"),
        ("behov", "utrett"),
        ("beslut", "skyddat-boende"),
        ("placering", "placerad"),
        ("efter-skyddat-boende", "planerat"),
        ("uppfoljning", "avsluta"),
        ("avslut", "avslutat"),
    ):
        name = office.line(file, step).name
        office.database.run(
            "test_finish",
            lambda tx, name=name, outcome=outcome: office.routines.finish(  # type: ignore[misc]
                tx, file.file_id, name, outcome, KIM, "Gjort"
            ),
        )
    rounds = [line.name.round for line in office.lines(file) if line.step.id == "uppfoljning"]
    assert sorted(rounds) == [1, 2, 3]
    assert office.database.view("test_goes_on", lambda tx: office.routines.goes_on(tx, file.file_id)) == ()
    assert start() == 3


def test_two_who_begin_the_same_routine_begin_one(office: Office) -> None:
    file, numbers = office.open(), list[int]()
    both = threading.Barrier(2)

    def start() -> None:
        both.wait()
        numbers.append(
            office.database.run("test_start", lambda tx: office.routines.start(tx, file, LASTING_SUPPORT, TODAY, KIM))
        )

    threads = [threading.Thread(target=start) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert numbers == [2, 2]
    assert len([line for line in office.lines(file) if line.step.id == "kontakt-socialtjanst"]) == 1


def test_what_is_due_comes_by_its_day_and_the_journal_holds(office: Office) -> None:
    file = office.open()
    due = office.database.view("test_due", lambda tx: office.routines.due(tx, [file.file_id]))
    assert [each.due_on for each in due] == sorted(each.due_on for each in due)
    assert len(due) == sum(1 for line in office.lines(file) if line.due_on is not None)
    soon = office.database.view("test_due", lambda tx: office.routines.due(tx, None, TODAY))
    assert {each.step.id for each in soon} == {"folkbokforing", "orsak"}
    assert office.database.view("test_flaws", lambda tx: office.journal.flaws_of(tx, file.file_id)) == ()
