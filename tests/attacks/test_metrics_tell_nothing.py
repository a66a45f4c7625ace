"""Whoever scrapes registry and evaluators does not learn that one pupil more has left, nor that a case was opened.

Federations that live through the same days with real parties, and differ by one pupil: who leaves in a batch that is
sent anyway; or who is the only one to leave at all, so that there is a batch which else there would not be. That a
batch was sent is seen, as a call is, by neither member nor size; what becomes of it, the case that opens, is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Gauge

from federation import coarse
from federation.descriptor_file import PolicyValues
from federation.fresh import Fresh
from registry.store import schema
from tests.integration.node_parties import Federation, running
from tests.unit.node.exports import enrolment, person

MEMBER, OTHER = "0180", "1480"
BASELINE, LEFT, BEFORE_DUE, DUE = date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 17), date(2026, 9, 18)
LAST_DAY = "2026-09-04"

OF_TIME = re.compile(
    r"_(sum|bucket|created)$|timestamp_seconds|^upprop_data_directory_|^upprop_database_connections$|clock_skew"
)
"""What hangs on the machine and on when things happened. How often they did (`…_seconds_count`) is compared."""

OF_A_BATCH = re.compile(
    r"SubmitSignals|BlindEvaluate|Get(Inclusion|Consistency)Proofs?|submit_signals|evaluator_(charge|used)|ledger_proofs"
)
"""Calls, and the transactions of calls, that a batch makes which else there would not be."""

LEAKY = "test_cases"

MEMBER_SERIES = {
    "upprop_registry_member_last_seen_timestamp_seconds",
    "upprop_registry_member_lag_days",
    "upprop_registry_member_certificate_expires_timestamp_seconds",
    "upprop_evaluator_quota_left_ratio",
}

Shown = Mapping[str, float]


@dataclass
class World:
    """What was shown after each day, and how many cases there were in the end."""

    shown: dict[date, Shown] = field(default_factory=dict)
    cases: int = 0
    naming: set[str] = field(default_factory=set)


def exports(day: date, leavers: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    here = {place: person(place) for place in range(30)}
    if day >= LEFT:
        here.update((place, person(place, enrolment(end=LAST_DAY))) for place in leavers)
    return {MEMBER: list(here.values()), OTHER: [person(place) for place in range(100, 130)]}


def shown(measured: Mapping[str, CollectorRegistry]) -> Shown:
    return {
        f"{party} {sample.name} {sorted(sample.labels.items())}": sample.value
        for party, registry in measured.items()
        for family in registry.collect()
        for sample in family.samples
        if not OF_TIME.search(sample.name)
    }


def different(one: Shown, other: Shown) -> set[str]:
    """The series that tell two worlds apart."""
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def grown(before: Shown, after: Shown) -> Shown:
    return {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}


def cases(federation: Federation) -> int:
    with federation.registry_app.database.read("test") as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(schema.cases)).scalar_one())


def lived(directory: Path, leavers: Sequence[int]) -> World:
    world = World()
    with running(directory, (MEMBER, OTHER), BASELINE, policy=PolicyValues().policy()) as federation:
        # What nobody would build: that the comparison finds it shows that it finds such things.
        Gauge(LEAKY, "Cases.", registry=federation.measured["registry"]).set_function(lambda: cases(federation))
        for day in (BASELINE, LEFT, BEFORE_DUE, DUE):
            federation.day(day, exports(day, leavers))
            world.shown[day] = shown(federation.measured)
        world.cases = cases(federation)
        world.naming = {
            sample.name
            for registry in federation.measured.values()
            for family in registry.collect()
            for sample in family.samples
            for value in sample.labels.values()
            if MEMBER in value or OTHER in value
        }
    return world


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[int, World]:
    """By how many pupils leave. All processes have drawn the same secret, and none answers from memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coarse, "drawn_secret", lambda: bytes(coarse.SECRET_BYTES))
        patch.setattr(Fresh, "get", lambda fresh: fresh._ask())
        directory = tmp_path_factory.mktemp("worlds")
        return {number: lived(directory / str(number), range(3, 3 + number)) for number in range(3)}


def test_the_worlds_differ_by_one_case_each(worlds: dict[int, World]) -> None:
    assert [world.cases for world in worlds.values()] == [0, 1, 2]


def test_one_pupil_more_in_a_batch_shows_in_no_metric(worlds: dict[int, World]) -> None:
    for day in worlds[1].shown:
        told = different(worlds[1].shown[day], worlds[2].shown[day])
        # Found where it is, and nothing else is found.
        assert told == ({f"registry {LEAKY} []"} if day == DUE else set()), day


def test_a_batch_that_else_there_would_not_be_is_seen_as_calls_alone(worlds: dict[int, World]) -> None:
    told = different(worlds[0].shown[LEFT], worlds[1].shown[LEFT])
    assert told
    assert {name for name in told if not OF_A_BATCH.search(name)} == set()
    assert not any(MEMBER in name for name in told)


def test_the_evening_on_which_the_only_case_opens_is_as_any_other(worlds: dict[int, World]) -> None:
    """No group, no notice and no acknowledgement shows: there is one case in the one world and none in the other."""
    grew = [grown(worlds[number].shown[BEFORE_DUE], worlds[number].shown[DUE]) for number in (0, 1, 2)]
    assert different(grew[0], grew[1]) == {f"registry {LEAKY} []"}
    assert different(grew[1], grew[2]) == {f"registry {LEAKY} []"}


def test_members_are_named_by_few_series(worlds: dict[int, World]) -> None:
    for world in worlds.values():
        assert world.naming == MEMBER_SERIES


def test_what_was_compared_is_not_next_to_nothing(worlds: dict[int, World]) -> None:
    names = {line.split()[1] for line in worlds[1].shown[DUE]}
    assert {
        "grpc_server_handling_seconds_count",
        "upprop_transactions_total",
        "upprop_transaction_seconds_count",
        "upprop_registry_signals_total",
        "upprop_registry_close_seconds_count",
        "upprop_registry_matching_lag_seconds",
        "upprop_registry_ledger_leaves",
        "upprop_registry_coverage_ratio",
        "upprop_registry_epoch_members_ratio",
        "upprop_evaluator_elements_total",
        "upprop_evaluator_quota_left_ratio",
        "upprop_witness_tree_size",
    } <= names
