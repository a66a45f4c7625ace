"""A synthetic nation's year of missed children, written into a migrated registry store as closes would have left it.

Deterministic by its seed. Places are weighted like populations (a few cities, many small municipalities: with 2 360
children a year the median municipality has about five), months like a school year. Besides the children that count
there are what must not count: second cases of the same child, cases that never were, and test pupils.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import NormalDist
from typing import Any

from federation.clock import ManualClock
from federation.database import Database
from federation.descriptor import Descriptor, File, Member
from federation.descriptor_file import PolicyValues
from federation.observability import Log
from registry.statistics.catalogue import AGES, KINDS, SEXES, UNKNOWN, Days
from registry.statistics.geography import geography
from registry.statistics.model import Child
from registry.statistics.releasing import Published, Releasing
from registry.store.bulk import insert, upsert
from registry.store.schema import cases, closes, gaps, members, signals
from registry.store.schema_statistics import statistics_cases

CHILDREN = 2_360
"""A year, after what is known of harmful stays abroad and of pupils nobody finds."""

CITIES = ("0180", "1480", "1280", "0380", "0580", "1880", "1980", "1283", "0680", "0581", "2480", "1490", "2180")
"""The largest, in order; the rest in the order of their codes, shuffled once."""

_SPREAD = 1.0
"""Of the logarithm of a municipality's weight."""
_MONTHS = (7, 5, 5, 5, 5, 8, 3, 18, 16, 11, 9, 8)
_KINDS = (80, 15, 5)
_AGES = (30, 25, 40, 5)
_SEXES = (47, 48, 5)
_DAYS = {
    Days.WEEK: (0, 7, 24),
    Days.MONTH: (8, 30, 30),
    Days.QUARTER: (31, 90, 20),
    Days.HALF: (91, 180, 11),
    Days.YEAR: (181, 365, 7),
    Days.LONGER: (366, 600, 3),
    Days.OPEN: (0, 0, 5),
}
_SECOND_CASES, _VOID, _DRILLS = 0.08, 0.02, 0.01


@dataclass(frozen=True, slots=True)
class Nation:
    """What was filled in: the children that count, and what publishing needs to know."""

    year: int
    children: tuple[Child, ...]
    descriptor: Descriptor


def descriptor(*, strict: bool = False, silent_never_listed: Collection[str] = (), serial: int = 1) -> Descriptor:
    """A federation of all 290 municipalities, but for those left out, without what only TLS and signatures need."""
    return Descriptor.of(
        File(
            serial=serial,
            expires=datetime(2099, 1, 1, tzinfo=UTC),
            policy=PolicyValues(statistics="strict" if strict else "standard"),
            members=[
                Member(id=code, name=name, population=1_000, key_sha256=f"{index:064x}")
                for index, (code, name) in enumerate(geography().municipalities.items())
                if code not in silent_never_listed
            ],
        )
    )


def weights() -> dict[str, float]:
    """Municipality → its weight, in the order of the codes."""
    codes = list(geography().municipalities)
    rest = [code for code in codes if code not in CITIES]
    Random(290).shuffle(rest)
    ranked = [*CITIES, *rest]
    normal = NormalDist()
    weight = {
        code: math.exp(_SPREAD * normal.inv_cdf(1 - (rank + 0.5) / len(ranked))) for rank, code in enumerate(ranked)
    }
    return {code: weight[code] for code in codes}


def fill(
    database: Database,
    year: int,
    seed: int,
    children: int = CHILDREN,
    *,
    silent: Collection[str] = (),
    heard_on: date | None = None,
    closed_on: date | None = None,
    strict: bool = False,
) -> Nation:
    """Fill one year; several years can be filled one after the other.

    Members reported last on `heard_on`, the `silent` ones never; the first finished close is of 2 January, the
    newest of `closed_on`. Both days are 1 January two years later where left out, so that everything of the year may be
    released.
    """
    random = Random(f"{year}-{seed}")
    day = date(year + 2, 1, 1)
    drafts = _Drafts(random, year)
    counted = tuple(drafts.child() for _ in range(children))
    for _ in range(round(children * _VOID)):
        drafts.child(state="VOID")
    for _ in range(round(children * _DRILLS)):
        drafts.child(drill=True)
    everyone = descriptor(strict=strict)
    with database.transaction("test_fill") as tx:
        insert(tx, signals, drafts.signals)
        insert(tx, cases, drafts.cases)
        insert(tx, gaps, drafts.gaps)
        insert(tx, statistics_cases, drafts.statistics)
        heard: Sequence[str] = [each.id for each in everyone.members if each.id not in silent]
        as_of = heard_on or day
        contact = [
            {"member": member, "last_contact": as_of, "roster": 1_000, "first_contact": date(2025, 8, 1)}
            for member in heard
        ]
        upsert(tx, members, contact, update=("last_contact",))
        upsert(tx, closes, [_close(date(year, 1, 2)), _close(closed_on or day)])
    return Nation(year, counted, everyone)


