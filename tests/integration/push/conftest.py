"""Fixtures of pushes: a running node, and a school system that pushes to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from federation.throwaway import DevFederation
from tests.conftest import MakeFederation
from tests.harness.push_client import PushClient
from tests.integration.push_parties import DAY, TODAY, PushNode
from tests.unit.node.exports import person


@pytest.fixture
def dev(make_federation: MakeFederation) -> DevFederation:
    return make_federation("0180", "1480", today=TODAY)


@pytest.fixture
def node(dev: DevFederation) -> PushNode:
    return PushNode(dev.node("0180"))


@pytest.fixture
def running(node: PushNode) -> Iterator[PushNode]:
    with node.serving():
        yield node


@pytest.fixture
def skola(running: PushNode) -> Iterator[PushClient]:
    with running.client(running.add("skola")) as client:
        yield client


@pytest.fixture
def begun(skola: PushClient) -> PushClient:
    """A school system whose roster of yesterday the node has: a dozen pupils."""
    skola.put_roster([person(place) for place in range(12)], TODAY - DAY)
    return skola
