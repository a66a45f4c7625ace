"""Reads and writes scenario directories: `scenario.json`, `exports/<date>/<member>.json`, `truth.json`.

An export is an SS 12000 `GET /persons` page of everyone, `{"data": [...], "pageToken": null}`. Where scenario.json says
`"exports": "delta"`, that holds for the first date alone; a later date's file has in `data` who has changed since the
date before, and beside it the ids of those who are gone: `"deletedEntities": ["<person id>", ...]`. A member of whom
nothing has changed needs no such file: it imports all the same, and is current.

`"withdrawals": [{"on": "2026-09-07", "member": "0180", "person_id": "…", "last_day": "2026-09-11"}, …]` are asked for
by the member's school system (`RequestWithdrawal`) on a date of as_of, once its export was imported: they wait. What
the school system then does, ending the enrolment or not, is in its exports. `reason` (`moved`), `responsible` and
`enroled_at` may stand in them too. The result then tells, under `withdrawals`, what has become of each.

Invariant: what `read` returns is whole. Every key has its meaning, and every file that has to be there is.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from federation.errors import Code, UppropError
from federation.identity import MUNICIPALITY_ID, OPERATOR_ID
from federation.rules.vocabulary import GapState, MemberId
from node.model import Reason

DEFAULT_POPULATION = 50_000

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class ScenarioMember:
    id: MemberId
    name: str = ""
    population: int = DEFAULT_POPULATION


@dataclass(frozen=True)
class ScenarioBreak:
    """A break of the school year, inclusive at both ends."""

    start: date
    end: date


@dataclass(frozen=True)
class ScenarioCalendar:
    breaks: tuple[ScenarioBreak, ...] = ()
    country: str = "SE"


@dataclass(frozen=True)
class Withdrawal:
    """What a member's school system asks on a date. `enroled_at`: the school unit that is left; empty: all of them."""

    on: date
    member: MemberId
    person_id: str
    last_day: date
    reason: Reason = Reason.MOVED
    responsible: str = "Rut Rektor"
    enroled_at: str = ""


class Exports(enum.StrEnum):
    """What the exports after the first date hold."""

    FULL = "full"
    DELTA = "delta"


@dataclass(frozen=True)
class Scenario:
    """`policy` holds policy values of the descriptor by their names there; what it leaves out keeps its default."""

    members: tuple[ScenarioMember, ...]
    calendar: ScenarioCalendar
    watch_school_days: int
    as_of: tuple[date, ...]
    name: str = ""
    scheme: str = "SE"
    policy: Mapping[str, Any] = field(default_factory=dict)
    exports: Exports = Exports.FULL
    withdrawals: tuple[Withdrawal, ...] = ()

    def is_delta(self, as_of: date) -> bool:
        """Whether the exports of that date hold changes alone."""
        return self.exports is Exports.DELTA and as_of != self.as_of[0]


@dataclass(frozen=True, order=True)
class Case:
    """A gap that was open at the close of some date. `effective_date` is its newest `since`."""

    member: MemberId
    person_id: str
    effective_date: date
    route: str
    opened_on: date
    state: GapState
    state_since: date


@dataclass(frozen=True)
class Truth:
    cases: tuple[Case, ...]
    kinds: Mapping[str, int] = field(default_factory=dict)
    rejected_numbers: int = 0


def export_path(directory: Path, as_of: date, member: str) -> Path:
    return directory / "exports" / as_of.isoformat() / f"{member}.json"


def read(directory: Path) -> Scenario:
    """The scenario in `directory`. Raises UppropError with the file and the place in it that is wrong."""
    scenario = _decode(directory / "scenario.json", Scenario)
    _check(scenario, directory / "scenario.json")
    missing = [
        str(path.relative_to(directory))
        for as_of in scenario.as_of
        if not scenario.is_delta(as_of)
        for member in scenario.members
        if not (path := export_path(directory, as_of, member.id)).is_file()
    ]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UppropError(
            Code.INPUT_REFUSED,
            f"The scenario lacks the export {missing[0]}{more}: every member needs a file for every date of as_of.",
        )
    return scenario


def read_truth(directory: Path) -> Truth:
    return _decode(directory / "truth.json", Truth)


def write(directory: Path, scenario: Scenario, truth: Truth) -> None:
    """Write both descriptions; the exports are the generator's. An existing scenario is not written over."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, value in (("scenario.json", scenario), ("truth.json", truth)):
        with (directory / name).open("x", encoding="utf-8") as file:
            json.dump(plain(value), file, indent=1, ensure_ascii=False)
            file.write("\n")


def write_export(
    directory: Path,
    as_of: date,
    member: str,
    persons: Sequence[Mapping[str, Any]],
    deleted: Sequence[str] | None = None,
) -> None:
    """One SS 12000 `GET /persons` page of everyone; with `deleted`, the ids of who is gone, one of changes."""
    path = export_path(directory, as_of, member)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page(persons, deleted))


def page(persons: Sequence[Mapping[str, Any]], deleted: Sequence[str] | None = None) -> bytes:
    """The content of an export."""
    gone = {} if deleted is None else {"deletedEntities": deleted}
    return json.dumps({"data": persons, **gone, "pageToken": None}, ensure_ascii=False).encode()


def plain(value: Scenario | Truth | Case) -> Any:
    """The value as `json` takes it: dates as ISO 8601 strings."""
    return msgspec.to_builtins(asdict(value))


def unknown_keys(directory: Path) -> tuple[str, ...]:
    """Top-level keys of `scenario.json` that mean nothing here: left alone, but worth a warning."""
    known = {each.name for each in fields(Scenario)}
    content = _json(directory / "scenario.json")
    return tuple(sorted(key for key in content if key not in known)) if isinstance(content, dict) else ()


def _json(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path} is not JSON: {error}.") from error


def _decode(path: Path, kind: type[Kind]) -> Kind:
    try:
        return msgspec.convert(_json(path), kind)
    except msgspec.ValidationError as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path}: {error}.") from error


def _check(scenario: Scenario, path: Path) -> None:
    """What the types alone do not say."""

    def fail(sentence: str) -> NoReturn:
        raise UppropError(Code.INPUT_REFUSED, f"{path}: {sentence}")

    ids = [member.id for member in scenario.members]
    if not ids:
        fail("members is empty; a federation needs at least one.")
    if len(set(ids)) < len(ids):
        fail("a member id stands twice in members.")
    for id_ in ids:
        if not (MUNICIPALITY_ID.fullmatch(id_) or OPERATOR_ID.fullmatch(id_)):
            fail(f"{id_!r} is no member id; four digits (0180), or those and a ten-digit organisation number.")
    if not scenario.as_of:
        fail("as_of is empty; there is nothing to play.")
    if any(later <= earlier for earlier, later in pairwise(scenario.as_of)):
        fail("as_of has to ascend, each date once.")
    for asked in scenario.withdrawals:
        if asked.member not in ids or asked.on not in scenario.as_of:
            fail("a withdrawal is asked for by no member of members, or on no date of as_of.")
    if scenario.watch_school_days < 1:
        fail("watch_school_days has to be at least 1.")
    if scenario.scheme != "SE" or scenario.calendar.country != "SE":
        fail("only the scheme SE and the country SE are known.")
    for each in scenario.calendar.breaks:
        if each.end < each.start:
            fail(f"the break that starts {each.start} ends before it.")
