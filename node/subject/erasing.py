"""Erasing one pupil (art. 17): first what was said at the registry is taken back, then every row here goes.

Of a child of the list of residents who never was a pupil here nothing was said: what is kept goes at once.

Invariants
    - Nothing goes before the registry has taken the retraction: afterwards nobody could take it back any more.
    - Whoever is enrolled here, looked for or waited for is not erased: the duty to follow up on a pupil comes first
      (art. 17(3)(b)), and a pupil in a roster would come back with the next import.
    - From the request on nothing new is said of the pupil. One who comes into a roster again meanwhile is not erased.
    - Each step is a transaction of its own; a crash between two, or a step done twice, changes nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Event, Log
from federation.rules.vocabulary import NONCE_BYTES
from node.casework.files.model import FileId
from node.casework.tasks.model import Task
from node.outbox import Version, retraction
from node.store import Transaction
from node.store.case_keys import CaseKeys
from node.store.imports import Imports
from node.store.outbox import Outbox
from node.store.pupils import Pupil, Pupils
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from node.store.subjects import Request, State, Subjects, Waiting, scrub
from node.store.tasks import Tasks
from node.subject.finding import asked_before, find_subject, refuse_if_followed_up, with_tasks
from node.subject.tombstones import Tombstones
from privacy.identifiers import Sound, parse

SUBJECT_ERASED = Event("subject_erased")
ERASURE_GIVEN_UP = Event("subject_erasure_given_up")

_A_NUMBER = re.compile(r"\d{6}")
"""Whoever writes one into a reason would keep what is to go."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure takes away: rows by table; whether something stands at the registry that has to be taken back
    first; whether that says that the pupil was here, which others may rely on; whether it has been begun, and as which
    request (0: it is only shown)."""

    rows: Mapping[str, int]
    takes_back: bool
    relied_on: bool
    begun: bool = False
    request_id: int = 0


BY_AGE, REASON_AGE = "Upprop", "the last case file was shredded"
"""Who erases, and why, where nobody asked for it."""


class Erasing:
    """Erases pupils. `random_bytes` makes nonces."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        tombstones: Tombstones,
        clock: Clock,
        log: Log,
        random_bytes: Callable[[int], bytes],
        case_keys: CaseKeys,
    ) -> None:
        self._database, self._clock, self._log = database, clock, log
        self._tombstones, self._random_bytes = tombstones, random_bytes
        self._case_keys = case_keys
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._sayings = Sayings(sealer)
        self._outbox = Outbox(sealer)
        self._subjects = Subjects(sealer)
        self._tasks = Tasks(sealer)

    def plan(self, number: str, *, protected: bool) -> Plan:
        """What erasing would do; nothing is changed. UppropError(INPUT_REFUSED) says why it may not be done."""
        return self._database.view("node_subject_plan", lambda tx: self._plan(tx, number, protected=protected)[1])

    def begin(self, number: str, by: str, reason: str, *, protected: bool) -> Plan:
        """Have everything taken back at the registry; the next sync sends that, and erases. Twice is once.

        What the registry did not take is said anew: to ask once more is how one goes on after having looked into it.
        """
        if not by.strip() or not reason.strip():
            raise UppropError(Code.INPUT_REFUSED, "An erasure needs who does it and why: --by NAME --reason TEXT.")
        if _A_NUMBER.search(reason) or _A_NUMBER.search(by):
            raise UppropError(
                Code.INPUT_REFUSED,
                "The reason is kept after the erasure and must not say whom it was about: leave numbers out of it.",
            )
        today = self._clock.today()
        found = self._database.view("node_subject_found", lambda tx: self._plan(tx, number, protected=protected)[0])
        if isinstance(found, Task):
            # As of a pupil: it is on the disk that the row is to go, before it goes.
            self._tombstones.add([found.task_id])

        def work(tx: Transaction) -> Plan:
            pupil, plan = self._plan(tx, number, protected=protected)
            if isinstance(pupil, Task):
                self._tasks.erase(tx, [pupil.task_id])
                return replace(plan, request_id=self._subjects.erased(tx, by.strip(), reason.strip(), today))
            if plan.begun:
                self._take_back_again(tx, pupil, today)
                pending = {of: request for request, of in self._subjects.pending(tx).items()}
                return replace(plan, request_id=pending[pupil.pupil_id])
            self._take_back(tx, pupil, today)
            return replace(plan, request_id=self._subjects.begin(tx, pupil.pupil_id, by.strip(), reason.strip(), today))

        plan = self._database.run("node_subject_erase", work)
        if isinstance(found, Task):
            scrub(self._database)
            self._log(SUBJECT_ERASED)
        if not plan.takes_back:
            self.carry_on()
        return plan

    def begin_aged(self, tx: Transaction, pupil_id: bytes) -> bool:
        """Begin to erase a pupil whose last case file was shredded; whether it was begun. In that transaction.

        Where something stands against it (an open gap, a roster, a decision to be looked at again), nothing is done.
        """
        today = self._clock.today()
        pupil = self._pupils.load_all(tx, [pupil_id]).get(pupil_id)
        if pupil is None or pupil_id in self._subjects.pending(tx).values():
            return False
        try:
            self._refuse_if_needed(tx, pupil)
        except UppropError:
            return False
        self._take_back(tx, pupil, today)
        self._subjects.begin(tx, pupil_id, BY_AGE, REASON_AGE, today)
        return True

    def carry_on(self) -> None:
        """Erase whoever nothing stands of at the registry any more. To be called by the sync, or where none runs."""
        today = self._clock.today()
        for request_id, pupil_id in self._database.view("node_erasures", self._subjects.pending).items():
            look = functools.partial(self._look, request_id=request_id, pupil_id=pupil_id, today=today)
            state = self._database.run("node_erasure_ready", look)
            if state is State.GIVEN_UP:
                self._log(ERASURE_GIVEN_UP)
            if state is not State.DONE:
                continue
            names = self._database.view("node_erasure_names", functools.partial(self._names, pupil_id=pupil_id))
            self._tombstones.add(names)
            shred = functools.partial(self._shred, request_id=request_id, pupil_id=pupil_id, today=today)
            if self._database.run("node_erasure", shred):
                scrub(self._database)
                self._log(SUBJECT_ERASED)

        # Also those of which a crash came before.
        emptied = self._database.view("node_emptied_case_files", self._subjects.emptied) & self._case_keys.all()
        self._tombstones.add(emptied)
        for file_id in emptied:
            self._case_keys.destroy(FileId(file_id))
        strays = self._database.view("node_erased_notices", self._subjects.strays)
        erased = [handle for handle in strays if self._tombstones.has([handle])]
        if erased:
            # The close after a retraction tells that its gaps are void.
            self._database.run("node_erase_notices", lambda tx: self._subjects.forget_notices(tx, erased))

    def requests(self) -> tuple[Request, ...]:
        """Who exported and erased when, oldest first."""
        return self._database.view("node_subject_requests", self._subjects.all)

    def waiting(self) -> tuple[Waiting, ...]:
        """The erasures that are not done, oldest first."""
        return self._database.view("node_erasures_waiting", self._subjects.waiting)

    def _plan(self, tx: Transaction, number: str, *, protected: bool) -> tuple[Pupil | Task, Plan]:
        today = self._clock.today()
        if not isinstance(parse(number, today), Sound):
            # Other ways of naming a pupil may mean somebody else tomorrow.
            raise UppropError(Code.INPUT_REFUSED, "This is no national number; write it with twelve digits.")
        pupil = find_subject(tx, number, today, self._pupils, self._imports, self._tasks, protected=protected)
        if isinstance(pupil, Task):
            refuse_if_followed_up(pupil, today)
            return pupil, Plan(with_tasks({}, [pupil]), takes_back=False, relied_on=False)
        begun = pupil.pupil_id in self._subjects.pending(tx).values()
        if not begun:
            self._refuse_if_needed(tx, pupil)
        said = self._newest(tx, pupil)
        plan = Plan(
            with_tasks(self._subjects.rows(tx, pupil.pupil_id), asked_before(tx, pupil, self._tasks)),
            takes_back=not self._subjects.taken_back(tx, pupil.pupil_id),
            relied_on=any(each.signal.presences for each in said),
            begun=begun,
        )
        return pupil, plan

    def _newest(self, tx: Transaction, pupil: Pupil) -> list[Version]:
        """What was said last under each of the pupil's handles."""
        return list(self._outbox.newest(tx, self._subjects.handles(tx, pupil.pupil_id)).values())

    def _refuse_if_needed(self, tx: Transaction, pupil: Pupil) -> None:
        """The order is that in which a person would go about it."""
        systems = self._subjects.systems(tx, pupil.pupil_id)
        if systems or pupil.live:
            raise UppropError(
                Code.INPUT_REFUSED,
                f"The pupil stands in the newest roster of: {', '.join(systems) or 'a school system'}. Erase there "
                "first and import its next export; else the next import would bring the pupil back.",
            )
        if any(held.released_on is None for held in self._imports.held(tx)):
            raise UppropError(
                Code.INPUT_REFUSED,
                "Leavings wait to be confirmed, and this pupil may be one of them. Confirm or wait: upprop node import "
                "--confirm-leavings.",
            )
        if self._subjects.unanswered(tx, pupil.pupil_id):
            raise UppropError(
                Code.INPUT_REFUSED,
                "A gap of the pupil is watched or open: the municipality has a duty to follow it up, which comes "
                "before erasure (GDPR art. 17(3)(b)). Decide the case first: the pupil is found, placed, or no longer "
                "under the duty to attend school (upprop node say).",
            )
        if self._subjects.case_files(tx, pupil.pupil_id, open_only=True):
            raise UppropError(
                Code.INPUT_REFUSED,
                "A case file of the pupil is open: the municipality must work it to its end, which comes before "
                "erasure (GDPR art. 17(3)(b)). Close it first, on its page.",
            )
        ended = [each.signal.duty_ended for each in self._newest(tx, pupil) if each.signal.duty_ended is not None]
        reviews = [duty.review for duty in ended if duty.review is not None and duty.review > self._clock.today()]
        if reviews:
            raise UppropError(
                Code.INPUT_REFUSED,
                f"The decision that ended the duty to attend school must be looked at again on {max(reviews)}: until "
                "then the municipality needs to know of whom it was taken (GDPR art. 17(3)(b)).",
            )
        if self._sayings.waiting_of(tx, [pupil.pupil_id]):
            raise UppropError(
                Code.INPUT_REFUSED, "A statement about the pupil waits for a second person: upprop node review."
            )
        if pupil.dirty:
            raise UppropError(
                Code.INPUT_REFUSED,
                "Something new is known of the pupil that has not been looked at yet: upprop node sync, then again.",
            )

    def _take_back(self, tx: Transaction, pupil: Pupil, today: date) -> None:
        handles = self._subjects.handles(tx, pupil.pupil_id)
        spoken = self._outbox.withdraw(tx, handles)
        newest = self._outbox.newest(tx, handles)
        made = [retraction(newest.get(handle), nonce=self._random_bytes(NONCE_BYTES)) for handle in sorted(spoken)]
        self._send(tx, pupil, made, today)

    def _take_back_again(self, tx: Transaction, pupil: Pupil, today: date) -> None:
        """Under a further version: the refused one may be one that the registry knows otherwise (CONFLICT)."""
        handles = sorted(self._subjects.not_taken(tx, pupil.pupil_id))
        newest = self._outbox.newest(tx, handles)
        again = [
            retraction(newest.get(handle), nonce=self._random_bytes(NONCE_BYTES), again=True) for handle in handles
        ]
        self._send(tx, pupil, again, today)

    def _send(self, tx: Transaction, pupil: Pupil, made: Sequence[Version | None], today: date) -> None:
        versions = [version for version in made if version is not None]
        self._outbox.add(tx, [(pupil.pupil_id, version) for version in versions], today)
        self._subjects.send_retractions(tx, pupil.pupil_id)

    def _names(self, tx: Transaction, pupil_id: bytes) -> list[bytes]:
        """The random names by which a copy would bring back what goes."""
        found = self._pupils.load_all(tx, [pupil_id]).values()
        before = [task.task_id for pupil in found for task in asked_before(tx, pupil, self._tasks)]
        return [pupil_id, *self._subjects.handles(tx, pupil_id), *before]

    def _look(self, tx: Transaction, request_id: int, pupil_id: bytes, today: date) -> State:
        pupil = self._pupils.load_all(tx, [pupil_id]).get(pupil_id)
        if pupil is None or pupil.live or self._subjects.systems(tx, pupil_id):
            # In a roster again, or found to be one with a pupil who is: what was taken back is said anew.
            self._subjects.end(tx, request_id, State.GIVEN_UP, today)
            self._pupils.mark_dirty(tx, [pupil_id])
            return State.GIVEN_UP
        return State.DONE if self._subjects.taken_back(tx, pupil_id) else State.PENDING

    def _shred(self, tx: Transaction, request_id: int, pupil_id: bytes, today: date) -> bool:
        """Whether it was done: looked at once more, for an import may have come between."""
        if self._look(tx, request_id, pupil_id, today) is not State.DONE:
            return False
        pupil = self._pupils.load(tx, pupil_id)
        self._tasks.erase(tx, [task.task_id for task in asked_before(tx, pupil, self._tasks)])
        self._subjects.shred(tx, pupil_id, self._clock.now())
        self._subjects.end(tx, request_id, State.DONE, today)
        return True
