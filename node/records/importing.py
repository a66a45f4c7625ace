"""Taking in one export: all of it in one transaction, or nothing (design §4.1, §5).

Invariants
    - A refused export changes nothing; the same export again changes nothing.
    - An unchanged person costs one keyed digest and one look-up, and no decryption.
    - The report names rows and fields, never a value.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import msgspec

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import HANDLE_BYTES, Policy
from node.model import Observation
from node.records import intake, ss12000_file
from node.records.leavings import Leavings
from node.records.person import Export, PersonRecord, Remark, RemarkKind
from node.records.report import HeldUnit, ImportReport, number_remark
from node.records.resolving import Assignment, Claim, Known, NumberChange, Resolution, Resolver, identity_of
from node.store import Transaction
from node.store.imports import ImportRecord, Imports
from node.store.pupils import Live, Pupil, Pupils
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from privacy.identifiers import Sound, parse

PUPIL_ID_BYTES = 16
MAX_FILE_BYTES = 2_000_000_000
"""A whole large city's export is some 60 MB: what is larger is none, and must not fill the memory."""
WRITE_AT_ONCE = 2_000
"""Pupils per statement, and between two reports of progress."""

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total)."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A record with what an unchanged one costs: its number's form and its keyed digest."""

    record: PersonRecord
    number: Sound | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Order:
    """What is asked for, and the rules it is done by."""

    as_of: date
    today: date
    policy: Policy
    calendar: SchoolCalendar
    accept_shrink: bool
    confirm_leavings: bool


@dataclass(slots=True)
class _Changes:
    """What one import writes about pupils."""

    new: list[Pupil] = field(default_factory=list)
    changed: list[Pupil] = field(default_factory=list)
    merged: list[tuple[Pupil, bytes]] = field(default_factory=list)
    before: dict[bytes, tuple[Observation, ...]] = field(default_factory=dict)
    """Observations before this import, of pupils whose observations changed."""
    observed: int = 0
    vanished: int = 0


