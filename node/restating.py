"""What can be said about each pupil now, made into versions and gaps (design §4.2, §4.7).

Invariants: a pupil's statement, next version and gaps are written in one transaction together with the day on which to
look again; the same input on the same day, taken in any number of times, writes nothing more. On a route other than
`registry` nothing is said anew: what was said before stands, and is repeated word for word where an epoch begins. What
waits for a second person is in no version and yet makes its gap here: whoever is to be looked for at once has a case
file before the review.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.database import Database
from federation.rules.calendar import DAY
from federation.rules.vocabulary import NONCE_BYTES, Handle
from node.casework.tasks.arrivals import Arrivals
from node.gaps import Gap, Judge, opening_number, restated
from node.identity import Route
from node.model import Call, History, ImportFacts, Saying, Statement
from node.outbox import Version, next_version, references, repetition, retraction
from node.presence import statement
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupil, Pupils
from node.store.roll_call import RollCalls
from node.store.sayings import Sayings

CHUNK = 200
"""Pupils per transaction: short enough that an import never waits long."""


@dataclass(frozen=True, slots=True)
class _Context:
    """What all statements of one chunk rest on."""

    facts: ImportFacts
    today: date
    judge: Judge
    epochs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was made of a chunk's pupils before."""

    said: Mapping[bytes, tuple[Saying, ...]]
    versions: Mapping[bytes, Version]
    gaps: Mapping[bytes, tuple[Gap, ...]]
    retired: Mapping[bytes, Sequence[bytes]]
    spoken: frozenset[bytes]
    stands: Mapping[bytes, Version]
    """Of handles about which nothing more is said: what the registry has."""
    calls: Mapping[bytes, tuple[Call, ...]]


@dataclass(frozen=True, slots=True)
class Restated:
    """What one pupil's statement comes to, and what is to be written: new versions, gaps that changed, when to look
    again. `before` and `after` are all gaps of the pupil's handle, `newest` the version before the new ones."""

    pupil: Pupil
    history: History
    statement: Statement
    newest: Version | None
    before: Sequence[Gap]
    after: Sequence[Gap]
    versions: Sequence[Version]
    gaps: Sequence[Gap]
    recheck_on: date | None


