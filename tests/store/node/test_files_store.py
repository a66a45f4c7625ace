"""What becomes of a case file by itself, and that nothing a person typed is written over."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from federation.clock import ManualClock
from federation.database import Database
from federation.rules.vocabulary import CaseOutcome, CaseStatus, GapState, Opening, OpeningKind, Urgency
from node.casework.actor import Actor, Role
from node.casework.files import rules
from node.casework.files.filing import CaseFiles, Change, ChangedMeanwhileError, Handed, NoSuchFileError
from node.casework.files.model import CaseFile, Classification, OpenedFor
from node.casework.journal.model import EntryKind
from node.gaps import Gap, OpenedBy
from node.identity import Route
from node.store import Transaction
from node.store.case_keys import CaseKeys
from node.store.chain import Chain
from node.store.files import Files
from node.store.gaps import Gaps
from node.store.journal import Journal
from node.store.subjects import Subjects
from tests.store.node.stored import PUPILS, SEALER, handle, opened, pupil, pupil_id

TODAY = date(2026, 9, 21)
DAY = timedelta(days=1)
NOW = datetime(2026, 9, 21, 8, tzinfo=UTC)
KIM = Actor("test|kim", "Kim Ek", frozenset({Role.CASEWORKER}))
PIA = Actor("test|pia", "Pia Al", frozenset({Role.PROTECTED}))
GAPS = Gaps(PUPILS)

OPEN_GAP = Gap(
    handle=handle(1),
    opening=Opening(1, OpeningKind.LEFT, date(2026, 9, 5), Urgency.NORMAL),
    route=Route.REGISTRY,
    stated=True,
    due_on=date(2026, 9, 18),
    said_on=date(2026, 9, 7),
    state=GapState.OPEN,
    state_since=date(2026, 9, 18),
    opened_on=date(2026, 9, 18),
    opened_by=OpenedBy.NOTICE,
)


class Office:
    """Case files over a store of their own."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.database = database
        self.clock = ManualClock("Europe/Stockholm", TODAY)
        self.keys = CaseKeys(directory / "case-keys", SEALER)
        self.files, self.journal = Files(self.keys), Journal(self.keys, SEALER)
        self.changes: list[Change] = []
        self.case_files = CaseFiles(
            database,
            self.files,
            self.journal,
            self.clock,
            on_changed=(lambda _tx, change: self.changes.append(change),),
        )

    def gap(self, **changed: object) -> None:
        """The gap comes to be, or to another state; the node notices as in a sync."""
        gap = replace(OPEN_GAP, **changed)  # type: ignore[arg-type]
        self.database.run("test_gap", lambda tx: GAPS.save(tx, [(pupil_id(1), gap)]))
        self.notice()

    def notice(self) -> int:
        return self.case_files.begin_missing() + self.case_files.follow()

    def file(self) -> CaseFile:
        of = self.database.view("test_file", lambda tx: self.files.of_pupils(tx, [pupil_id(1)]))
        [file] = of[pupil_id(1)]
        return file

    def kinds(self) -> list[EntryKind]:
        file_id = self.file().file_id
        entries = self.database.view("test_journal", lambda tx: self.journal.of_file(tx, file_id))
        return [entry.kind for entry in entries]

    def close(self, outcome: CaseOutcome) -> CaseFile:
        file = self.file()
        file = self.case_files.classify(file.file_id, file.revision, Classification.ADMIN_LAG, KIM, why="sen")
        return self.case_files.set_status(
            file.file_id, file.revision, CaseStatus.CLOSED, KIM, why="klart", outcome=outcome
        )


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    with opened(database, *(pupil(place) for place in range(1, 5))) as store:
        yield Office(store, tmp_path)


def test_a_gap_has_one_case_file_however_often_it_is_noticed(office: Office) -> None:
    office.gap()
    assert office.notice() == 0
    file = office.file()
    assert (file.status, file.opened_on, file.reference) == (CaseStatus.NEW, OPEN_GAP.opened_on, "2026-00001")
    assert office.kinds() == [EntryKind.OPENED]
    assert file.responsible.role is Role.CASEWORKER


def test_an_answer_is_told_and_closes_nothing_and_one_that_falls_away_opens_it_again(office: Office) -> None:
    office.gap()
    office.gap(state=GapState.ANSWERED, state_since=TODAY)
    assert office.file().status is CaseStatus.NEW
    assert office.kinds() == [EntryKind.OPENED, EntryKind.GAP]
    office.close(CaseOutcome.ENROLLED_ELSEWHERE)
    assert office.notice() == 0
    office.clock.set_today(TODAY + 5 * DAY)
    office.gap(state=GapState.OPEN, state_since=TODAY + 5 * DAY)
    file = office.file()
    assert (file.status, file.status_since, file.outcome) == (CaseStatus.REOPENED, TODAY + 5 * DAY, None)
    assert office.kinds()[-1] is EntryKind.GAP
    assert office.changes[-1].before.status is CaseStatus.CLOSED
    assert office.notice() == 0


def test_what_a_person_closed_while_its_gap_was_open_stays_closed(office: Office) -> None:
    office.gap()
    office.close(CaseOutcome.EMIGRATED)
    office.gap(coverage_incomplete=True)
    assert office.file().status is CaseStatus.CLOSED


