"""What a named person can state about a pupil, and who must agree.

Invariants
    - Under the policy's `second_person` a hand-made opening is sent only once a second, different person has reviewed
      it; until then it stands here alone (`node.restating`).
    - Acts on identity are possible only where the state they end exists: a typing error where a number was replaced, a
      release where a marking has been taken away.
    - What was said is never changed; it stands, waits or is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.vocabulary import HANDLE_BYTES, Policy
from node.casework.persons import find_person
from node.identity import Identity, Route
from node.model import HAND_MADE_OPENINGS, SAID_BY_HOLDS, UNMARKED, Reason, What
from node.records.dates import EARLIEST_YEAR
from node.records.intake import route_of
from node.records.values import SECRECY_MARKING
from node.store import Transaction
from node.store.imports import Imports
from node.store.pupils import PUPIL_ID_BYTES, Pupil, Pupils
from node.store.sayings import Act, Said, SayingContent, Sayings, SayingState
from node.store.sealing import Sealer
from privacy.identifiers import Sound, parse

MAX_NAME = 100
MAX_REVIEW_DAYS = 366
"""A stay abroad or another schooling that nobody looks at for over a year has slipped out of sight."""

MAX_YEARS_AHEAD = 1
"""A start planned later than next year is a slip of the pen: no planned start postpones for so long."""

_FUTURE = frozenset({What.PLANNED_START})
"""Words about a day that may be yet to come."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A saying that waits for a second person; `person_id` is empty for pupils of the protected-identity role."""

    saying_id: int
    person_id: str
    word: str
    on: date
    reason: str
    said_by: str
    said_on: date

    def __repr__(self) -> str:
        return f"Waiting(saying_id={self.saying_id})"


def words() -> tuple[str, ...]:
    """All that can be said, as the command line spells it."""
    return tuple(spelt(word.value) for word in (*What, *Act) if word not in SAID_BY_HOLDS)


def spelt(word: str) -> str:
    return word.lower().replace("_", "-")


