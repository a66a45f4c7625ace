"""What can be said about each pupil now, made into versions and gaps (design §4.2, §4.7).

Invariants: a pupil's statement, next version and gaps are written in one transaction together with the day on which to
look again; the same input on the same day, taken in any number of times, writes nothing more. On a route other than
`registry` no version is made: what was said before stands, and nothing is added to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.database import Database
from federation.rules.calendar import DAY
from federation.rules.vocabulary import NONCE_BYTES, Handle
from node.gaps import Gap, Judge, opening_number, restated
from node.identity import Route
from node.model import History, ImportFacts, Saying, Statement
from node.outbox import Version, next_version, references, retraction
from node.presence import statement
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupil, Pupils
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
    ) -> None:
        self._database = database
        self._pupils = pupils
        self._sayings = sayings
        self._imports = imports
        self._outbox = outbox
        self._pseudonyms = pseudonyms
        self._notices = notices
        self._gaps = gaps
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
        # A new epoch: its pseudonyms are added to all that was ever said.
        self._pupils.mark_dirty(tx, self._pseudonyms.lacking_epoch(tx, epochs))
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
        self._gaps.save(tx, [(of, gap) for of, each in made.items() for gap in each.gaps])
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
            said=self._sayings.standing(tx, pupil_ids),
            spoken=self._outbox.withdraw(tx, old_handles),
            versions=self._outbox.newest(tx, handles),
            gaps=self._gaps.of_handles(tx, handles),
            retired=retired,
        )
        judge = replace(judge, closed_on=self._notices.state(tx).closed_on)
        context = _Context(facts, today, judge, epochs)
        return [self._restate_one(pupil, known, context) for pupil in pupils]

    def _restate_one(self, pupil: Pupil, known: _Known, context: _Context) -> Restated:
        today, judge = context.today, context.judge
        history = History(pupil.observations, known.said.get(pupil.pupil_id, ()))
        now = statement(history, context.facts, today, judge.policy, judge.calendar)
        handle = Handle(pupil.handle)
        before = known.gaps.get(handle, ())
        numbers = [self._pupils.number_index(number) for number in reversed(pupil.identity.numbers)]
        sends = pupil.route is Route.REGISTRY and bool(numbers)
        versions: list[Version] = []
        if sends:
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
            versions += [] if version is None else [version]
        after = restated(before, now, pupil.route, handle=handle, today=today, judge=judge)
        changed = [gap for gap in after.gaps if gap not in before]
        for old in known.retired.get(pupil.pupil_id, ()):
            if sends and old in known.spoken:
                taken_back = retraction(known.versions.get(old), nonce=self._random_bytes(NONCE_BYTES))
                versions += [] if taken_back is None else [taken_back]
            old_gaps = known.gaps.get(old, ())
            nothing = restated(old_gaps, Statement(), pupil.route, handle=Handle(old), today=today, judge=judge)
            changed += [gap for gap in nothing.gaps if gap not in old_gaps]
        days = [day for day in (now.recheck_on, after.recheck_on) if day is not None]
        # Never today again: a restating that ends does not find the same pupil due once more.
        recheck_on = max(min(days), today + DAY) if days else None
        newest = known.versions.get(handle)
        return Restated(pupil, history, now, newest, before, after.gaps, versions, changed, recheck_on)
