"""What a scanned delivery changes, written in one transaction (design §4.1, §5).

Invariants
    - A refused delivery changes nothing; the same delivery again changes nothing.
    - A pupil is what all records of all school systems show together; records that did not change count with them.
    - Pupils are read and written a part at a time: a roster that changes as a whole, as it does each summer, does not
      have to fit into memory.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from federation.rules.vocabulary import HANDLE_BYTES
from node.identity import Route
from node.model import Observation, Row
from node.records import intake
from node.records.leavings import Leavings, rows_on
from node.records.person import DEFAULT_SYSTEM, RemarkKind
from node.records.report import HeldUnit, ImportReport
from node.records.resolving import Assignment, Claim, Known, NumberChange, Resolution, Resolver
from node.records.scanning import Order, Scan
from node.store import Transaction
from node.store.imports import ImportRecord, Imports
from node.store.pupils import PUPIL_ID_BYTES, Pupil, Pupils
from node.store.records import KnownRecord, NewRecord, Records, StoredRecord, pack, unpack
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from privacy.identifiers import Sound, parse

WRITE_AT_ONCE = 2_000
"""Pupils per statement, and between two reports of progress."""

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called with (pupils written, pupils to write)."""


@dataclass(slots=True)
class _Changes:
    """What one import has done to pupils."""

    observed: int = 0
    vanished: int = 0
    moved: dict[bytes, tuple[Observation, ...]] = field(default_factory=dict)
    """Observations of those whose records no longer cover the day."""
    sizes: Counter[str] = field(default_factory=Counter)
    """Pupils of each school unit at the import before, among those whose records changed."""


@dataclass(frozen=True, slots=True)
class _Resolved:
    """Whose the records are. `standing`: unchanged records of the same pupils, by digest."""

    resolution: Resolution
    standing: Mapping[tuple[str, bytes], StoredRecord]
    vanished: Sequence[bytes]