def test_a_suspension_ends_on_its_day_by_itself(office: Office) -> None:
    office.gap()
    file = office.file()
    office.case_files.set_status(
        file.file_id, file.revision, CaseStatus.SUSPENDED, KIM, why="utredning", until=TODAY + 3 * DAY
    )
    assert office.notice() == 0
    office.clock.set_today(TODAY + 3 * DAY)
    assert office.notice() == 1
    assert (office.file().status, office.file().suspended_until) == (CaseStatus.REOPENED, None)
    assert office.notice() == 0


def test_a_pupil_who_is_protected_by_now_is_out_of_sight_before_any_sync(office: Office) -> None:
    office.gap()
    file = office.file()
    office.case_files.hand(file.file_id, file.revision, Handed.TAKEN, KIM)
    office.database.run("test_protect", lambda tx: PUPILS.change(tx, [replace(pupil(1), protected=True)]))
    with pytest.raises(NoSuchFileError):
        office.database.view("test_see", lambda tx: office.case_files.see(tx, file.file_id, KIM))
    with pytest.raises(NoSuchFileError):
        office.case_files.hand(file.file_id, file.revision + 1, Handed.BACK, KIM)
    assert office.notice() == 1
    assert office.notice() == 0
    kept = office.database.view("test_see", lambda tx: office.case_files.see(tx, file.file_id, PIA))
    assert (kept.responsible.role, kept.responsible.name) == (Role.PROTECTED, "")
    # Sticky: a mark that is taken away shows it to nobody until a person of the role says so.
    office.database.run("test_release", lambda tx: PUPILS.change(tx, [pupil(1)]))
    with pytest.raises(NoSuchFileError):
        office.database.view("test_see", lambda tx: office.case_files.see(tx, file.file_id, KIM))


def test_the_second_of_two_editors_changes_nothing_and_is_told_what_the_first_did(office: Office) -> None:
    office.gap()
    seen = office.file()
    office.case_files.hand(seen.file_id, seen.revision, Handed.TAKEN, KIM)
    with pytest.raises(ChangedMeanwhileError) as refused:
        office.case_files.set_status(seen.file_id, seen.revision, CaseStatus.ESCALATED, PIA)
    assert [entry.kind for entry in refused.value.since] == [EntryKind.RESPONSIBLE]
    # Sent twice is changed once.
    with pytest.raises(ChangedMeanwhileError):
        office.case_files.hand(seen.file_id, seen.revision, Handed.TAKEN, KIM)
    assert office.file().status is CaseStatus.NEW


def test_a_worry_told_twice_is_one_case_file(office: Office) -> None:
    def tell(tx: Transaction) -> CaseFile:
        return office.case_files.open_in(tx, pupil_id(1), OpenedFor.WORRY, "kom inte", KIM, protected=False)

    first = office.database.run("test_open", tell)
    assert office.database.run("test_open", tell).file_id == first.file_id
    assert office.kinds() == [EntryKind.OPENED]


def test_of_an_erased_pupils_case_file_remains_that_there_was_one(office: Office) -> None:
    office.gap()
    office.close(CaseOutcome.PLACED)
    file_id = office.file().file_id
    office.database.run("test_shred", lambda tx: Subjects(SEALER).shred(tx, pupil_id(1), NOW))
    kept = office.database.view("test_load", lambda tx: office.files.load(tx, file_id))
    assert kept is not None
    assert (kept.pupil_id, kept.gap, kept.outcome, kept.shredded_on) == (None, None, CaseOutcome.PLACED, TODAY)
    office.keys.destroy(file_id)
    entries = office.database.view("test_journal", lambda tx: office.journal.of_file(tx, file_id))
    assert [entry.body for entry in entries] == [None] * len(entries)
    assert office.database.view("test_flaws", lambda tx: list(Chain(SEALER).flaws(tx))) == []
    assert office.notice() == 0


def test_a_close_needs_outcome_assessment_and_reason(office: Office) -> None:
    office.gap()
    file = office.file()
    for fields, why in (
        ({}, rules.Refused.REASON_MISSING),
        ({"why": "klart"}, rules.Refused.OUTCOME_MISSING),
        ({"why": "klart", "outcome": CaseOutcome.PLACED}, rules.Refused.CLASSIFICATION_MISSING),
    ):
        with pytest.raises(rules.RefusedError) as refused:
            office.case_files.set_status(file.file_id, file.revision, CaseStatus.CLOSED, KIM, **fields)  # type: ignore[arg-type]
        assert refused.value.why is why
    with pytest.raises(rules.RefusedError) as refused:
        office.case_files.set_status(file.file_id, file.revision, CaseStatus.SUSPENDED, KIM, why="x", until=TODAY)
    assert refused.value.why is rules.Refused.UNTIL_PAST


def test_case_files_that_are_opened_at_the_same_moment_have_numbers_of_their_own(office: Office) -> None:
    def tell(place: int) -> str:
        def work(tx: Transaction) -> str:
            worry = office.case_files.open_in(tx, pupil_id(place), OpenedFor.WORRY, "oro", KIM, protected=False)
            return worry.reference

        return office.database.run("test_open", work)

    with ThreadPoolExecutor(4) as threads:
        references = list(threads.map(tell, (1, 1, 2, 3, 4, 2)))
    assert references[0] == references[1]
    assert references[2] == references[5]
    assert len(set(references)) == 4
