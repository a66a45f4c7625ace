"""A school system that asks to withdraw a pupil, over the network: it waits, and says the same whatever is true."""

from __future__ import annotations

import secrets
from datetime import timedelta

from federation.v1 import enrolment_pb2
from tests.harness.push_client import PushClient
from tests.integration.push_parties import DAY, TODAY, PushNode, refused
from tests.unit.node.exports import person

HELD = enrolment_pb2.WITHDRAWAL_STATE_HELD


def test_a_withdrawal_is_asked_for_once_and_waits(begun: PushClient) -> None:
    request_id, who = secrets.token_bytes(16), person(0)["id"]
    for _ in range(2):
        assert begun.request_withdrawal(who, TODAY + DAY, request_id=request_id) == HELD
    assert begun.withdrawal(request_id) == HELD
    with refused("BATCH_REUSED"):
        begun.request_withdrawal(who, TODAY + 2 * DAY, request_id=request_id)
    with refused("INPUT_REFUSED"):
        begun.request_withdrawal(who, TODAY + DAY, request_id=secrets.token_bytes(16))


def test_what_a_withdrawal_lacks_is_said_and_nothing_waits(begun: PushClient) -> None:
    request_id, who = secrets.token_bytes(16), person(1)["id"]
    with refused("REQUEST_INVALID"):
        begun.request_withdrawal(who, TODAY, request_id=b"short")
    with refused("REQUEST_INVALID"):
        begun.request_withdrawal(who, TODAY, request_id=request_id, moved=False)
    with refused("INPUT_REFUSED"):
        begun.request_withdrawal(who, TODAY, request_id=request_id, responsible=" ")
    with refused("INPUT_REFUSED"):
        begun.request_withdrawal(who, TODAY + timedelta(days=400), request_id=request_id)
    with refused("INPUT_REFUSED"):
        begun.request_withdrawal("nobody", TODAY, request_id=request_id)
    with refused("INPUT_REFUSED"):
        begun.request_withdrawal(who, TODAY, request_id=request_id, unit="no unit of this person")
    with refused("INPUT_REFUSED"):
        begun.withdrawal(request_id)


def test_a_withdrawal_is_told_to_none_but_the_school_system_that_asked(begun: PushClient, running: PushNode) -> None:
    request_id = secrets.token_bytes(16)
    begun.request_withdrawal(person(2)["id"], TODAY, request_id=request_id)
    with running.client(running.add("annan")) as other, refused("INPUT_REFUSED"):
        other.withdrawal(request_id)