class CaseworkSayings:
    """Takes sayings and reviews. `policy` gives the federation's policy as it stands now."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        policy: Callable[[], Policy],
        clock: Clock,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        self._token = token
        self._pupils = Pupils(sealer)
        self._sayings = Sayings(sealer)
        self._imports = Imports(sealer)

    def say(
        self,
        person: str,
        word: str,
        *,
        on: date | None = None,
        reason: str | None = None,
        review: date | None = None,
        said_by: str,
    ) -> tuple[int, bool]:
        """State something about the pupil with this national number or school-system id.

        Returns the saying's id and whether it waits for a second person. UppropError(INPUT_REFUSED) says what is
        missing.
        """
        today = self._clock.today()
        wanted = word.strip().upper().replace("-", "_")
        if wanted.lower().replace("_", "-") not in words():
            raise _refused(f"{word!r} is nothing that can be said. Known are: {', '.join(words())}.")
        content = SayingContent(wanted, on or today, _name(said_by), reason or None, review)
        _check(content, today)

        def work(tx: Transaction) -> tuple[int, bool]:
            pupil = self._find(tx, person, content, today)
            if content.what is What.AFFIRM and content.on == today and not (pupil.in_roster or pupil.dirty):
                raise _refused("No school system shows this pupil as enrolled here. Enter the enrolment there first.")
            if content.what is None:
                self._act(tx, pupil, Act(content.word), today)
            return self._keep(tx, pupil.pupil_id, content, today)

        return self._database.run("say", work)

    def say_of(self, tx: Transaction, pupil_id: bytes, what: What, on: date, said_by: str) -> tuple[int, bool]:
        """`say` of a pupil who is known already, in the caller's transaction. Raises INPUT_REFUSED."""
        today = self._clock.today()
        content = SayingContent(what.value, on, _name(said_by))
        _check(content, today)
        return self._keep(tx, pupil_id, content, today)

    def resident(self, tx: Transaction, number: Sound, name: str = "", *, marked: bool = False) -> bytes:
        """The pupil_id of the person with this number, who is made a pupil where nobody knew of them.

        `marked`: the list of residents shows a protected identity, and nothing is said but by the policy for those.
        """
        index = self._pupils.number_index(number)
        found = self._pupils.by_numbers(tx, [index]).get(index)
        return self._resident(tx, number, name, marked=marked).pupil_id if found is None else found

    def _keep(self, tx: Transaction, pupil_id: bytes, content: SayingContent, today: date) -> tuple[int, bool]:
        waits = self._policy().second_person and content.what in HAND_MADE_OPENINGS
        state = SayingState.WAITING if waits else SayingState.STANDING
        saying_id = self._sayings.add(tx, pupil_id, content, today, state)
        self._pupils.mark_dirty(tx, [pupil_id])
        return saying_id, waits

    def waiting(self) -> tuple[Waiting, ...]:
        """What waits for a second person, oldest first."""

        return self._database.view("sayings_waiting", self.waiting_in)

    def waiting_in(self, tx: Transaction) -> tuple[Waiting, ...]:
        """`waiting`, in the caller's transaction."""
        said = self._sayings.waiting(tx)
        pupils = self._pupils.load_all(tx, [one.pupil_id for one in said])
        return tuple(_waiting(one, pupils[one.pupil_id]) for one in said)

    def review(self, saying_id: int, reviewed_by: str, *, refuse: bool = False) -> None:
        """A second person's word on a saying that waits."""
        reviewer = _name(reviewed_by)

        def work(tx: Transaction) -> None:
            said = self._sayings.load(tx, saying_id)
            if said is None or said.state is not SayingState.WAITING:
                raise _refused(f"Nothing with the number {saying_id} waits for review.")
            if reviewer.casefold() == said.content.said_by.casefold():
                raise _refused("The review is a second person's: whoever stated it cannot review it.")
            state = SayingState.REFUSED if refuse else SayingState.STANDING
            self._sayings.settle(tx, said, reviewer, state)
            self._pupils.mark_dirty(tx, [said.pupil_id])

        self._database.run("review", work)

    # -- finding the pupil ------------------------------------------------------------------------------------------

    def _find(self, tx: Transaction, person: str, content: SayingContent, today: date) -> Pupil:
        if self._imports.newest(tx) is None:
            raise _refused("Nothing has been imported yet. Import an export first: upprop node import --help.")
        found = find_person(tx, person, today, self._pupils, self._imports)
        if found is not None:
            return self._pupils.load(tx, found)
        parsed = parse(person, today)
        if isinstance(parsed, Sound) and content.what is What.NOT_PLACED:
            # A resident who has never been at a school here is in no export.
            return self._resident(tx, parsed)
        raise _refused("No pupil with this national number or school-system id is known here. Check it, or import.")

    def _resident(self, tx: Transaction, number: Sound, name: str = "", *, marked: bool = False) -> Pupil:
        marking = SECRECY_MARKING if marked else UNMARKED
        route, protected = route_of(number, marking, self._policy(), None, replaced=False)
        pupil = Pupil(
            pupil_id=self._token(PUPIL_ID_BYTES),
            handle=self._token(HANDLE_BYTES),
            identity=Identity(person_ids=(), numbers=(number,), given_name=name),
            observations=(),
            route=route,
            protected=protected,
        )
        self._pupils.add(tx, [pupil])
        return pupil

    # -- acts on identity -------------------------------------------------------------------------------------------

    def _act(self, tx: Transaction, pupil: Pupil, act: Act, today: date) -> None:
        marking = pupil.observations[-1].marking if pupil.observations else UNMARKED
        if act is Act.TYPING_ERROR:
            if pupil.route is not Route.RENUMBERED:
                raise _refused("The number of this pupil has not been replaced: there is no typing error to state.")
            identity = pupil.identity.without_typing_errors()
            route, protected = route_of(identity.number, marking, self._policy(), None, replaced=False)
            self._pupils.change(tx, [replace(pupil, identity=identity, route=route, protected=protected)])
            # The old handle stands for a number that may be another child's: it is taken back.
            self._pupils.replace_handle(tx, pupil, self._token(HANDLE_BYTES), today)
            return
        if pupil.route is not Route.PROTECTED:
            raise _refused("This pupil is not handled as protected: there is nothing to release.")
        if marking != UNMARKED:
            raise _refused("The school system still marks this pupil as protected. Import an export without the mark.")
        route, protected = route_of(pupil.identity.number, marking, self._policy(), None, replaced=False)
        self._pupils.change(tx, [replace(pupil, route=route, protected=protected)])


def _check(content: SayingContent, today: date) -> None:
    """What each word needs; raises INPUT_REFUSED with what is missing."""
    what = content.what
    if not EARLIEST_YEAR <= content.on.year <= today.year + MAX_YEARS_AHEAD:
        raise _refused(f"The year of the day ({content.on}) cannot be right.")
    if content.on > today and what not in _FUTURE:
        raise _refused(f"The day ({content.on}) is after today ({today}).")
    if what is What.REASON and content.reason not in {code.value for code in Reason}:
        raise _refused(f"Give the reason as one of: {', '.join(code.value for code in Reason)}.")
    if what is What.DUTY_ENDED:
        if content.review is None or content.review <= today:
            raise _refused("Say with --review on which later day the decision must be looked at again.")
        if (content.review - today).days > MAX_REVIEW_DAYS:
            raise _refused("The review must be within a year.")
    elif content.review is not None:
        raise _refused("Only duty-ended has a day of review.")


def _name(given: str) -> str:
    name = " ".join(given.split())
    if not name or len(name) > MAX_NAME:
        raise _refused("Say who states this: a person's name.")
    return name


def _waiting(said: Said, pupil: Pupil) -> Waiting:
    content, identity = said.content, pupil.identity
    number = identity.number.number if identity.number else ""
    person = "" if pupil.protected else identity.person_id or number
    return Waiting(
        said.saying_id, person, spelt(content.word), content.on, content.reason or "", content.said_by, said.said_on
    )


def _refused(sentence: str) -> UppropError:
    return UppropError(Code.INPUT_REFUSED, sentence)
