"""What a reader of the statistics asks and gets, as values. Pure.

They say what the registry said: a table or a code that this version does not know is passed on as it came. Absent is
None, never an empty text or a zero.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from federation.web.i18n import Language
from registry.statistics.catalogue import ReleaseKind


class Level(enum.StrEnum):
    """Who may see the values: `AUTHORITY` the release, `PUBLIC` it with further noise and without small values."""

    AUTHORITY = "authority"
    PUBLIC = "public"

    @classmethod
    def of_role(cls, role: str) -> Level:
        """The most that a reader of this role may see."""
        return cls.PUBLIC if role == "public" else cls.AUTHORITY


class Format(enum.StrEnum):
    """As PxWebApi calls them."""

    JSON_STAT2 = "json-stat2"
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class TableSummary:
    """One table of the catalogue; periods and `updated` only from its first release on."""

    table_id: str
    label: str
    description: str
    dimensions: tuple[str, ...]
    first_period: str | None
    last_period: str | None
    updated: date | None


@dataclass(frozen=True, slots=True)
class NamedCode:
    """A code and what it is called in the language asked for."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class CodeList:
    """Some codes of a dimension under a name."""

    code_list_id: str
    label: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """`role` is `geo`, `time`, `metric` or empty."""

    name: str
    label: str
    role: str
    codes: tuple[NamedCode, ...]
    code_lists: tuple[CodeList, ...]

    def code_list(self, code_list_id: str) -> CodeList | None:
        return next((each for each in self.code_lists if each.code_list_id == code_list_id), None)


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table's metadata. `nano_rho` is what it costs of a year's privacy budget, in 1e-9."""

    summary: TableSummary
    dimensions: tuple[Dimension, ...]
    unit: str
    mechanism: str
    nano_rho: int
    notes: tuple[str, ...]

    def dimension(self, name: str) -> Dimension | None:
        return next((each for each in self.dimensions if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Selection:
    """Codes of one dimension (`*` stands for any letters), or those of a code list; neither: all of them."""

    dimension: str
    codes: tuple[str, ...] = ()
    code_list_id: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """An answer in the format asked for. The same question gives the same bytes for as long as `release_ids` stand."""

    content: bytes
    media_type: str
    release_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """A further question that is paid for and not drawn yet: ask the same again after so many seconds."""

    query_id: str
    ask_again_seconds: int


@dataclass(frozen=True, slots=True)
class Release:
    """Tables drawn in one moment. `silent` are municipalities of which nobody had reported by then."""

    release_id: str
    kind: ReleaseKind
    period: str
    drawn_on: date
    table_ids: tuple[str, ...]
    mechanism: str
    library: str
    profile: str
    current_members: int
    silent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A release that is still to be drawn."""

    kind: ReleaseKind
    period: str
    due_on: date


@dataclass(frozen=True, slots=True)
class Releases:
    """What has been released, as the registry lists it, and what comes next."""

    drawn: tuple[Release, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()


@dataclass(frozen=True, slots=True)
class Spend:
    """One use of a year's budget."""

    purpose: str
    nano_rho: int
    spent_on: date


@dataclass(frozen=True, slots=True)
class YearBudget:
    """A year's privacy budget in 1e-9 of rho, and what of the reserve is left for the reader's role and the reader."""

    year: int
    profile: str
    cap_nano_rho: int
    spent_nano_rho: int
    spends: tuple[Spend, ...]
    role_left_nano_rho: int
    caller_left_nano_rho: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A further question that the reader asked."""

    query_id: str
    table_id: str
    selections: tuple[Selection, ...]
    asked_on: date
    nano_rho: int
    answered: bool


class Source(Protocol):
    """Whoever answers a reader. Methods raise UppropError; `Asked` and budgets are the reader's own."""

    def tables(self, language: Language) -> tuple[TableSummary, ...]:
        """The catalogue."""
        ...

    def table(self, table_id: str, language: Language) -> TableInfo:
        """REQUEST_INVALID for a table that is not in the catalogue."""
        ...

    def data(
        self, table_id: str, selections: tuple[Selection, ...], level: Level, form: Format, language: Language
    ) -> Document | Pending:
        """Cells of a table. Of the table of one's own selection: a question that costs, the first time it is asked."""
        ...

    def releases(self) -> Releases:
        """What there is."""
        ...

    def budget(self) -> tuple[YearBudget, ...]:
        """Year by year."""
        ...

    def asked(self) -> tuple[Asked, ...]:
        """The reader's further questions."""
        ...
