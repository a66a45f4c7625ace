"""A delivery read through once, before the transaction that takes it: what it changes, and what of it has not changed.

Invariants: nothing is written here; a record that stands as it stood costs one keyed digest and one look-up, and no
decryption; what is kept of a roster of 100 000 pupils is what has changed, packed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from node.model import Row
from node.records.intake import covers, may_have_left
from node.records.person import Delivery, PersonRecord, Progress, Remark, qualified
from node.records.report import number_remark
from node.records.resolving import Claim
from node.store.pupils import Pupils
from node.store.records import KnownRecord, Records, pack, unpack
from privacy.identifiers import Sound, parse


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, and the rules it is done by.

    `seen_on` is the day from which what it shows is known here, `last` that of the system's import before; None: this
    is its first, and its roster a baseline.
    """

    system: str
    as_of: date
    seen_on: date
    last: date | None
    today: date
    policy: Policy
    calendar: SchoolCalendar
    accept_shrink: bool = False
    confirm_leavings: bool = False
    retires: bool = False
    """The school system is no more: its roster, which is empty now, is heard of no longer."""


@dataclass(slots=True)
class Scan:
    """What a delivery holds. `known`: the roster before, as far as it is concerned; `seen` is marked in it."""

    whole: bool
    known: Mapping[bytes, KnownRecord]
    persons: int = 0
    rows: int = 0
    unchanged: int = 0
    changed: list[Claim] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    digest: bytes = b""
    units: Mapping[str, str] = field(default_factory=dict)
    may_have_left: set[bytes] = field(default_factory=set)
    """Pupils whose unchanged rows may have run out since the last import."""
    sizes: Counter[str] = field(default_factory=Counter)
    """Pupils of each school unit at the last import, as far as their records are unchanged."""
    starts: Counter[date] = field(default_factory=Counter)
    roster: int = 0
    """Of a baseline: how many records cover the day, and on which days they start."""

    @property
    def stale(self) -> dict[bytes, KnownRecord]:
        """Records that the delivery no longer shows, or shows changed."""
        return {index: record for index, record in self.known.items() if not record.seen}


Load = Callable[[Collection[bytes] | None], Mapping[bytes, KnownRecord]]
"""The system's roster before: all of it (None), or that of these persons."""


class Scanner:
    """Reads deliveries."""

    def __init__(self, pupils: Pupils, records: Records) -> None:
        self._pupils = pupils
        self._records = records

    def scan(self, delivery: Delivery, order: Order, load: Load, progress: Progress) -> Scan:
        """Raises UppropError(EXPORT_UNREADABLE) where the delivery is none."""
        scan = Scan(delivery.whole, load(None) if delivery.whole else {})
        fresh: set[bytes] = set()
        for item in delivery.read(progress):
            if isinstance(item, Remark):
                scan.remarks.append(item)
            else:
                self._record(item, order, scan, fresh)
        if not delivery.whole:
            self._compare(delivery, order, load, scan)
        scan.digest = delivery.digest
        scan.units = dict(delivery.units)
        scan.remarks.sort(key=lambda remark: remark.row)
        return scan

    def _record(self, record: PersonRecord, order: Order, scan: Scan, fresh: set[bytes]) -> None:
        scan.persons += 1
        scan.rows += len(record.rows)
        if order.last is None:
            _count_starts(record.rows, order, scan)
        packed = pack(record)
        index = self._records.record_index(order.system, packed)
        known = scan.known.get(index)
        number: Sound | None = None
        if known is None or not known.numbered:
            parsed = parse(record.number, order.today)
            if isinstance(parsed, Sound):
                number = parsed
            else:
                scan.remarks.append(number_remark(parsed, record.position))
        if known is not None and (known.numbered or number is None):
            known.seen = True
            _count_unchanged(record.rows, known, order, scan)
        elif index not in fresh:
            fresh.add(index)
            person = self._pupils.person_index(qualified(order.system, record.person_id))
            number_index = None if number is None else self._pupils.number_index(number)
            enrolled = bool(record.rows)
            scan.changed.append(Claim(order.system, index, person, number, number_index, enrolled, packed))

    def _compare(self, delivery: Delivery, order: Order, load: Load, scan: Scan) -> None:
        """With a delivery of changes only its own persons are looked up, once it is known who they are."""
        gone = {self._pupils.person_index(qualified(order.system, person_id)) for person_id in delivery.gone}
        scan.known = load({claim.person for claim in scan.changed} | gone)
        changed: list[Claim] = []
        for claim in scan.changed:
            known = scan.known.get(claim.record_index)
            if known is not None and known.numbered == (claim.number is not None):
                known.seen = True
                _count_unchanged(unpack(claim.packed).rows, known, order, scan)
            else:
                changed.append(claim)
        scan.changed = changed


def _count_unchanged(rows: tuple[Row, ...], known: KnownRecord, order: Order, scan: Scan) -> None:
    scan.unchanged += 1
    if order.last is None:
        return
    if may_have_left(rows, order.last, order.seen_on, order.calendar):
        scan.may_have_left.add(known.pupil_id)
    scan.sizes.update({row.unit for row in rows if covers(row, order.last, order.policy)})


def _count_starts(rows: tuple[Row, ...], order: Order, scan: Scan) -> None:
    covering = [row for row in rows if covers(row, order.seen_on, order.policy)]
    if covering:
        scan.roster += 1
        scan.starts.update({row.start for row in covering if row.start is not None})
