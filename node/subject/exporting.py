"""All that a node keeps of one pupil, or of a resident child, as a document for that person (art. 15).

Invariants
    - Everything that the store has of the pupil is in it, save what would add to what others can find out: the random
      handles and the pseudonyms themselves. That there are some, for which epochs, and who helped make them is told.
    - That there was an export is kept, with who made it, in the transaction that reads; whom it was about is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Event, Log
from federation.retention import rules
from federation.rules.vocabulary import MemberId
from node.casework.files.model import CaseFile
from node.casework.holds.model import Hold
from node.casework.journal.model import Entry
from node.casework.tasks.model import Task
from node.outbox import PseudonymRef
from node.store import Transaction
from node.store.attendance import Attendance
from node.store.case_keys import CaseKeys
from node.store.files import Files
from node.store.gaps import Gaps
from node.store.holds import Holds
from node.store.imports import Imports
from node.store.journal import Journal
from node.store.notices import Notices
from node.store.outbox import Made, Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupil, Pupils
from node.store.records import Records
from node.store.roll_call import RollCalls
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from node.store.subjects import Subjects
from node.store.tasks import Tasks
from node.store.whole import metadata
from node.subject.finding import asked_before, find_subject, with_tasks

SUBJECT_EXPORTED = Event("subject_exported")

Document = dict[str, Any]


class Exporting:
    """Makes documents."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        member: MemberId,
        clock: Clock,
        log: Log,
        case_keys: CaseKeys,
    ) -> None:
        self._database, self._member = database, member
        self._clock, self._log = clock, log
        self._pupils = Pupils(sealer)
        self._records = Records(sealer)
        self._imports = Imports(sealer)
        self._sayings = Sayings(sealer)
        self._outbox = Outbox(sealer)
        self._pseudonyms = Pseudonyms(sealer)
        self._subjects = Subjects(sealer)
        self._tasks, self._attendance = Tasks(sealer), Attendance(sealer)
        self._gaps, self._holds = Gaps(self._pupils), Holds(sealer)
        self._files, self._journal = Files(case_keys), Journal(case_keys, sealer)

    def export(self, number: str, by: str, *, protected: bool) -> Document:
        """The document of the person with this national number or school-system id, for JSON.

        UppropError(INPUT_REFUSED) where nothing is kept of the person, or it is not the asker's to see.
        """
        if not by.strip():
            raise UppropError(Code.INPUT_REFUSED, "An export needs who makes it: --by NAME.")
        today = self._clock.today()

        def work(tx: Transaction) -> Document:
            found = find_subject(tx, number, today, self._pupils, self._imports, self._tasks, protected=protected)
            self._subjects.exported(tx, by.strip(), today)
            return self._of_resident(found, today) if isinstance(found, Task) else self._document(tx, found, today)

        document = self._database.run("node_subject_export", work)
        self._log(SUBJECT_EXPORTED)
        return document

    def _document(self, tx: Transaction, pupil: Pupil, today: date) -> Document:
        of = [pupil.pupil_id]
        handles = self._subjects.handles(tx, pupil.pupil_id)
        gaps = [gap for handle, found in self._gaps.of_handles(tx, handles).items() for gap in found]
        units = self._records.units(tx)
        identity = pupil.identity
        before = asked_before(tx, pupil, self._tasks)
        kept = with_tasks(self._subjects.rows(tx, pupil.pupil_id), before)
        document = {
            "made_on": today,
            "member": self._member,
            "identity": {
                "given_name": identity.given_name,
                "family_name": identity.family_name,
                "birth_date": identity.birth_date,
                "sex": identity.sex,
                "numbers": [number.number for number in identity.numbers],
                "wrong_numbers": [number.number for number in identity.dropped],
                "person_ids": list(identity.person_ids),
                "protected": pupil.protected,
                "route": pupil.route.value,
            },
            "school_systems": [
                {
                    "system": stored.system,
                    "person_id": stored.record.person_id,
                    "number": stored.record.number or "",
                    "name": f"{stored.record.given_name} {stored.record.family_name}".strip(),
                    "status": stored.record.status,
                    "marking": stored.record.marking,
                    "rows": [_row(row, units) for row in stored.record.rows],
                }
                for stored in self._records.of_pupils(tx, of).get(pupil.pupil_id, ())
            ],
            "observations": [
                {
                    "as_of": seen.as_of,
                    "in_roster": seen.rows is not None,
                    "status": seen.status,
                    "rows": [_row(row, units) for row in seen.rows or ()],
                }
                for seen in pupil.observations
            ],
            "said_by_staff": [
                {**_plain(said.content), "said_on": said.said_on, "state": said.state.value}
                for said in self._sayings.every(tx, pupil.pupil_id)
            ],
            "tasks": [_task(task) for task in (*self._tasks.of_pupil(tx, pupil.pupil_id), *before)],
            "attendance": [
                {"day": day, "mark": mark.value}
                for day, mark in sorted(self._attendance.of_pupils(tx, of, date.min).get(pupil.pupil_id, {}).items())
            ],
            "withdrawals_asked_for": [_hold(hold) for hold in self._holds.of_pupil(tx, pupil.pupil_id)],
            "sent_to_registry": [_version(made) for made in self._outbox.made_of(tx, pupil.pupil_id)],
            "gaps": [_gap(gap) for gap in gaps],
            "case_files": [
                _case_file(file, self._journal.of_file(tx, file.file_id))
                for file in self._files.of_pupils(tx, of).get(pupil.pupil_id, ())
            ],
            "notices_of_registry": [
                {name: value for name, value in _plain(notice).items() if name not in _RANDOM_NAMES}
                for notice in Notices().of_handles(tx, handles)
            ],
            "asked_by_roll_call": [
                {"called_on": call.called_on, "begun_since": call.begun_since}
                for call in RollCalls().calls(tx, of).get(pupil.pupil_id, ())
            ],
            "told_for_statistics": kept.get("case_descriptions", 0),
            "pseudonyms": self._pseudonyms_of(tx, pupil),
            "kept": _kept(kept),
        }
        builtin: Document = msgspec.to_builtins(document)
        return builtin

    def _of_resident(self, task: Task, today: date) -> Document:
        """Of a child of the list of residents who never was a pupil here."""
        document = {
            "made_on": today,
            "member": self._member,
            "identity": {"name": task.about.name, "numbers": [task.about.number], "protected": task.protected},
            "tasks": [_task(task)],
            "kept": _kept(with_tasks({}, [task])),
        }
        builtin: Document = msgspec.to_builtins(document)
        return builtin

    def _pseudonyms_of(self, tx: Transaction, pupil: Pupil) -> list[dict[str, Any]]:
        wanted = [
            PseudonymRef(epoch, self._pupils.number_index(number))
            for number in pupil.identity.numbers
            for epoch in self._pseudonyms.epochs(tx)
        ]
        made = self._pseudonyms.made_by(tx, wanted)
        return [{"epoch": ref.epoch, "evaluators": evaluators} for ref, evaluators in sorted(made.items())]


