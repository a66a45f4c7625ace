"""From what a reader asks for to codes: which tables, dimensions and codes there are, and which were meant. Pure.

Invariants
    - What can be asked hangs on the catalogue and on the dates of releases alone, and so does every refusal.
    - Questions that mean the same codes become the same `Selected`, in the order of the catalogue, each code once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from federation.errors import Code, UppropError
from federation.web.i18n import Language
from registry.statistics import labels
from registry.statistics.catalogue import TABLES, DimensionId, Measure, Table, TableId, codes
from registry.statistics.cube import ROLES
from registry.statistics.geography import NATION, county_of, geography
from registry.statistics.model import Period
from registry.statistics.reading import CodeList, Dimension, NamedCode, Selection

MAX_CODES = 1_000
"""Codes and patterns in one selection, more than any dimension has."""

MAX_CODE_LENGTH = 32

Selected = tuple[tuple[str, ...], ...]
"""The codes of each dimension of a table, in the order of `dimensions_of`."""


@dataclass(frozen=True, slots=True)
class Askable:
    """A table with the codes that can be asked for now."""

    table: Table
    codes: Mapping[DimensionId, tuple[str, ...]]


def table_named(table_id: str) -> Table:
    """Raises UppropError(REQUEST_INVALID)."""
    if table_id not in set(TableId):
        raise UppropError(
            Code.REQUEST_INVALID,
            f"There is no such table. Ask for one of: {', '.join(TableId)}. Nothing else is offered.",
        )
    return TABLES[TableId(table_id)]


def time_code(period: Period) -> str:
    """As Statistics Sweden writes periods: `2026M09`, `2026`."""
    return f"{period.year:04d}" if period.month is None else f"{period.year:04d}M{period.month:02d}"


def dimensions_of(table: Table) -> tuple[DimensionId, ...]:
    """All dimensions of a table, time and contents last."""
    own = (DimensionId.REGION,) if table.table_id is TableId.OWN_SELECTION else table.leaves
    return (*own, DimensionId.TIME, DimensionId.CONTENTS)


def askable(table: Table, times: Iterable[str]) -> Askable:
    """What can be asked of a table, of which these times are there."""
    known: dict[DimensionId, tuple[str, ...]] = {}
    for dimension in dimensions_of(table):
        match dimension:
            case DimensionId.TIME:
                known[dimension] = tuple(times)
            case DimensionId.CONTENTS:
                known[dimension] = tuple(Measure)
            case DimensionId.REGION if table.table_id is TableId.OWN_SELECTION:
                known[dimension] = (NATION, *geography().counties, *geography().municipalities)
            case _:
                known[dimension] = codes(table, dimension)
    return Askable(table, known)


def code_lists(asked: Askable, dimension: DimensionId) -> dict[str, tuple[str, ...]]:
    """The code lists of a dimension by their ids."""
    there = asked.codes[dimension]
    match dimension:
        case DimensionId.REGION:
            lists = {"nation": (NATION,), "counties": tuple(code for code in there if code in geography().counties)}
            if municipalities := tuple(code for code in there if code in geography().municipalities):
                lists["municipalities"] = municipalities
                for county in geography().counties:
                    lists[f"county-{county}"] = tuple(code for code in municipalities if county_of(code) == county)
            return lists
        case DimensionId.TIME if any("M" in code for code in there):
            years = sorted({code[:4] for code in there})
            return {f"year-{year}": tuple(code for code in there if code[:4] == year) for year in years}
        case _:
            return {}


def described(asked: Askable, language: Language) -> tuple[Dimension, ...]:
    """The dimensions as metadata gives them."""
    return tuple(
        Dimension(
            name=dimension.value,
            label=labels.dimension_label(asked.table, dimension, language),
            role=ROLES.get(dimension, ""),
            codes=tuple(NamedCode(code, labels.code_label(dimension, code, language)) for code in there),
            code_lists=tuple(
                CodeList(list_id, labels.code_list_label(list_id, language), listed)
                for list_id, listed in code_lists(asked, dimension).items()
            ),
        )
        for dimension, there in asked.codes.items()
    )


def select(asked: Askable, selections: Sequence[Selection]) -> Selected:
    """The codes that selections mean. Raises UppropError(REQUEST_INVALID)."""
    by_name: dict[str, Selection] = {}
    names = {dimension.value for dimension in asked.codes}
    for each in selections:
        if each.dimension not in names:
            raise _refused(
                asked,
                f"The table {asked.table.table_id} has no such dimension. It has: {', '.join(asked.codes)}.",
            )
        if each.dimension in by_name:
            raise _refused(asked, f"The dimension {each.dimension} is selected twice. Give one selection for each.")
        by_name[each.dimension] = each
    return tuple(_selected(asked, dimension, by_name.get(dimension)) for dimension in asked.codes)


def _selected(asked: Askable, dimension: DimensionId, selection: Selection | None) -> tuple[str, ...]:
    there = asked.codes[dimension]
    if not there:
        awaited = "a year" if asked.table.table_id is TableId.OWN_SELECTION else "it"
        raise UppropError(
            Code.REQUEST_INVALID,
            f"Nothing can be asked of the table {asked.table.table_id} yet: no release of {awaited} has been drawn. "
            "The list of releases says when the next one is due.",
        )
    if selection is None or (not selection.codes and not selection.code_list_id):
        return there
    if len(selection.codes) > MAX_CODES:
        raise _refused(asked, f"A selection holds at most {MAX_CODES} codes. Use * or a code list.")
    wanted: set[str] = set()
    if selection.code_list_id:
        lists = code_lists(asked, dimension)
        if selection.code_list_id not in lists:
            raise _refused(asked, f"The dimension {dimension} has no such code list.")
        # Codes beside a code list choose from it.
        there = tuple(code for code in there if code in set(lists[selection.code_list_id]))
        if not selection.codes:
            return there
    known = set(there)
    for code in selection.codes:
        matching = {code} & known if "*" not in code else _matching(code, there)
        if not matching:
            raise _refused(asked, f"{_shown(code)} is no code of the dimension {dimension}{_hint(there)}.")
        wanted |= matching
    return tuple(code for code in there if code in wanted)


def _matching(pattern: str, there: Iterable[str]) -> set[str]:
    if len(pattern) > MAX_CODE_LENGTH:
        return set()
    # Runs of * mean what one means, and would take long to match.
    expression = re.compile(re.escape(re.sub(r"\*+", "*", pattern)).replace(r"\*", ".*"))
    return {code for code in there if expression.fullmatch(code)}


def _shown(code: str) -> str:
    """What was asked for, where it looks like a code; it stands in logs."""
    return code if re.fullmatch(r"[A-Za-z0-9_*-]{1,8}", code) else "What was given"


def _hint(there: Sequence[str]) -> str:
    few = 12
    if len(there) <= few:
        return f", which has {', '.join(there)}"
    return f", which has {len(there)} codes from {there[0]} to {there[-1]}"


def _refused(asked: Askable, sentence: str) -> UppropError:
    return UppropError(
        Code.REQUEST_INVALID, f"{sentence} What {asked.table.table_id} can be asked stands in its metadata."
    )
