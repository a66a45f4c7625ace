"""A cube as CSV. Pure.

One row for each combination of codes: for every dimension but the contents its code and its label, then one column for
each of the contents. Codes are quoted, for they are no numbers and keep their leading zeros; where no value is, its
mark stands (`..`, `:`). Comma, CRLF and UTF-8 as RFC 4180 and PxWeb have it, without a byte order mark, which most
readers of CSV would take for a part of the first column's name; whoever opens it in Excel asks for xlsx.

Invariant: the same cube gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from registry.statistics.cube import Cube

MEDIA_TYPE = "text/csv; charset=utf-8"


def write(cube: Cube) -> bytes:
    return "".join(f"{line}\r\n" for line in _lines(cube)).encode()


def _lines(cube: Cube) -> Iterator[str]:
    *keys, contents = cube.axes
    yield ",".join(
        [*(_quoted(name) for axis in keys for name in (axis.name, axis.label)), *map(_quoted, contents.codes)]
    )
    named = [{each.code: each.label for each in axis.categories} for axis in keys]
    measures = len(contents.codes)
    for number, (key, _) in enumerate(cube.rows()):
        codes = [_quoted(text) for code, names in zip(key, named, strict=True) for text in (code, names[code])]
        places = range(number * measures, (number + 1) * measures)
        yield ",".join([*codes, *(cube.text(place) for place in places)])


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
