"""What an evaluator allows beyond a member's quota, over real mutual TLS, a real store and the command line."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from click.testing import CliRunner, Result

from federation import control
from federation.errors import Code, UppropError
from federation.rpc.fairness import MEMBER_LIMITS
from privacy.evaluator import client
from privacy.evaluator.cli import evaluator
from tests.integration.test_evaluator import (
    DAY_LIMIT,
    TODAY,
    YEAR_LIMIT,
    MakeWorld,
    World,
    blinded,
    make_world,
    refused,
    world,
)

__all__ = ["make_world", "world"]

LATER = TODAY + timedelta(days=3)


def allow(world: World, elements: int, until: date = LATER, member: str = "0180", index: int = 1) -> None:
    with control.connect(world.evaluators[index].settings.data_dir) as stub:
        client.allow(stub, member, elements, until)


def status(world: World) -> dict[str, str]:
    with control.connect(world.evaluators[1].settings.data_dir) as stub:
        return client.status(stub)


def test_an_allowance_begins_where_the_quota_ends_and_is_used_up_once(world: World) -> None:
    caller = world.caller("0180")
    allow(world, 500)
    caller.ask(blinded(300).elements)
    assert status(world)["member 0180"].endswith("500 more allowed until 2026-10-22")
    caller.ask(blinded(100).elements)
    assert caller.used() == (DAY_LIMIT, DAY_LIMIT)
    assert caller.epochs().quota.allowed == 433
    with refused(Code.QUOTA_EXCEEDED) as error:
        caller.ask(blinded(434).elements)
    assert "allowance" in error.value.sentence
    caller.ask(blinded(433).elements)
    with refused(Code.QUOTA_EXCEEDED):
        caller.ask(blinded(1).elements)
    # What was allowed is nothing that the days to come have to pay for.
    world.clock.set_today(TODAY + timedelta(days=1))
    caller.ask(blinded(DAY_LIMIT).elements)
    assert caller.used() == (2 * DAY_LIMIT, DAY_LIMIT)


def test_an_allowance_reaches_beyond_the_year_too(world: World) -> None:
    caller = world.caller("0180")
    for day in range(3):
        world.clock.set_today(TODAY + timedelta(days=day))
        caller.ask(blinded(DAY_LIMIT).elements)
    allow(world, 700, TODAY + timedelta(days=9))
    world.clock.set_today(TODAY + timedelta(days=3))
    caller.ask(blinded(701).elements)
    assert caller.used() == (YEAR_LIMIT, 1)
    with refused(Code.QUOTA_EXCEEDED):
        caller.ask(blinded(1).elements)


def test_an_allowance_ends_with_its_last_day(world: World) -> None:
    caller = world.caller("0180")
    allow(world, 500)
    world.clock.set_today(LATER)
    caller.ask(blinded(DAY_LIMIT + 1).elements)
    world.clock.set_today(LATER + timedelta(days=1))
    assert caller.epochs().quota.allowed == 0
    with refused(Code.QUOTA_EXCEEDED):
        caller.ask(blinded(DAY_LIMIT + 1).elements)
    assert "allowed" not in status(world)["member 0180"]


def test_a_repeated_request_takes_nothing_more_of_an_allowance(world: World) -> None:
    caller, batch, request_id = world.caller("0180"), blinded(400), secrets.token_bytes(16)
    allow(world, 100)
    first = caller.ask(batch.elements, request_id)
    world.evaluators[1].stop()
    world.evaluators[1].start()
    assert caller.ask(batch.elements, request_id).evaluated == first.evaluated
    assert caller.epochs().quota.allowed == 100 - (400 - DAY_LIMIT)


def test_an_allowance_holds_against_many_requests_at_once(world: World) -> None:
    caller = world.caller("0180")
    caller.ask(blinded(DAY_LIMIT).elements)
    allow(world, 120)
    batches = [blinded(50) for _ in range(8)]

    def ask(place: int) -> Code | None:
        try:
            caller.ask(batches[place].elements)
        except UppropError as error:
            return error.code
        return None

    with ThreadPoolExecutor(MEMBER_LIMITS.calls) as pool:
        assert sorted(pool.map(ask, range(8)), key=str) == [None] * 2 + [Code.QUOTA_EXCEEDED] * 6
    assert caller.epochs().quota.allowed == 20


def test_one_members_allowance_is_no_other_members(world: World) -> None:
    allow(world, 500)
    with refused(Code.QUOTA_EXCEEDED):
        world.caller("1480").ask(blinded(DAY_LIMIT + 1).elements)
    assert world.caller("1480").epochs().quota.allowed == 0


def test_the_newest_allowance_counts_and_none_takes_it_back(world: World) -> None:
    allow(world, 500)
    allow(world, 7, LATER + timedelta(days=1))
    assert status(world)["member 0180"].endswith("7 more allowed until 2026-10-23")
    allow(world, 0)
    assert "member 0180" not in status(world)


@pytest.mark.parametrize(
    ("member", "elements", "until"),
    [("9999", 5, LATER), ("0180", 5, TODAY - timedelta(days=1)), ("0180", 10_000_001, LATER)],
    ids=["no member", "a day past", "more than the nation"],
)
def test_what_cannot_be_allowed_is_refused(world: World, member: str, elements: int, until: date) -> None:
    with refused(Code.INPUT_REFUSED):
        allow(world, elements, until, member)
    assert not [name for name in status(world) if name.startswith("member")]


def test_an_allowance_is_logged_with_its_member_and_no_count_names_one(world: World) -> None:
    allow(world, 500)
    world.caller("0180").ask(blinded(DAY_LIMIT + 5).elements)
    events = [json.loads(line) for line in world.evaluators[1].log.getvalue().splitlines()]
    [event] = [event for event in events if event["event"] == "evaluator_allowance_granted"]
    assert (event["member"], event["elements"], event["until"]) == ("0180", 500, "2026-10-22")
    registry = world.evaluators[1].metrics.registry
    # What a day's elements were is not shown before the day is over, and then in steps for all members together.
    assert registry.get_sample_value("upprop_evaluator_elements_total", {"outcome": "allowed"}) == 0
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    naming = {sample.name for sample in samples if any("0180" in value for value in sample.labels.values())}
    assert naming <= {"upprop_evaluator_quota_left_ratio"}


def run(world: World, *arguments: str) -> Result:
    config = str(world.dev.evaluator(1))
    return CliRunner().invoke(evaluator, [*arguments, "--config", config], catch_exceptions=True)


@pytest.mark.parametrize("running", [True, False], ids=["running", "at rest"])
def test_the_command_line_allows_and_shows_it(make_world: MakeWorld, running: bool) -> None:
    world = make_world(1)
    if not running:
        world.evaluators[1].stop()
    # Whatever the day is on which this runs: an evaluator at rest goes by the date of its settings.
    done = run(world, "allow", "0180", "--elements", "40", "--until", "2026-10-22")
    assert done.exit_code == 0, done.output
    assert "0180 may ask for 40 more than its quota until 2026-10-22." in done.output
    shown = json.loads(run(world, "status", "--json").stdout)
    assert (
        shown["member 0180"] == f"0 of {YEAR_LIMIT} this year, 0 of {DAY_LIMIT} today; 40 more allowed until 2026-10-22"
    )
    taken_back = run(world, "allow", "0180", "--elements", "0", "--until", "2026-10-22", "--json")
    assert json.loads(taken_back.stdout) == {"member": "0180", "elements": 0, "until": "2026-10-22"}
    assert isinstance(run(world, "allow", "9999", "--elements", "1", "--until", "2026-10-22").exception, UppropError)
