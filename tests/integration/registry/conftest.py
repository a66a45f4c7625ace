"""A registry process and two members that call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import MakeFederation
from tests.integration.registry_parties import SINCE, Caller, Server


@pytest.fixture
def server(make_federation: MakeFederation) -> Iterator[Server]:
    server = Server(make_federation("0180", "1480", today=SINCE))
    server.start()
    yield server
    if server.process is not None:
        server.kill()


@pytest.fixture
def callers(server: Server) -> Iterator[tuple[Caller, Caller]]:
    pair = Caller(server, "node-0180"), Caller(server, "node-1480")
    yield pair
    for each in pair:
        each.peer.close()
