"""From codes to an answer: the cells of a released table, as a cube. Pure.

Invariant: an answer is made of releases alone. The same releases and the same question give the same cube.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from federation.web.i18n import Language
from registry.statistics import labels, notes
from registry.statistics.catalogue import DimensionId, Measure, TableId
from registry.statistics.cube import Axis, Cell, Cube, Disclosure, Drawn
from registry.statistics.geography import NATION
from registry.statistics.model import Release, ReleasedTable, ReleaseId
from registry.statistics.reading import Level, NamedCode
from registry.statistics.released import Held
from registry.statistics.selecting import Askable, Selected, askable, table_named, time_code


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that is released, oldest first, with each table by the time it is about. `caps`: year → its budget's cap."""

    releases: tuple[Release, ...] = ()
    held: Mapping[TableId, Mapping[str, Held]] = field(default_factory=dict)
    caps: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        releases: Sequence[Release],
        tables: Mapping[ReleaseId, Mapping[TableId, ReleasedTable]],
        caps: Mapping[int, int],
    ) -> Shelf:
        """From releases, their tables by release id, and the caps."""
        held: dict[TableId, dict[str, Held]] = {}
        for release in sorted(releases, key=lambda each: (each.period.year, each.period.month or 0)):
            for table_id, table in tables[release.release_id].items():
                held.setdefault(table_id, {})[time_code(release.period)] = Held(release, table)
        return cls(tuple(releases), held, dict(caps))

    def askable(self, table_id: str) -> Askable:
        """What can be asked of a released table. Raises UppropError(REQUEST_INVALID) where there is no such table."""
        table = table_named(table_id)
        return askable(table, self.held.get(table.table_id, {}))

    def release_ids(self, table_id: TableId) -> tuple[str, ...]:
        """The releases that hold a table, oldest period first."""
        return tuple(each.release.release_id for each in self.held.get(table_id, {}).values())


def build(shelf: Shelf, asked: Askable, selected: Selected, level: Level, language: Language) -> Cube:
    """The answer to a question about a released table. Raises UppropError(REQUEST_INVALID)."""
    by_time = shelf.held.get(asked.table.table_id, {})
    *keys, times, measures = selected
    held = [by_time[time] for time in times]
    cells = (by_time[time].cell(tuple(key), level) for *key, time in itertools.product(*keys, times))
    values, status = spread(cells, [Measure(each) for each in measures])
    newest = held[-1]
    disclosure = Disclosure(
        mechanism=mechanism(newest.release.record.mechanism),
        level=level,
        drawn=tuple(_drawn(shelf, each, level) for each in held),
        suppression=notes.legend(level, language),
    )
    releases = [each.release for each in held]
    return Cube(
        table_id=asked.table.table_id.value,
        label=labels.table_label(asked.table.table_id, language),
        source=labels.source(language),
        updated=max(each.drawn_at for each in releases),
        axes=axes(asked, selected, language),
        values=values,
        status=status,
        unit=labels.unit(language),
        notes=(
            *notes.of_table(
                asked.table.table_id, newest.scale.nano_rho, shelf.caps[newest.release.period.year], language
            ),
            *notes.of_level(level, language),
            *notes.of_coverage(releases, _counties(asked, selected), language),
        ),
        disclosure=disclosure,
    )


def axes(asked: Askable, selected: Selected, language: Language) -> tuple[Axis, ...]:
    return tuple(
        Axis(
            dimension.value,
            labels.dimension_label(asked.table, dimension, language),
            tuple(NamedCode(code, labels.code_label(dimension, code, language)) for code in codes),
        )
        for dimension, codes in zip(asked.codes, selected, strict=True)
    )


def mechanism(name: str) -> str:
    """As it stands in JSON-stat: discrete Gaussian → discrete_gaussian."""
    return name.lower().replace(" ", "_")


def contents(cell: Cell, measure: Measure) -> int | None:
    match measure:
        case Measure.CHILDREN:
            return cell.value
        case Measure.LOW:
            return cell.low
        case Measure.HIGH:
            return cell.high
        case Measure.UNCLIPPED:
            return cell.unclipped


def spread(cells: Iterable[Cell], measures: Sequence[Measure]) -> tuple[tuple[int | None, ...], dict[int, str]]:
    """Values row by row with these contents of each cell, and the status of those that are None."""
    values: list[int | None] = []
    status: dict[int, str] = {}
    for cell in cells:
        if cell.status:
            status.update(dict.fromkeys(range(len(values), len(values) + len(measures)), cell.status))
        values += (contents(cell, measure) for measure in measures)
    return tuple(values), status


def _drawn(shelf: Shelf, held: Held, level: Level) -> Drawn:
    release = held.release
    year, record = release.period.year, release.record
    return Drawn(
        release_id=release.release_id,
        drawn_on=release.drawn_on,
        profile=record.profile,
        library=record.library,
        nano_rho=held.scale.nano_rho,
        cap_nano_rho=shelf.caps[year],
        year=year,
        sigma=held.sigma(level),
        half_width=held.half_width(1, level),
        current_members=record.coverage.current_members,
        silent=record.coverage.silent_municipalities,
    )


def _counties(asked: Askable, selected: Selected) -> tuple[str, ...]:
    """The counties among the places asked for."""
    for dimension, codes in zip(asked.codes, selected, strict=True):
        if dimension is DimensionId.REGION:
            return tuple(code for code in codes if len(code) == 2 and code != NATION)
    return ()
