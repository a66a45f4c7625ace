"""What is pushed counts once, however often and from however many sides it comes."""

from __future__ import annotations

import secrets
import signal

import pytest

from tests.harness.push_client import PushClient, request
from tests.integration.push_parties import DAY, MOVED, TODAY, UNKNOWN, PushNode, content_of, refused, stored
from tests.unit.node.exports import enrolment, person, person_id


def test_the_same_request_again_gets_the_same_answer_and_changes_nothing(running: PushNode, begun: PushClient) -> None:
    skola = begun
    put = request([person(1), person(2, enrolment("18/8 2026"))], TODAY)
    first = skola.send(put)
    one = secrets.token_bytes(16)
    assert skola.withdraw(person_id(1), TODAY, TODAY, request_id=one, reason=UNKNOWN) == 1
    before = content_of(running)
    assert skola.send(put) == first
    assert skola.withdraw(person_id(1), TODAY, TODAY, request_id=one, reason=UNKNOWN) == 1
    assert content_of(running) == before
    with refused("BATCH_REUSED"):
        skola.withdraw(person_id(1), TODAY, TODAY, request_id=one, reason=MOVED)
    with refused("BATCH_REUSED"):
        skola.put([person(1)], TODAY, request_id=one)
    with refused("BATCH_REUSED"):
        skola.put([person(3)], TODAY, request_id=put.request_id)
    assert content_of(running) == before


KILLED = """
import os, signal, sys
from federation import tls13; tls13.require()
import {module}
def killed(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
{module}.{name} = killed
from federation.cli import main
main()
"""


@pytest.mark.parametrize(
    ("module", "name", "durable"),
    [
        ("node.push.wire", "put_response", True),
        ("node.push.pushing", "Pushing._keep", False),
        ("node.records.taking", "Taking._report", False),
    ],
)
def test_a_node_killed_in_the_middle_of_a_put_has_all_of_it_or_nothing(
    node: PushNode, module: str, name: str, durable: bool
) -> None:
    put = request([person(place) for place in range(50)], TODAY)
    directory = node.add("skola")
    with node.serving(), node.client(directory) as skola:
        skola.put_roster([], TODAY - DAY)
    with (
        node.serving(KILLED.format(module=module, name=name), ends_with=-signal.SIGKILL),
        node.client(directory) as skola,
        refused("UNAVAILABLE"),
    ):
        skola.send(put)
    assert len(stored(node, "select * from records")) == (50 if durable else 0)
    before = content_of(node)
    with node.serving(), node.client(directory) as skola:
        assert skola.send(put).request_id == put.request_id
        after = content_of(node)
        assert skola.send(put).request_id == put.request_id
        assert content_of(node) == after
    assert len(stored(node, "select * from records")) == 50
    assert len(stored(node, "select * from imports")) == 2
    assert not durable or before == after