class Taking:
    """Takes deliveries; every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer, token: Callable[[int], bytes]) -> None:
        self._token = token
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._sayings = Sayings(sealer)
        self._records = Records(sealer)
        self._leavings = Leavings(self._pupils, self._imports, self._sayings)

    def take(
        self, tx: Transaction, order: Order, scan: Scan, received_at: datetime, progress: Progress
    ) -> ImportReport:
        """Raises UppropError: EXPORT_OLDER, EXPORT_FOREIGN, EXPORT_SHRUNK, INPUT_REFUSED."""
        newest = self._imports.newest(tx, order.system)
        intake.check_days(order.as_of, None if newest is None else newest.as_of, order.today)
        intake.check_begun(begun=newest is not None and not newest.retired, whole=scan.whole)
        same = newest is not None and (newest.as_of, newest.file_digest) == (order.as_of, scan.digest)
        if newest is not None and same and newest.retired == order.retires:
            return self._again(tx, order, newest)
        stale = scan.stale
        # A store from before records were kept was one of a single system, which had no name of its own.
        unrecorded = self._records.without(tx) if scan.whole and order.system == DEFAULT_SYSTEM else ()
        lost = {*(known.pupil_id for known in stale.values()), *unrecorded}
        resolved = self._resolve(tx, order, scan, stale, lost)
        if newest is not None:
            self._refuse(tx, order, newest, scan, resolved, lost)
        changes = self._write(tx, order, resolved, progress)
        self._records.drop(tx, order.system, stale)
        self._records.add(tx, order.system, _new_records(resolved))
        self._records.give(tx, _given(resolved))
        self._records.name_units(tx, order.system, scan.units)
        record = ImportRecord(
            as_of=order.as_of,
            seen_on=order.seen_on,
            received_at=received_at,
            file_digest=scan.digest,
            persons=scan.persons,
            rows=scan.rows,
            changed=changes.observed,
            vanished=changes.vanished,
            rejected=sum(remark.kind is RemarkKind.REJECTED for remark in scan.remarks),
            baseline=newest is None,
            system=order.system,
            retired=order.retires,
        )
        self._imports.add(tx, record, scan.remarks)
        if order.last is None and scan.whole:
            days = intake.mass_start_days(scan.starts, scan.roster)
            self._imports.set_mass_start_days(tx, order.system, days)
        self._leavings.release(tx, order)
        if not order.confirm_leavings and order.last is not None:
            # What a school system delivers a little at a time counts together with what it delivered earlier that day.
            earlier = self._imports.moved_on(tx, order.system, order.seen_on, changes.moved.keys())
            others, sizes = scan.may_have_left | earlier, scan.sizes + changes.sizes
            first_of_day = newest is not None and newest.seen_on < order.seen_on
            if not scan.whole and (first_of_day or len(changes.moved) + len(others) > intake.BULK_PUPILS):
                run_out, of_the_rest = self._rest(tx, order, order.last, scan, earlier)
                others, sizes = others | run_out, sizes + of_the_rest
            self._leavings.hold(tx, order, order.last, changes.moved, others, sizes)
        # What was said of a pupil may lapse with an import that shows the pupil in school.
        self._pupils.mark_dirty(tx, self._sayings.spoken_of(tx))
        return self._report(tx, record, scan)

    def _again(self, tx: Transaction, order: Order, newest: ImportRecord) -> ImportReport:
        """The delivery that was imported last: nothing changes, but what waits may be confirmed."""
        if order.confirm_leavings:
            self._leavings.release(tx, order)
        remarks = self._imports.remarks_of_newest(tx, order.system)
        return replace(self._report(tx, newest, Scan(whole=True, known={}, remarks=list(remarks))), repeated=True)

    def _rest(
        self, tx: Transaction, order: Order, last: date, scan: Scan, earlier: Set[bytes]
    ) -> tuple[set[bytes], Counter[str]]:
        """Of the pupils of whom a delivery of changes says nothing: those whose days may have run out since the import
        of the day before, and how many each school unit had then."""
        spoken_of = scan.known.keys() | {claim.record_index for claim in scan.changed}
        run_out: set[bytes] = set()
        sizes: Counter[str] = Counter()

        def count(rows: Sequence[Row]) -> None:
            sizes.update({row.unit for row in rows if intake.covers(row, last, order.policy)})

        for stored in self._records.of_system(tx, order.system):
            if stored.record_index not in spoken_of and stored.pupil_id not in earlier:
                count(stored.record.rows)
                if intake.may_have_left(stored.record.rows, last, order.seen_on, order.calendar):
                    run_out.add(stored.pupil_id)
        for pupil in self._pupils.load_all(tx, earlier).values():
            count(rows_on(pupil.observations, last))
        return run_out, sizes

    def _report(self, tx: Transaction, record: ImportRecord, scan: Scan) -> ImportReport:
        return ImportReport(
            as_of=record.as_of,
            baseline=record.baseline,
            persons=record.persons,
            rows=record.rows,
            changed=record.changed,
            vanished=record.vanished,
            remarks=tuple(scan.remarks),
            held=tuple(HeldUnit(held.unit, held.pupils) for held in self._leavings.waiting(tx, record.system)),
        )

    # -- whose the records are --------------------------------------------------------------------------------------

    def _resolve(
        self,
        tx: Transaction,
        order: Order,
        scan: Scan,
        stale: Mapping[bytes, KnownRecord],
        lost: Set[bytes],
    ) -> _Resolved:
        """Unchanged records of the same pupils are drawn in, those of other school systems too: they count together.

        `lost` are the pupils of whom a record stands no more.
        """
        claims = list(scan.changed)
        by_number = self._pupils.by_numbers(tx, [claim.number_index for claim in claims if claim.number_index])
        by_person = _owners(stale.values())
        strangers = [claim.person for claim in claims if claim.person not in by_person]
        by_person |= self._pupils.by_person_ids(tx, strangers)
        involved = {*by_number.values(), *by_person.values(), *lost}
        standing: dict[tuple[str, bytes], StoredRecord] = {}
        for stored in self._records.standing(tx, involved, order.system, stale):
            standing[stored.system, stored.record_index] = stored
            claim = self._claim(stored, order.today)
            by_person[claim.person] = stored.pupil_id
            if claim.number_index is not None:
                by_number[claim.number_index] = stored.pupil_id
            claims.append(claim)
        known = functools.partial(self._known, tx)
        resolution = Resolver(by_number, by_person, known, lambda: self._token(PUPIL_ID_BYTES)).resolve(claims)
        kept = {assignment.pupil_id for assignment in resolution.assignments} | resolution.merged.keys()
        return _Resolved(resolution, standing, sorted(lost - kept))

    def _known(self, tx: Transaction, pupil_id: bytes) -> Known:
        pupil = self._pupils.load(tx, pupil_id)
        persons = tuple(self._pupils.person_index(person_id) for person_id in pupil.identity.person_ids)
        return Known(pupil_id, pupil.identity.number, persons, pupil.route is Route.RENUMBERED)

    def _claim(self, stored: StoredRecord, today: date) -> Claim:
        parsed = parse(stored.record.number, today)
        number = parsed if isinstance(parsed, Sound) else None
        return Claim(
            stored.system,
            stored.record_index,
            stored.person,
            number,
            None if number is None else self._pupils.number_index(number),
            bool(stored.record.rows),
            pack(stored.record),
        )

    def _refuse(
        self,
        tx: Transaction,
        order: Order,
        newest: ImportRecord,
        scan: Scan,
        resolved: _Resolved,
        lost: Set[bytes],
    ) -> None:
        """Raise where the delivery is another municipality's or lacks half the roster."""
        assignments = {assignment.pupil_id: assignment for assignment in resolved.resolution.assignments}
        if scan.whole:
            same = {known.pupil_id for known in scan.known.values() if known.seen}
            roster = len(same | lost)
            recurring = len(same | (lost & assignments.keys()))
            new = sum(len(found.claims) for found in assignments.values() if found.new)
            intake.check_foreign(roster, recurring, scan.persons, scan.unchanged + len(scan.changed) - new)
        since = newest.seen_on - timedelta(days=intake.ROSTER_DAYS)
        enrolled = {known.pupil_id for known in scan.known.values() if known.seen and known.enrolled}
        enrolled |= {of for of, found in assignments.items() if any(claim.enrolled for claim in found.claims)}
        enrolled |= resolved.resolution.merged.keys()
        intake.check_shrunk(
            self._records.roster(tx, order.system, since),
            self._pupils.enrolled_since(tx, lost - enrolled, since),
            accept_shrink=order.accept_shrink,
        )

    # -- writing ----------------------------------------------------------------------------------------------------

    def _write(self, tx: Transaction, order: Order, resolved: _Resolved, progress: Progress) -> _Changes:
        """Known pupils first: a number or an id that one of them gives up may be a new one's."""
        changes = _Changes()
        sources: dict[bytes, list[bytes]] = {}
        for source, into in resolved.resolution.merged.items():
            sources.setdefault(into, []).append(source)
        known = [assignment for assignment in resolved.resolution.assignments if not assignment.new]
        new = [assignment for assignment in resolved.resolution.assignments if assignment.new]
        total = len(known) + len(new) + len(resolved.vanished)
        done = 0
        for part in _parts(known):
            self._change(tx, order, part, sources, changes)
            progress(done := done + len(part), total)
        for gone in _parts(resolved.vanished):
            self._vanish(tx, order, gone, changes)
            progress(done := done + len(gone), total)
        for part in _parts(new):
            made = [self._new(order, assignment) for assignment in part]
            self._pupils.add(tx, made)
            for pupil in made:
                _note(order, pupil, (), changes)
            changes.observed += len(made)
            progress(done := done + len(part), total)
        return changes

    def _change(
        self,
        tx: Transaction,
        order: Order,
        part: Sequence[Assignment],
        sources: Mapping[bytes, Sequence[bytes]],
        changes: _Changes,
    ) -> None:
        wanted = [of for each in part for of in (each.pupil_id, *sources.get(each.pupil_id, ()))]
        known = self._pupils.load_all(tx, wanted)
        changed: list[Pupil] = []
        for assignment in part:
            before = known[assignment.pupil_id]
            for source in sources.get(before.pupil_id, ()):
                self._pupils.merge(tx, known[source], before.pupil_id, order.today)
                before = _merged(before, known[source])
            after = self._after(order, assignment, before)
            _note(order, after, before.observations, changes)
            if after == known[assignment.pupil_id]:
                continue
            changed.append(after)
            if after.observations != known[assignment.pupil_id].observations or after.route is not before.route:
                changes.observed += 1
        self._pupils.change(tx, changed)

    def _vanish(self, tx: Transaction, order: Order, gone: Sequence[bytes], changes: _Changes) -> None:
        after: list[Pupil] = []
        for pupil in self._pupils.load_all(tx, gone).values():
            observations = intake.vanished(pupil.observations, order.seen_on)
            after.append(replace(pupil, observations=observations, live=False, dirty=True))
            _note(order, after[-1], pupil.observations, changes)
        self._pupils.change(tx, after)
        changes.vanished += len(after)

    def _new(self, order: Order, assignment: Assignment) -> Pupil:
        claims = [(claim, unpack(claim.packed)) for claim in assignment.claims]
        seen = intake.observation_of([record for _, record in claims], order.seen_on)
        replaced = assignment.change is NumberChange.REPLACED
        route, protected = intake.route_of(assignment.number, seen.marking, order.policy, None, replaced=replaced)
        return Pupil(
            pupil_id=assignment.pupil_id,
            handle=self._token(HANDLE_BYTES),
            identity=intake.identity_of(claims, None),
            observations=(seen,),
            route=route,
            protected=protected,
            live=True,
            enrolled_until=intake.enrolled_until(seen.rows or (), order.policy),
        )

    def _after(self, order: Order, assignment: Assignment, before: Pupil) -> Pupil:
        claims = [(claim, unpack(claim.packed)) for claim in assignment.claims]
        seen = intake.observation_of([record for _, record in claims], order.seen_on)
        identity = intake.identity_of(claims, before.identity)
        replaced = assignment.change is NumberChange.REPLACED
        route, protected = intake.route_of(identity.number, seen.marking, order.policy, before.route, replaced=replaced)
        observations = intake.with_observation(before.observations, seen)
        said_before = (before.observations, before.route, before.protected, before.identity.numbers)
        return replace(
            before,
            identity=identity,
            observations=observations,
            route=route,
            protected=protected,
            live=True,
            enrolled_until=intake.enrolled_until(seen.rows or (), order.policy),
            dirty=before.dirty or (observations, route, protected, identity.numbers) != said_before,
        )


