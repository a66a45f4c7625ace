"""What a question to the API chooses, in the manner of PxWebApi 2. Pure.

Codes are plain, hold `*` and `?` for any letters and any letter, or are one of `top(n)`, `bottom(n)`, `from(code)`,
`to(code)`, `range(code,code)`. Of periods the top ones are the newest, of other dimensions the first listed.

Invariants
    - A choice is understood whole or refused: a misspelt word never means "everything".
    - What is not chosen is given whole.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from registry.dashboard.problems import ProblemError
from registry.statistics.reading import Dimension, Selection, TableInfo

_PARAMETER = re.compile(r"(valuecodes|codelist)\[([^\[\]]+)\]", re.IGNORECASE)
_BETWEEN = re.compile(r",(?![^()]*\))")
_EXPRESSION = re.compile(r"(top|bottom|from|to|range)\(([^()]*)\)", re.IGNORECASE)
_ALL = "*"

_LAYOUT = frozenset({"heading", "stub"})
"""Of tables that are drawn; none of our formats has them."""


class _Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`codeList` in the specification, `codelist` in what tools send."""

    variable: str = msgspec.field(name="variableCode")
    codes: list[str] = msgspec.field(name="valueCodes", default_factory=list)
    code_list: str | None = msgspec.field(name="codeList", default=None)
    also_code_list: str | None = msgspec.field(name="codelist", default=None)


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    selection: list[_Choice]
    placement: object = None
    """Of tables that are drawn."""


_DECODER = msgspec.json.Decoder(_Body)

Chosen = Mapping[str, tuple[tuple[str, ...], str | None]]
"""Value codes and code list by dimension, as they were written."""


def of_parameters(items: Iterable[tuple[str, str]], known: frozenset[str]) -> Chosen:
    """The choices of a GET; `known` parameters are others' affair. Raises ProblemError."""
    codes: dict[str, tuple[str, ...]] = {}
    lists: dict[str, str] = {}
    for name, value in items:
        found = _PARAMETER.fullmatch(name)
        if found is None:
            if name not in known | _LAYOUT:
                raise ProblemError(
                    400, f"There is no parameter {name[:40]!r}. Choose by valueCodes[...] and codelist[...]."
                )
            continue
        dimension = found[2]
        if found[1].lower() == "codelist":
            lists[dimension] = value
        else:
            codes[dimension] = (*codes.get(dimension, ()), *_split(value))
    return {name: (codes.get(name, ()), lists.get(name)) for name in (codes | lists)}


def of_body(content: bytes) -> Chosen:
    """The choices of a POST. Raises ProblemError."""
    try:
        selection = _DECODER.decode(content).selection
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProblemError(
            400,
            'The body is not understood. Write {"selection": [{"variableCode": "Region", "valueCodes": ["01"]}]}.',
        ) from error
    return {
        each.variable: (
            tuple(code.strip() for code in each.codes if code.strip()),
            each.code_list or each.also_code_list,
        )
        for each in selection
    }


def resolve(info: TableInfo, chosen: Chosen) -> tuple[Selection, ...]:
    """Selections by plain codes, in the order of the table's dimensions. Raises ProblemError."""
    for name in chosen:
        if info.dimension(name) is None:
            raise ProblemError(400, f"The table has no dimension {name[:40]!r}. Its dimensions: {_names(info)}.")
    found = []
    for dimension in info.dimensions:
        codes, listed = chosen.get(dimension.name, ((), None))
        if listed and dimension.code_list(listed) is None:
            raise ProblemError(400, f"{dimension.name} has no code list {listed[:40]!r}. See the table's metadata.")
        if (codes and _ALL not in codes) or listed:
            plain = () if _ALL in codes else tuple(dict.fromkeys(_plain(dimension, codes)))
            found.append(Selection(dimension.name, plain, listed or None))
    return tuple(found)


def cells(info: TableInfo, selections: Sequence[Selection]) -> int:
    """How many values the answer has."""
    by_name = {each.dimension: each for each in selections}
    return math.prod(_count(dimension, by_name.get(dimension.name)) for dimension in info.dimensions)


def _count(dimension: Dimension, selection: Selection | None) -> int:
    if selection is None:
        return len(dimension.codes)
    listed = dimension.code_list(selection.code_list_id) if selection.code_list_id else None
    return len({*selection.codes, *(listed.codes if listed else ())})


def _names(info: TableInfo) -> str:
    return ", ".join(each.name for each in info.dimensions)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _BETWEEN.split(text) if part.strip())


def _plain(dimension: Dimension, written: Iterable[str]) -> Iterable[str]:
    known = [each.code for each in dimension.codes]
    for code in written:
        expression = _EXPRESSION.fullmatch(code)
        if expression is not None:
            arguments = [part.strip() for part in expression[2].split(",")]
            yield from _EXPRESSIONS[expression[1].lower()](dimension, known, arguments)
        elif "*" in code or "?" in code:
            # Brackets are letters here, not sets of letters as `fnmatch` has them.
            matching = fnmatch.filter(known, code.replace("[", "[[]"))
            if not matching:
                raise _unknown(dimension, code)
            yield from matching
        elif code not in known:
            raise _unknown(dimension, code)
        else:
            yield code


def _unknown(dimension: Dimension, code: str) -> ProblemError:
    return ProblemError(400, f"{dimension.name} has no code {code[:40]!r}. See the table's metadata.")


def _numbers(dimension: Dimension, arguments: Sequence[str]) -> tuple[int, int]:
    """How many, and how many before them are passed over."""
    if not 1 <= len(arguments) <= 2 or not all(each.isascii() and each.isdigit() for each in arguments):
        raise ProblemError(400, f"{dimension.name}: write top(3), or top(3,1) to pass over one.")
    return int(arguments[0]), int(arguments[1]) if len(arguments) == 2 else 0


def _top(dimension: Dimension, known: list[str], arguments: Sequence[str], *, turned: bool = False) -> Iterable[str]:
    count, passed = _numbers(dimension, arguments)
    if (dimension.role == "time") is not turned:
        end = max(0, len(known) - passed)
        return known[max(0, end - count) : end]
    return known[passed : passed + count]


def _bottom(dimension: Dimension, known: list[str], arguments: Sequence[str]) -> Iterable[str]:
    return _top(dimension, known, arguments, turned=True)


def _range(dimension: Dimension, known: list[str], arguments: Sequence[str]) -> Iterable[str]:
    if len(arguments) != 2:
        raise ProblemError(400, f"{dimension.name}: write range(first,last).")
    first, last = (_place(dimension, known, each) for each in arguments)
    return known[first : last + 1]


def _from(dimension: Dimension, known: list[str], arguments: Sequence[str]) -> Iterable[str]:
    return known[_place(dimension, known, ",".join(arguments)) :]


def _to(dimension: Dimension, known: list[str], arguments: Sequence[str]) -> Iterable[str]:
    return known[: _place(dimension, known, ",".join(arguments)) + 1]


def _place(dimension: Dimension, known: list[str], code: str) -> int:
    if code not in known:
        raise _unknown(dimension, code)
    return known.index(code)


_EXPRESSIONS: Mapping[str, Callable[[Dimension, list[str], Sequence[str]], Iterable[str]]] = {
    "top": _top,
    "bottom": _bottom,
    "range": _range,
    "from": _from,
    "to": _to,
}
