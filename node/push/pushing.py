"""Taking what school systems push: once, durably, and answered the same however often it comes.

Invariants
    - A client's requests are about its own school system; nothing here takes a system's name from a request.
    - A request and its answer are kept in the transaction that takes it: there is no moment at which one is lost
      without the other.
    - Parts of a roster count for nothing until all have come; then they are taken as one delivery, or none of them is.
      Changes that are taken in between put an end to it: what was acknowledged is never undone by what was sent before.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from node.model import IMMEDIATE_REASONS, What
from node.push import requests
from node.push.deliveries import Changes, Ending, Roster, read_persons
from node.push.requests import Answer, Put, RosterPart, Withdrawal
from node.records.importing import Importing
from node.records.person import Remark, qualified
from node.records.report import ImportReport, number_remark
from node.store import Transaction
from node.store.imports import Imports
from node.store.pupils import Pupils
from node.store.pushes import Pushes, StagedPart, Taken
from node.store.sayings import SayingContent, Sayings, SayingState
from node.store.sealing import Sealer
from privacy.identifiers import Sound, parse

_DOUBTED = {
    Code.EXPORT_SHRUNK: "This roster lacks half the pupils of the one before. It is kept, and the node's administrator "
    "can take it: upprop node client take. Or put the right one.",
    Code.EXPORT_FOREIGN: "This roster has next to nobody of the one before. Put the right one, or ask the node's "
    "administrator.",
}
"""What a school system is told of a roster that may be a mistake, and no more."""

_OVERTAKEN = bytes(32)
"""In place of a digest: this id is that of a roster which changes have overtaken."""


class Pushing:
    """Takes the requests of school systems, one at a time."""

    def __init__(self, database: Database, sealer: Sealer, importing: Importing, clock: Clock) -> None:
        self._database = database
        self._importing = importing
        self._clock = clock
        self._imports = Imports(sealer)
        self._pupils = Pupils(sealer)
        self._pushes = Pushes(sealer)
        self._sayings = Sayings(sealer)
        self._one_at_a_time = threading.Lock()

    def put(self, system: str, put: Put) -> Answer:
        """Raises UppropError: BATCH_REUSED, REQUEST_INVALID, and what `Importing.take` raises."""
        with self._one_at_a_time:
            answer = self._answered(system, put.request_id, put.digest)
            if answer is not None:
                return answer
            answer = Answer(self._remarks(put.persons))
            if put.part is not None:
                return self._put_part(system, put, put.part, answer)
            taken = Taken(put.request_id, put.digest, requests.pack(answer))
            delivery = Changes(put.persons, put.deleted, put.digest)

            def also(tx: Transaction) -> None:
                if not put.says_nothing:
                    self._overtake(tx, system)
                self._keep(tx, system, [taken])

            self._importing.take(delivery, put.as_of, system=system, also=also)
            return answer

    def withdraw(self, system: str, wanted: Withdrawal) -> Answer:
        """Raises UppropError: BATCH_REUSED, INPUT_REFUSED for an unknown person, and what `Importing.take` raises."""
        with self._one_at_a_time:
            answer = self._answered(system, wanted.request_id, wanted.digest)
            if answer is not None:
                return answer
            sought_on = wanted.as_of if wanted.reason in IMMEDIATE_REASONS else None
            delivery = Ending(wanted.person_id, wanted.last_day, wanted.unit, wanted.digest, sought_on)

            def also(tx: Transaction) -> None:
                self._overtake(tx, system)
                self._say_why(tx, system, wanted)
                made = requests.pack(Answer(ended=delivery.ended))
                self._keep(tx, system, [Taken(wanted.request_id, wanted.digest, made)])

            self._importing.take(delivery, wanted.as_of, system=system, also=also)
            return Answer(ended=delivery.ended)

    def newest(self, system: str) -> date | None:
        """The newest as-of of a school system; None where the node has no roster of it."""
        found = self._database.view("push_state", lambda tx: self._imports.newest(tx, system))
        return None if found is None or found.retired else found.as_of

    def take_waiting(self, system: str, *, accept_shrink: bool, confirm_leavings: bool) -> ImportReport:
        """By the administrator's word: take a whole roster that was refused, and let through leavings that wait.

        Raises UppropError: INPUT_REFUSED where this system has pushed nothing, and what `Importing.take` raises.
        """
        with self._one_at_a_time:
            staged = self._database.view("push_staged", lambda tx: self._pushes.staged(tx, system))
            newest = self.newest(system)
            if staged and len(staged) == staged[0].parts:
                return self._take_roster(system, staged, accept_shrink=accept_shrink, confirm_leavings=confirm_leavings)
            if newest is None:
                raise UppropError(Code.INPUT_REFUSED, f"Nothing has been taken of the school system {system} yet.")
            nothing = Changes(b"[]", (), bytes(32))
            return self._importing.take(nothing, newest, system=system, confirm_leavings=confirm_leavings)

    # -- requests that come again -----------------------------------------------------------------------------------

    def _answered(self, system: str, request_id: bytes, digest: bytes) -> Answer | None:
        """The answer to a request that was taken before."""
        taken = self._database.view("push_taken", lambda tx: self._pushes.taken(tx, system, request_id))
        if taken is None:
            return None
        _check_same(taken.digest, digest)
        return requests.unpack(taken.answer)

    def _keep(self, tx: Transaction, system: str, taken: Sequence[Taken]) -> None:
        now = self._clock.now()
        for one in taken:
            self._pushes.keep(tx, system, one, now)

    # -- rosters in parts -------------------------------------------------------------------------------------------

    def _put_part(self, system: str, put: Put, part: RosterPart, answer: Answer) -> Answer:
        made = StagedPart(
            part.roster_id, part.part, part.parts, put.as_of, put.request_id, put.digest, requests.pack(answer)
        )

        def work(tx: Transaction) -> tuple[StagedPart, ...]:
            if self._pushes.taken(tx, system, made.roster_id) is not None:
                raise UppropError(
                    Code.INPUT_REFUSED,
                    "Changes were taken after this roster began, and it would undo them. Put the whole roster again, "
                    "with a new roster_id.",
                )
            staged = self._pushes.staged(tx, system)
            if any(other.roster_id != made.roster_id for other in staged):
                # The school system has given that roster up: it sends one at a time.
                self._pushes.unstage(tx, system)
                staged = ()
            for other in staged:
                if (other.as_of, other.parts) != (made.as_of, made.parts):
                    raise _invalid("All parts of a roster state the same as-of and the same number of parts.")
                if made.request_id == other.request_id or made.part == other.part:
                    _check_same(other.digest, made.digest)
            self._pushes.stage(tx, system, made, put.persons)
            return self._pushes.staged(tx, system)

        staged = self._database.run("push_part", work)
        if len(staged) < made.parts:
            return Answer(answer.remarks, made.parts - len(staged))
        try:
            self._take_roster(system, staged, accept_shrink=False, confirm_leavings=False)
        except UppropError as error:
            if error.code not in _DOUBTED:
                raise
            # How many of these persons other school systems here have is for the administrator alone.
            raise UppropError(error.code, _DOUBTED[error.code]) from error
        return answer

    def _overtake(self, tx: Transaction, system: str) -> None:
        """A roster that is not taken yet knows nothing of the change being taken: it never counts, under its id."""
        staged = self._pushes.staged(tx, system)
        if staged:
            self._keep(tx, system, [Taken(staged[0].roster_id, _OVERTAKEN, b"")])
            self._pushes.unstage(tx, system)

    def _take_roster(
        self, system: str, staged: Sequence[StagedPart], *, accept_shrink: bool, confirm_leavings: bool
    ) -> ImportReport:
        def persons(part: int) -> bytes:
            return self._database.view("push_part_persons", lambda tx: self._pushes.persons(tx, system, part))

        def also(tx: Transaction) -> None:
            self._keep(tx, system, [Taken(part.request_id, part.digest, part.answer) for part in staged])
            self._pushes.unstage(tx, system)

        return self._importing.take(
            Roster([part.digest for part in staged], persons),
            staged[0].as_of,
            system=system,
            accept_shrink=accept_shrink,
            confirm_leavings=confirm_leavings,
            also=also,
        )

    # -- what is remarked and said ----------------------------------------------------------------------------------

    def _remarks(self, persons: bytes) -> tuple[Remark, ...]:
        """What the school system is told of a put: the same as stands in an import's report."""
        today = self._clock.today()
        remarks: list[Remark] = []
        for item in read_persons(persons):
            if isinstance(item, Remark):
                remarks.append(item)
            elif not isinstance(parsed := parse(item.number, today), Sound):
                remarks.append(number_remark(parsed, item.position))
        return tuple(remarks)

    def _say_why(self, tx: Transaction, system: str, wanted: Withdrawal) -> None:
        """Keep the reason as a saying of the client's. It makes no opening, so no second person has to agree."""
        if wanted.reason is None:
            return
        person = self._pupils.person_index(qualified(system, wanted.person_id))
        pupil_id = self._pupils.by_person_ids(tx, [person])[person]
        content = SayingContent(What.REASON.value, wanted.last_day, system, wanted.reason.value)
        self._sayings.add(tx, pupil_id, content, self._clock.today(), SayingState.STANDING)
        self._pupils.mark_dirty(tx, [pupil_id])


def _check_same(before: bytes, now: bytes) -> None:
    if before != now:
        raise UppropError(
            Code.BATCH_REUSED,
            "This id stands for another request that came before. Choose a new id for each new content.",
        )


def _invalid(sentence: str) -> UppropError:
    return UppropError(Code.REQUEST_INVALID, sentence)