def _owners(stale: Collection[KnownRecord]) -> dict[bytes, bytes]:
    """person → pupil, of persons all of whose records were one pupil's: most of a roster that changes as a whole."""
    owners: dict[bytes, bytes] = {}
    several: set[bytes] = set()
    for known in stale:
        if owners.setdefault(known.person, known.pupil_id) != known.pupil_id:
            several.add(known.person)
    for person in several:
        del owners[person]
    return owners


def _note(order: Order, after: Pupil, before: Sequence[Observation], changes: _Changes) -> None:
    """What the search for leavings that wait needs of a pupil whose records changed."""
    rows: Sequence[Row] = after.observations[-1].rows or ()
    if not any(intake.covers(row, order.seen_on, order.policy) for row in rows):
        changes.moved[after.pupil_id] = after.observations
    if order.last is not None:
        then = rows_on(before, order.last)
        changes.sizes.update({row.unit for row in then if intake.covers(row, order.last, order.policy)})


def _merged(pupil: Pupil, source: Pupil) -> Pupil:
    identity = pupil.identity
    numbers = tuple(dict.fromkeys((*source.identity.numbers, *identity.numbers)))
    return replace(
        pupil,
        identity=replace(identity, numbers=numbers),
        observations=intake.merged_observations(pupil.observations, source.observations),
        dirty=True,
    )


def _new_records(resolved: _Resolved) -> Iterator[NewRecord]:
    for assignment in resolved.resolution.assignments:
        for claim in assignment.claims:
            if (claim.system, claim.record_index) not in resolved.standing:
                numbered = claim.number is not None
                yield NewRecord(
                    claim.record_index, claim.person, assignment.pupil_id, claim.enrolled, numbered, claim.packed
                )


def _given(resolved: _Resolved) -> list[tuple[StoredRecord, bytes]]:
    """Unchanged records that are another pupil's now."""
    return [
        (stored, assignment.pupil_id)
        for assignment in resolved.resolution.assignments
        for claim in assignment.claims
        if (stored := resolved.standing.get((claim.system, claim.record_index))) is not None
        and stored.pupil_id != assignment.pupil_id
    ]


def _parts(everything: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(everything), WRITE_AT_ONCE):
        yield everything[start : start + WRITE_AT_ONCE]