class Restating:
    """Restates the pupils of whom something new may be to be said."""

    def __init__(
        self,
        database: Database,
        pupils: Pupils,
        sayings: Sayings,
        imports: Imports,
        outbox: Outbox,
        pseudonyms: Pseudonyms,
        notices: Notices,
        gaps: Gaps,
        random_bytes: Callable[[int], bytes],
        arrivals: Arrivals | None = None,
    ) -> None:
        self._database = database
        self._arrivals = arrivals
        self._pupils = pupils
        self._sayings = sayings
        self._imports = imports
        self._outbox = outbox
        self._pseudonyms = pseudonyms
        self._notices = notices
        self._gaps = gaps
        self._calls = RollCalls()
        self._random_bytes = random_bytes

    def run(
        self, today: date, judge: Judge, epochs: Sequence[int], rules_digest: bytes
    ) -> Generator[tuple[int, int], None, int]:
        """Restate all that is due; yields (done, total) and returns how many pupils were restated.

        `rules_digest` stands for policy and calendar: where it differs from the last run's, every pupil is restated.
        """
        look = functools.partial(self._due, today=today, epochs=frozenset(epochs), rules_digest=rules_digest)
        due = self._database.run("node_restating_due", look)
        for start in range(0, len(due), CHUNK):
            yield start, len(due)
            chunk = due[start : start + CHUNK]
            self._database.run("node_restate", functools.partial(self._restate, chunk, today, judge, tuple(epochs)))
        if due:
            yield len(due), len(due)
        return len(due)

    def _due(self, tx: Transaction, today: date, epochs: frozenset[int], rules_digest: bytes) -> tuple[bytes, ...]:
        if self._notices.rules_digest(tx) != rules_digest:
            self._pupils.mark_all_dirty(tx)
            self._notices.set_rules_digest(tx, rules_digest)
        if self._notices.stated_epochs(tx) != epochs:
            # A new epoch: its pseudonyms are added to all that was ever said.
            self._outbox.mark_spoken(tx)
            self._notices.set_stated_epochs(tx, epochs)
        return self._pupils.to_restate(tx, today)

    def foresee(
        self, tx: Transaction, today: date, judge: Judge, epochs: Sequence[int], rules_digest: bytes
    ) -> Iterator[Restated]:
        """What `run` would make of each pupil that is due, drills left out. For a transaction that is not kept."""
        due = self._due(tx, today, frozenset(epochs), rules_digest)
        for start in range(0, len(due), CHUNK):
            made = self._made(tx, due[start : start + CHUNK], today, judge, tuple(epochs))
            yield from (each for each in made if not each.pupil.identity.drill)

    def _restate(
        self, pupil_ids: Sequence[bytes], today: date, judge: Judge, epochs: tuple[int, ...], tx: Transaction
    ) -> None:
        made = {each.pupil.pupil_id: each for each in self._made(tx, pupil_ids, today, judge, epochs)}
        self._outbox.add(tx, [(of, version) for of, each in made.items() for version in each.versions], today)
        for each in made.values():
            if each.pupil.route is not Route.REGISTRY:
                for version in each.versions:
                    self._outbox.overtake(tx, version)
        self._gaps.save(tx, [(of, gap) for of, each in made.items() for gap in each.gaps])
        self._calls.doubt(tx, {of: each.statement.doubted for of, each in made.items() if each.history.calls})
        if self._arrivals is not None:
            stated = [(each.pupil, each.statement, each.history.sayings) for each in made.values()]
            self._arrivals.note(tx, stated, today, judge.calendar)
        self._pupils.restated(tx, {of: (each.recheck_on, each.statement.in_force) for of, each in made.items()})

    def _made(
        self, tx: Transaction, pupil_ids: Sequence[bytes], today: date, judge: Judge, epochs: tuple[int, ...]
    ) -> list[Restated]:
        facts = self._imports.facts(tx)
        if facts is None:
            return []
        pupils = list(self._pupils.load_all(tx, pupil_ids).values())
        retired: dict[bytes, list[bytes]] = {}
        for handle, pupil_id in self._pupils.retired(tx, pupil_ids).items():
            retired.setdefault(pupil_id, []).append(handle)
        old_handles = [handle for handles in retired.values() for handle in handles]
        handles = [*(pupil.handle for pupil in pupils), *old_handles]
        known = _Known(
            said=self._sayings.standing_or_waiting(tx, pupil_ids),
            spoken=self._outbox.withdraw(tx, old_handles),
            stands=self._outbox.said(tx, [pupil.handle for pupil in pupils if pupil.route is not Route.REGISTRY]),
            calls=self._calls.calls(tx, pupil_ids),
            versions=self._outbox.newest(tx, handles),
            gaps=self._gaps.of_handles(tx, handles),
            retired=retired,
        )
        judge = replace(judge, closed_on=self._notices.state(tx).closed_on)
        context = _Context(facts, today, judge, epochs)
        return [self._restate_one(pupil, known, context) for pupil in pupils]

    def _restate_one(self, pupil: Pupil, known: _Known, context: _Context) -> Restated:
        today, judge = context.today, context.judge
        of = pupil.pupil_id
        history = History(pupil.observations, known.said.get(of, ()), known.calls.get(of, ()))
        now = statement(history, context.facts, today, judge.policy, judge.calendar)
        held = now
        if not all(saying.counts for saying in history.sayings):
            held = statement(history.as_if_reviewed(), context.facts, today, judge.policy, judge.calendar)
        grown_on = pupil.identity.grown_on
        grown = grown_on is not None and grown_on <= today
        if grown:
            now = held = Statement()
        handle = Handle(pupil.handle)
        stood = known.gaps.get(handle, ())
        before: Sequence[Gap] = stood
        numbers = [self._pupils.number_index(number) for number in reversed(pupil.identity.numbers)]
        sends = pupil.route is Route.REGISTRY and bool(numbers)
        versions: list[Version] = []
        if sends:
            before = _none_twice(stood, now, held, known.versions.get(handle))
            version = next_version(
                known.versions.get(handle),
                now,
                handle=handle,
                carries=references(numbers, context.epochs),
                opening_number=opening_number(before),
                nonce=self._random_bytes(NONCE_BYTES),
                today=today,
                drill=pupil.identity.drill,
            )
            if grown:
                version = retraction(known.versions.get(handle), nonce=self._random_bytes(NONCE_BYTES))
            versions += [] if version is None else [version]
        else:
            repeated = repetition(
                known.stands.get(handle),
                known.versions.get(handle),
                numbers=numbers,
                epochs=context.epochs,
                nonce=self._random_bytes(NONCE_BYTES),
            )
            versions += [] if repeated is None else [repeated]
        after = restated(before, held, pupil.route, handle=handle, today=today, judge=judge)
        changed = [gap for gap in after.gaps if gap not in stood]
        for old in known.retired.get(pupil.pupil_id, ()):
            if sends and old in known.spoken:
                taken_back = retraction(known.versions.get(old), nonce=self._random_bytes(NONCE_BYTES))
                versions += [] if taken_back is None else [taken_back]
            old_gaps = known.gaps.get(old, ())
            nothing = restated(old_gaps, Statement(), pupil.route, handle=Handle(old), today=today, judge=judge)
            changed += [gap for gap in nothing.gaps if gap not in old_gaps]
        days = [day for day in (now.recheck_on, held.recheck_on, after.recheck_on) if day is not None]
        if grown_on is not None and grown_on > today and (versions or handle in known.versions):
            days.append(grown_on)
        # Never today again: a restating that ends does not find the same pupil due once more.
        recheck_on = max(min(days), today + DAY) if days else None
        newest = known.versions.get(handle)
        return Restated(pupil, history, now, newest, stood, after.gaps, versions, changed, recheck_on)


def _none_twice(gaps: Sequence[Gap], now: Statement, held: Statement, newest: Version | None) -> Sequence[Gap]:
    """The gaps before a statement, that of a sent opening which is now taken back no longer stated.

    Else what waits for review would go on under its number, and be sent under it after a version without one.
    """
    if now.opening is not None or held.opening is None or newest is None or newest.signal.opening is None:
        return gaps
    return tuple(replace(gap, stated=False) if gap.number == newest.signal.opening.number else gap for gap in gaps)