class Importing:
    """Imports exports. `rules` gives the federation's policy and this member's calendar as they stand now."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        rules: Callable[[], tuple[Policy, SchoolCalendar]],
        clock: Clock,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._rules = rules
        self._clock = clock
        self._token = token
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._sayings = Sayings(sealer)
        self._leavings = Leavings(self._pupils, self._imports, self._sayings)

    def import_file(
        self,
        path: Path,
        as_of: date,
        *,
        accept_shrink: bool = False,
        confirm_leavings: bool = False,
        progress: Progress = lambda _step, _done, _total: None,
    ) -> ImportReport:
        """Import one SS 12000 export file as the state of `as_of`.

        Raises UppropError: EXPORT_UNREADABLE, EXPORT_FOREIGN, EXPORT_SHRUNK, EXPORT_OLDER, INPUT_REFUSED.
        """
        today = self._clock.today()
        intake.check_days(as_of, None, today)
        export = ss12000_file.read(_content(path), lambda done, total: progress("read", done, total))
        reads, remarks = self._read(export, today, progress)
        policy, calendar = self._rules()
        order = _Order(as_of, today, policy, calendar, accept_shrink, confirm_leavings)
        return self._database.run("import_export", lambda tx: self._take(tx, order, export, reads, remarks, progress))

    # -- before the transaction -------------------------------------------------------------------------------------

    def _read(self, export: Export, today: date, progress: Progress) -> tuple[list[_Read], tuple[Remark, ...]]:
        reads: list[_Read] = []
        remarks = list(export.remarks)
        total = len(export.persons)
        for record in export.persons:
            parsed = parse(record.number, today)
            if isinstance(parsed, Sound):
                number = parsed
            else:
                number = None
                remarks.append(number_remark(parsed, record.position))
            reads.append(_Read(record, number, self._sealer.index("record", _said(record))))
            if len(reads) % ss12000_file.PROGRESS_EVERY == 0:
                progress("compare", len(reads), total)
        progress("compare", total, total)
        return reads, tuple(sorted(remarks, key=lambda remark: remark.row))

    # -- the transaction --------------------------------------------------------------------------------------------

    def _take(
        self,
        tx: Transaction,
        order: _Order,
        export: Export,
        reads: Sequence[_Read],
        remarks: tuple[Remark, ...],
        progress: Progress,
    ) -> ImportReport:
        newest = self._imports.newest(tx)
        intake.check_days(order.as_of, None if newest is None else newest.as_of, order.today)
        if newest is not None and (newest.as_of, newest.file_digest) == (order.as_of, export.digest):
            return self._again(tx, order, newest)
        live = {pupil.observation_index: pupil for pupil in self._pupils.live(tx)}
        unchanged, changed_reads = _split(reads, live)
        resolution, known = self._resolve(tx, changed_reads, unchanged)
        seen = {*unchanged, *(assignment.pupil_id for assignment in resolution.assignments), *resolution.merged}
        _refuse(order, newest, len(reads), live.values(), resolution, unchanged)
        changes = self._changes(order, resolution, known)
        gone = [pupil.pupil_id for pupil in live.values() if pupil.pupil_id not in seen]
        self._vanish(tx, order, gone, changes)
        self._write(tx, order, changes, progress)
        record = ImportRecord(
            as_of=order.as_of,
            received_at=self._clock.now(),
            file_digest=export.digest,
            persons=len(export.persons),
            rows=sum(len(read.record.rows) for read in reads),
            changed=changes.observed,
            vanished=changes.vanished,
            rejected=sum(remark.kind is RemarkKind.REJECTED for remark in remarks),
            baseline=newest is None,
        )
        self._imports.add(tx, record, remarks)
        facts = self._imports.facts(tx)
        assert facts is not None
        if facts.baseline == order.as_of:
            rosters = (read.record.rows for read in reads)
            self._imports.set_mass_start_days(tx, intake.mass_start_days(rosters, order.as_of, order.policy))
        self._leavings.release(tx, order.as_of, order.calendar, confirm=order.confirm_leavings)
        if not order.confirm_leavings:
            self._leavings.hold(
                tx,
                order.as_of,
                order.policy,
                order.calendar,
                moved={pupil.pupil_id: pupil.observations for pupil in (*changes.new, *changes.changed)},
                before=changes.before,
                unchanged={pupil_id: read.record.rows for pupil_id, read in unchanged.items()},
            )
        # What was said of a pupil may lapse with an import that shows the pupil in school.
        self._pupils.mark_dirty(tx, self._sayings.spoken_of(tx))
        return self._report(tx, record, remarks)

    def _again(self, tx: Transaction, order: _Order, newest: ImportRecord) -> ImportReport:
        """The export that was imported last: nothing changes, but what waits may be confirmed."""
        if order.confirm_leavings:
            self._leavings.release(tx, order.as_of, order.calendar, confirm=True)
        return replace(self._report(tx, newest, self._imports.remarks_of_newest(tx)), repeated=True)

    def _report(self, tx: Transaction, record: ImportRecord, remarks: tuple[Remark, ...]) -> ImportReport:
        return ImportReport(
            as_of=record.as_of,
            baseline=record.baseline,
            persons=record.persons,
            rows=record.rows,
            changed=record.changed,
            vanished=record.vanished,
            remarks=remarks,
            held=tuple(HeldUnit(held.unit, held.pupils) for held in self._imports.held(tx) if held.released_on is None),
        )

    def _resolve(
        self, tx: Transaction, changed: Sequence[_Read], unchanged: dict[bytes, _Read]
    ) -> tuple[Resolution, dict[bytes, Pupil]]:
        """Whose the changed records are. Unchanged records of the same pupils are drawn in: they count together."""
        claims = [self._claim(read) for read in changed]
        by_number = self._pupils.by_numbers(tx, [claim.number_index for claim in claims if claim.number_index])
        by_person = self._pupils.by_person_ids(tx, [claim.person for claim in claims])
        involved = {*by_number.values(), *by_person.values()}
        for pupil_id in involved & unchanged.keys():
            claim = self._claim(unchanged.pop(pupil_id))
            by_person[claim.person] = pupil_id
            if claim.number_index is not None:
                by_number[claim.number_index] = pupil_id
            claims.append(claim)
        known = self._pupils.load_all(tx, involved)
        views = {
            pupil_id: Known(
                pupil_id,
                pupil.identity.number,
                frozenset(self._pupils.person_index(person_id) for person_id in pupil.identity.person_ids),
            )
            for pupil_id, pupil in known.items()
        }
        resolver = Resolver(by_number, by_person, views, lambda: self._token(PUPIL_ID_BYTES))
        return resolver.resolve(claims), known

    def _claim(self, read: _Read) -> Claim:
        number_index = None if read.number is None else self._pupils.number_index(read.number)
        person = self._pupils.person_index(read.record.person_id)
        return Claim(read.record, person, read.number, number_index, read.digest)

    def _changes(self, order: _Order, resolution: Resolution, known: Mapping[bytes, Pupil]) -> _Changes:
        changes = _Changes()
        sources: dict[bytes, list[Pupil]] = {}
        for source, into in resolution.merged.items():
            sources.setdefault(into, []).append(known[source])
            changes.merged.append((known[source], into))
        for assignment in resolution.assignments:
            before = known.get(assignment.pupil_id)
            if before is None:
                changes.new.append(self._new(order, assignment))
                changes.observed += 1
                continue
            for source_pupil in sources.get(before.pupil_id, ()):
                before = _merged(before, source_pupil)
            after = self._after(order, assignment, before)
            if after == known[assignment.pupil_id]:
                continue
            changes.changed.append(after)
            if after.observations != known[assignment.pupil_id].observations or after.route is not before.route:
                changes.observed += 1
                changes.before[after.pupil_id] = before.observations
        return changes

    def _new(self, order: _Order, assignment: Assignment) -> Pupil:
        seen = intake.observation_of(assignment.claims, order.as_of)
        replaced = assignment.change is NumberChange.REPLACED
        route, protected = intake.route_of(assignment.number, seen.marking, order.policy, None, replaced=replaced)
        return Pupil(
            pupil_id=assignment.pupil_id,
            handle=self._token(HANDLE_BYTES),
            identity=identity_of(assignment, None),
            observations=(seen,),
            route=route,
            protected=protected,
            observation_index=self._observation_index(assignment.claims),
            enrolled_until=intake.enrolled_until(seen.rows or (), order.policy),
        )

    def _after(self, order: _Order, assignment: Assignment, before: Pupil) -> Pupil:
        seen = intake.observation_of(assignment.claims, order.as_of)
        identity = identity_of(assignment, before.identity)
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
            observation_index=self._observation_index(assignment.claims),
            enrolled_until=intake.enrolled_until(seen.rows or (), order.policy),
            dirty=before.dirty or (observations, route, protected, identity.numbers) != said_before,
        )

    def _observation_index(self, claims: Sequence[Claim]) -> bytes:
        digests = sorted({claim.digest for claim in claims})
        return digests[0] if len(digests) == 1 else self._sealer.index("records", b"".join(digests))

    def _vanish(self, tx: Transaction, order: _Order, gone: Iterable[bytes], changes: _Changes) -> None:
        for pupil in self._pupils.load_all(tx, gone).values():
            observations = intake.vanished(pupil.observations, order.as_of)
            changes.before[pupil.pupil_id] = pupil.observations
            changes.changed.append(replace(pupil, observations=observations, observation_index=None, dirty=True))
            changes.vanished += 1

    def _write(self, tx: Transaction, order: _Order, changes: _Changes, progress: Progress) -> None:
        for source, into in changes.merged:
            self._pupils.merge(tx, source, into, order.today)
        total = len(changes.new) + len(changes.changed)
        done = 0
        for write, pupils in ((self._pupils.change, changes.changed), (self._pupils.add, changes.new)):
            for start in range(0, len(pupils), WRITE_AT_ONCE):
                part = pupils[start : start + WRITE_AT_ONCE]
                write(tx, part)
                done += len(part)
                progress("write", done, total)


def _split(reads: Sequence[_Read], live: Mapping[bytes, Live]) -> tuple[dict[bytes, _Read], list[_Read]]:
    """Records that say what they said in the export before, by pupil, and the others."""
    unchanged: dict[bytes, _Read] = {}
    changed: list[_Read] = []
    for read in reads:
        pupil = live.get(read.digest)
        if pupil is None:
            changed.append(read)
        else:
            unchanged[pupil.pupil_id] = read
    return unchanged, changed


def _refuse(
    order: _Order,
    newest: ImportRecord | None,
    persons: int,
    live: Iterable[Live],
    resolution: Resolution,
    unchanged: Mapping[bytes, _Read],
) -> None:
    """Raise where the export is another municipality's or lacks half the roster."""
    if newest is None:
        return
    pupils = list(live)
    known = {assignment.pupil_id: assignment for assignment in resolution.assignments if not assignment.new}
    returning = sum(len(assignment.claims) for assignment in known.values())
    recurring = sum(pupil.pupil_id in unchanged or pupil.pupil_id in known for pupil in pupils)
    intake.check_foreign(len(pupils), recurring, persons, len(unchanged) + returning)
    since = newest.as_of - timedelta(days=intake.ROSTER_DAYS)
    roster = [pupil for pupil in pupils if pupil.enrolled_until is not None and pupil.enrolled_until >= since]
    enrolled = {
        *(pupil_id for pupil_id, read in unchanged.items() if read.record.rows),
        *(pupil_id for pupil_id, found in known.items() if any(claim.record.rows for claim in found.claims)),
        *resolution.merged,
    }
    missing = sum(pupil.pupil_id not in enrolled for pupil in roster)
    intake.check_shrunk(len(roster), missing, accept_shrink=order.accept_shrink)


def _merged(pupil: Pupil, source: Pupil) -> Pupil:
    identity = pupil.identity
    numbers = tuple(dict.fromkeys((*source.identity.numbers, *identity.numbers)))
    return replace(
        pupil,
        identity=replace(identity, numbers=numbers),
        observations=intake.merged_observations(pupil.observations, source.observations),
        dirty=True,
    )


def _said(record: PersonRecord) -> bytes:
    """All that the record says, in one fixed form; its position in the export is no part of it."""
    return _encode(
        (
            record.person_id,
            record.number,
            record.given_name,
            record.family_name,
            record.birth_date,
            record.sex,
            record.status,
            record.marking,
            record.rows,
        )
    )


_encode = msgspec.json.Encoder().encode


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UppropError(Code.EXPORT_UNREADABLE, f"The file {path.name} is too large to be an export.")
        return path.read_bytes()
    except OSError as error:
        raise UppropError(
            Code.EXPORT_UNREADABLE, f"The file {path.name} cannot be read: {error.strerror}. Nothing was changed."
        ) from error
