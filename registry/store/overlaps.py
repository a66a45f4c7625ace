"""Overlaps: the day on which a group is looked at for one, and which handles were asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import Connection, Select, delete, select

from registry.model import Ref
from registry.store.bulk import among, chunks, upsert
from registry.store.schema_limits import overlap_days, overlaps_asked


def due(on: date) -> Select[tuple[bytes]]:
    """The handles whose group is to be looked at by a day."""
    return select(overlap_days.c.ref).where(overlap_days.c.look_on <= on)


def days(tx: Connection, refs: Iterable[Ref], *, lock: bool = False) -> dict[Ref, date]:
    """The days of these handles; locked, in order, until the transaction ends where asked for."""
    found: dict[Ref, date] = {}
    for chunk in chunks(sorted(refs)):
        query = select(overlap_days).where(among(tx, overlap_days.c.ref, chunk)).order_by(overlap_days.c.ref)
        found.update((Ref(row.ref), row.look_on) for row in tx.execute(query.with_for_update() if lock else query))
    return found


def asked(tx: Connection, refs: Iterable[Ref]) -> dict[tuple[Ref, Ref], date]:
    """(handle asked about, other handle) → the newest close that asked."""
    found: dict[tuple[Ref, Ref], date] = {}
    for chunk in chunks(sorted(refs)):
        query = select(overlaps_asked).where(among(tx, overlaps_asked.c.ref, chunk))
        found.update(((Ref(row.ref), Ref(row.other_ref)), row.asked_on) for row in tx.execute(query))
    return found


def write(
    tx: Connection, before: Iterable[Ref], after: Mapping[Ref, date], asked_now: Iterable[tuple[Ref, Ref]], on: date
) -> None:
    """Put these days in the place of those before, and note what has been asked."""
    for chunk in chunks(sorted(set(before) - after.keys())):
        tx.execute(delete(overlap_days).where(among(tx, overlap_days.c.ref, chunk)))
    rows = [{"ref": ref, "look_on": day} for ref, day in sorted(after.items())]
    upsert(tx, overlap_days, rows, update=("look_on",))
    noted = [{"ref": ref, "other_ref": other, "asked_on": on} for ref, other in sorted(set(asked_now))]
    upsert(tx, overlaps_asked, noted, update=("asked_on",))
