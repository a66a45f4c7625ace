"""Each row that school systems show of one pupil, and whether it counts: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from node.coverage import UPPER_SECONDARY_FORMS, Span, counts, is_known, is_void
from node.explain.findings import Finding, FindingKind, Rows, Value, finding
from node.model import Row, Status
from node.timeline import Timeline

RowKey = tuple[str, str, date | None]


def key_of(row: Row) -> RowKey:
    """What makes a row the same row in the next export."""
    return row.unit, row.form, row.start


def rows_found(time: Timeline, systems: Mapping[str, tuple[Row, ...]], units: Mapping[str, str]) -> Iterator[Finding]:
    """`systems`: what each school system shows now; `units`: id → name."""
    shown = {key_of(row) for rows in systems.values() for row in rows}
    former = [(row, gone_on) for row, gone_on in _vanished(time) if key_of(row) not in shown]
    if not shown and not former:
        yield finding(Rows.NONE)
    for system, rows in sorted(systems.items()):
        for row in rows:
            yield finding(_kind(row, time), system=system, **described(row, units))
    for row, gone_on in former:
        yield finding(Rows.FORMER, gone_on=gone_on, **described(row, units))
    if time.known and time.known[-1].status != Status.ACTIVE:
        yield finding(Rows.STATUS, status=time.known[-1].status)


def described(row: Row, units: Mapping[str, str]) -> dict[str, Value]:
    """The row as parameters; a day that is not given is left empty."""
    return {
        "unit": units.get(row.unit, row.unit),
        "form": row.form,
        "start": row.start or "",
        "end": row.end or "",
    }


def _kind(row: Row, time: Timeline) -> FindingKind:
    if not counts(row.form, upper_secondary=time.policy.upper_secondary):
        return Rows.UPPER_SECONDARY if row.form in UPPER_SECONDARY_FORMS else Rows.NOT_COUNTED
    if is_void(row):
        return Rows.VOID_ENDS if _has_span(row, time) else Rows.VOID
    if not is_known(row.form):
        return Rows.UNKNOWN_FORM
    if row.start is not None and row.start > time.today:
        return Rows.LATER
    return Rows.ENDED if row.end is not None and row.end < time.today else Rows.IN_FORCE


def _has_span(row: Row, time: Timeline) -> bool:
    return any(is_span_of(row, span) for span in time.spans)


def is_span_of(row: Row, span: Span) -> bool:
    """Whether these are days that the row covers, or covered before it was cancelled."""
    return (span.unit, span.form) == (row.unit, row.form) and (row.start is None or span.begins == row.start)


def taken_back(time: Timeline) -> Iterator[tuple[Row, date]]:
    """Rows once shown and then cancelled so early that their presence never was; and the day that showed it."""
    held: set[RowKey] = set()
    voided: dict[RowKey, tuple[Row, date]] = {}
    for seen in time.history.observations:
        for row in seen.rows or ():
            if not is_void(row):
                held.add(key_of(row))
                voided.pop(key_of(row), None)
            elif key_of(row) in held:
                voided.setdefault(key_of(row), (row, seen.as_of))
    for row, as_of in voided.values():
        if counts(row.form, upper_secondary=time.policy.upper_secondary) and not _has_span(row, time):
            yield row, as_of


def _vanished(time: Timeline) -> Iterator[tuple[Row, date]]:
    """Rows that exports showed and no longer show, and the day of the first export without them."""
    standing: dict[RowKey, Row] = {}
    gone: dict[RowKey, tuple[Row, date]] = {}
    for seen in time.history.observations:
        now = {key_of(row): row for row in seen.rows or ()}
        for key in standing.keys() - now.keys():
            gone[key] = (standing[key], seen.as_of)
        for key in now:
            gone.pop(key, None)
        standing = now
    yield from sorted(gone.values(), key=lambda each: (each[1], each[0].unit, each[0].form))