def _close(day: date) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
    return {
        "closed_on": day,
        "descriptor_serial": 1,
        "started_at": at,
        "finished_at": at,
        "through_position": 0,
        "working": False,
        "next_portion": 1,
    }


def publish(database: Database, nation: Nation, today: date | None = None) -> list[Published]:
    """Publish all that is due on a day, with real noise; where left out, when all of the nation's year is."""
    clock = ManualClock("Europe/Stockholm", today or date(nation.year + 2, 1, 1))
    return Releasing(database, lambda: nation.descriptor, clock, Log(level="error")).publish_due()


class _Drafts:
    """Rows of the tables, child after child."""

    def __init__(self, random: Random, year: int) -> None:
        self._random, self._year = random, year
        weighed = weights()
        self._places, self._weights = list(weighed), list(weighed.values())
        self.signals: list[dict[str, Any]] = []
        self.cases: list[dict[str, Any]] = []
        self.gaps: list[dict[str, Any]] = []
        self.statistics: list[dict[str, Any]] = []

    def child(self, *, state: str | None = None, drill: bool = False) -> Child:
        random = self._random
        month = random.choices(range(1, 13), _MONTHS)[0]
        opened_on = date(self._year, month, random.randint(1, 28))
        days = random.choices(list(_DAYS), [weight for _, _, weight in _DAYS.values()])[0]
        shortest, longest, _ = _DAYS[days]
        last_day = date(self._year + 1, 12, 31)
        closed_on = None if days is Days.OPEN else opened_on + timedelta(random.randint(shortest, longest))
        if closed_on is not None and closed_on > last_day:
            days = Days.OPEN
        child = Child(
            month=month,
            municipality=random.choices(self._places, self._weights)[0],
            kind=random.choices(KINDS, _KINDS)[0],
            age=random.choices(AGES, _AGES)[0],
            sex=random.choices(SEXES, _SEXES)[0],
            days=days,
        )
        child_year_id = random.randbytes(16)
        self._case(child, child_year_id, opened_on, closed_on, state, drill=drill)
        again = opened_on + timedelta(random.randint(1, 60))
        if random.random() < _SECOND_CASES and again.year == self._year and (closed_on is None or again < closed_on):
            elsewhere = random.choices(self._places, self._weights)[0]
            second = Child(again.month, elsewhere, "LEFT", child.age, child.sex, days)
            self._case(second, child_year_id, again, closed_on, state, drill=drill)
        return child

    def _case(
        self,
        child: Child,
        child_year_id: bytes,
        opened_on: date,
        closed_on: date | None,
        state: str | None,
        *,
        drill: bool,
    ) -> None:
        random, lead = self._random, child.municipality
        case_id, ref, handle = random.randbytes(16), random.randbytes(16), random.randbytes(16)
        state = state or ("OPEN" if closed_on is None else "ENDED")
        signal = {"ref": ref, "member": lead, "handle": handle, "version": 1, "content_digest": random.randbytes(32)}
        self.signals.append(signal | {"retracted": False, "statement": "{}", "drill": drill})
        self.cases.append(
            {
                "case_id": case_id,
                "lead": lead,
                "opened_on": opened_on,
                "closed_on": closed_on,
                "drill": drill,
                "child_year_id": child_year_id,
            }
        )
        self.gaps.append(
            {
                "ref": ref,
                "number": 1,
                "kind": child.kind,
                "since": opened_on - timedelta(days=14),
                "urgency": "NORMAL",
                "state": state,
                "state_since": closed_on or opened_on,
                "due_on": opened_on,
                "told": state,
                "case_id": case_id,
                "linked": False,
                "leads": state == "OPEN",
                "coverage_incomplete": False,
            }
        )
        if drill:
            return
        known = child.age != UNKNOWN or child.sex != UNKNOWN
        self.statistics.append(
            {
                "case_id": case_id,
                "year": opened_on.year,
                "lead": lead,
                "kind": child.kind,
                "age_band": None if child.age == UNKNOWN else child.age,
                "sex": None if child.sex == UNKNOWN else child.sex,
                "described_on": opened_on if known else None,
            }
        )
