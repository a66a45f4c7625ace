"""What the registry's statistics know of cases, whatever is lost on the way: each described once, truly."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from federation.database import Database
from federation.demo.generator import Recipe, generate, write
from federation.demo.simulate import prepared
from federation.rules.vocabulary import MemberId
from federation.settings import parse_address
from registry.store.schema_statistics import statistics_cases
from tests.harness.lossy_proxy import LossyProxy

KINDS = {"lost": 8, "move_late": 3, "move_ok": 4, "vanish_lost": 2, "protected": 2, "tf": 2, "bad_number": 2}
SYNCS = 4
"""Of which one gets through, though calls are lost."""

Described = tuple[str, int, str, str, str]
"""Lead, year, kind, age band and sex."""


def test_every_case_is_described_once_and_truly(tmp_path: Path) -> None:
    generated = generate(Recipe(seed=41, members=2, pupils=20, weeks=7, kinds=KINDS))
    write(generated, tmp_path / "scenario")
    proxies: list[LossyProxy] = []

    def route(_name: str, address: str) -> str:
        proxies.append(LossyProxy(parse_address(address), seed=len(proxies)))
        return proxies[-1].address

    try:
        with prepared(tmp_path / "scenario", keep=tmp_path / "kept", route=route) as simulation:
            assert simulation.play().cases == generated.truth.cases
            # What has opened on the last day, or was not heard, is described by the next syncs.
            for member, _ in itertools.product(simulation.trial.nodes, range(SYNCS)):
                simulation._sync(MemberId(member), notices_only=False)
    finally:
        for proxy in proxies:
            proxy.close()
    known = [case for case in generated.truth.cases if case.route == "registry"]
    people = {person["id"]: person for person in _persons(tmp_path / "scenario")}
    expected = Counter(_expected(case, people[case.person_id]) for case in known)
    assert len({(band, sex) for _, _, _, band, sex in expected}) > 2
    assert _described(tmp_path / "kept") == expected


def _expected(case: Any, person: dict[str, Any]) -> Described:
    opened = case.opened_on.year
    age = opened - int(person["civicNo"]["value"][:4])
    band = "-9" if age <= 9 else "10-12" if age <= 12 else "13-"
    return case.member, opened, "LEFT", band, {"Man": "1", "Kvinna": "2"}[person["sex"]]


def _described(kept: Path) -> Counter[Described]:
    [path] = kept.glob("registry/**/*.sqlite")
    database = Database(path)
    of = statistics_cases.c
    query = sa.select(of.lead, of.year, of.kind, of.age_band, of.sex)
    found = database.view("test_described", lambda tx: Counter[Any](tuple(row) for row in tx.execute(query)))
    database.close()
    return found


def _persons(scenario: Path) -> Iterator[dict[str, Any]]:
    for export in sorted(scenario.glob("exports/*/*.json")):
        yield from json.loads(export.read_bytes())["data"]
