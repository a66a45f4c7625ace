"""Counties and municipalities by the codes of Statistics Sweden, strings with their leading zeros. Pure.

A county has two digits, a municipality four, of which the first two are its county's; `00` is the nation.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

NATION = "00"


@dataclass(frozen=True, slots=True)
class Geography:
    """Code → name, in the order of the codes."""

    counties: Mapping[str, str]
    municipalities: Mapping[str, str]


@functools.cache
def geography() -> Geography:
    """The 21 counties and 290 municipalities that there are since 2003 (Knivsta was the last to come)."""
    text = resources.files(__package__).joinpath("geography.csv").read_text("utf-8")
    names = {row["code"]: row["name"] for row in csv.DictReader(text.splitlines())}
    return Geography(
        MappingProxyType({code: name for code, name in names.items() if len(code) == 2}),
        MappingProxyType({code: name for code, name in names.items() if len(code) == 4}),
    )


def county_of(municipality: str) -> str:
    return municipality[:2]
