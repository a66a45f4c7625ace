"""The yearly report as it may be published: what is small is not shown. Pure.

Invariants
    - No count from 1 to 4 is shown, and none can be worked out from the totals that are: where what is hidden of a sum
      is one number alone, or adds up to less than 5, more of it is hidden.
    - The longest time is one child's and never shown; a median of fewer than 5 is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from node.casework.quality.model import Report
from node.casework.quality.tables import Table

SMALLEST = 5
HIDDEN = ".."

Place = tuple[str, str, int]
"""Table, row, column."""


@dataclass(frozen=True, slots=True)
class _Sum:
    total: Place
    parts: tuple[Place, ...]


def masked(report: Report, made: Sequence[Table]) -> tuple[Table, ...]:
    """The same tables, with `..` for what is not shown."""
    counts = dict(_counts(made))
    hidden = {place for place, count in counts.items() if 0 < count < SMALLEST}
    contact = report.first_contact
    if 0 < contact.taken.counted - contact.in_time < SMALLEST:
        # Those who were late could be told from the two.
        hidden.add(("contact", "in-time", 0))
    sums = tuple(_sums(made, counts))
    while more := {place for each in sums for place in _to_hide(each, counts, hidden)}:
        hidden |= more
    few = {
        ("files", "closing-median"): report.closing.counted < SMALLEST,
        ("contact", "days-median"): contact.taken.counted < SMALLEST,
        ("files", "closing-longest"): True,
        ("contact", "days-longest"): True,
    }

    def cell(table: str, row: str, column: int, value: int | str | None) -> int | str | None:
        if value is not None and ((table, row, column) in hidden or few.get((table, row), False)):
            return HIDDEN
        return value

    return tuple(
        replace(
            table,
            rows=tuple(
                replace(row, cells=tuple(cell(table.name, row.code, nth, each) for nth, each in enumerate(row.cells)))
                for row in table.rows
            ),
        )
        for table in made
    )


def _counts(made: Sequence[Table]) -> Iterator[tuple[Place, int]]:
    """All that are counts; times are not."""
    for table in made:
        for row in table.rows:
            if not row.code.endswith(("-median", "-longest")):
                for nth, cell in enumerate(row.cells):
                    if isinstance(cell, int):
                        yield (table.name, row.code, nth), cell


def _sums(made: Sequence[Table], counts: Mapping[Place, int]) -> Iterator[_Sum]:
    """What adds up to what; a sum whose numbers are not all there is left out."""
    rows = {table.name: [row.code for row in table.rows] for table in made}
    wide = {table.name: len(table.columns) for table in made}
    ends = range(1, wide.get("outcomes", 1))

    def cells(table: str, *codes: str) -> tuple[Place, ...]:
        return tuple((table, code, 0) for code in codes)

    worked, opened, closed, still = cells("files", "worked", "opened", "closed", "open")
    found = [
        _Sum(worked, (closed, still)),
        _Sum(worked, cells("outcomes", *rows.get("outcomes", ()))),
        *(_Sum(opened, cells(table, *rows.get(table, ()))) for table in ("opened-for", "absence")),
        _Sum(opened, cells("contact", "taken", "waiting", "closed-without")),
    ]
    for code in rows.get("outcomes", ()):
        found.append(_Sum(("outcomes", code, 0), tuple(("outcomes", code, end) for end in ends)))
    if counts.get(still):
        # The last column is of those that are open.
        found.append(_Sum(still, tuple(("outcomes", code, ends[-1]) for code in rows.get("outcomes", ()))))
        ends = ends[:-1]
    found.append(_Sum(closed, tuple(("outcomes", code, end) for code in rows.get("outcomes", ()) for end in ends)))
    steps = rows.get("steps", ())
    for column in range(wide.get("steps", 0)):
        found.append(_Sum(("steps", "all", column), tuple(("steps", code, column) for code in steps if code != "all")))
    # done, due, in time, late, undone
    found += [_Sum(("steps", code, 1), tuple(("steps", code, part) for part in (2, 3, 4))) for code in steps]
    for table in ("worry", "follow-ups"):
        found.append(_Sum((table, "due", 0), cells(table, "in-time", "late", "undone")))
    for each in found:
        if each.parts and all(place in counts for place in (each.total, *each.parts)):
            yield each


def _to_hide(each: _Sum, counts: Mapping[Place, int], hidden: set[Place]) -> list[Place]:
    """What more has to be hidden of a sum; nothing where what is hidden of it cannot be worked out."""
    parts = [place for place in each.parts if place in hidden]
    if each.total in hidden:
        # Of a total that is hidden at least one part is.
        enough = bool(parts) or not counts[each.total]
    else:
        enough = not parts or (len(parts) > 1 and sum(counts[place] for place in parts) >= SMALLEST)
    if enough:
        return []
    others = sorted((counts[place], place) for place in each.parts if place not in hidden and counts[place])
    if others:
        return [others[0][1]]
    return [] if each.total in hidden else [each.total]