_RANDOM_NAMES = frozenset({"handle", "case_id", "nonce", "pseudonyms"})


def _kept(rows: Mapping[str, int]) -> list[dict[str, Any]]:
    until = rules(metadata)
    return [
        {"table": table, "rows": number, "until": until[table].until, "why": until[table].why}
        for table, number in sorted(rows.items())
    ]


def _task(task: Task) -> dict[str, Any]:
    """What was asked and answered."""
    about = task.about
    return {
        "kind": task.kind.value,
        "made_on": task.made_on,
        "state": task.state.value,
        "name": about.name,
        "number": about.number,
        "since": about.since,
        "resident_since": about.resident_since,
        "answered": None if task.answered is None else _plain(task.answered),
    }


def _hold(hold: Hold) -> dict[str, Any]:
    """Who asked to withdraw the pupil, why, and what became of it."""
    told = {name: value for name, value in _plain(hold).items() if name not in {"asked", "pupil_id"}}
    asked = {name: value for name, value in _plain(hold.asked).items() if name != "hold_id"}
    return {**asked, **told, "released_by": told["released_by"] or ""}


def _plain(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(value)
    return found


def _case_file(file: CaseFile, entries: Iterable[Entry]) -> dict[str, Any]:
    """With its journal, as it was written; its attachments go with the case file's own export."""
    told = {name: value for name, value in _plain(file).items() if name not in {"file_id", "pupil_id", "gap"}}
    journal = [
        {
            "written_at": entry.written_at,
            "kind": entry.kind.value,
            "author": entry.author or "",
            "body": dict(entry.body or {}),
        }
        for entry in entries
    ]
    return {**told, "responsible": file.responsible.name or file.responsible.role.value, "journal": journal}


def _row(row: Any, units: Any) -> dict[str, Any]:
    return {**_plain(row), "unit_name": units.get(row.unit, "")}


def _gap(gap: Any) -> dict[str, Any]:
    told = {name: value for name, value in _plain(gap).items() if name not in _RANDOM_NAMES}
    return {**told.pop("opening"), **told}


def _version(made: Made) -> dict[str, Any]:
    signal = _plain(made.version.signal)
    return {
        "version": made.version.signal.version,
        "made_on": made.made_on,
        "state": made.state.value,
        "code": made.code or "",
        "epochs": sorted({ref.epoch for ref in made.version.carries}),
        **{name: signal[name] for name in ("presences", "opening", "duty_ended", "retracted")},
    }
