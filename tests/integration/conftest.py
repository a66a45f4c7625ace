"""Fixtures of more than one module: a node alone with its store, and an RPC server with a caller."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from federation import identity, migration, throwaway
from federation.database import Database
from federation.migration import migrate
from federation.observability import Metrics
from federation.rpc.client import Peer
from federation.rpc.status import RemoteError
from federation.rules.vocabulary import Policy
from node.settings import STORE_PACKAGE
from tests.conftest import MakeFederation
from tests.harness.migrated import Remembered
from tests.harness.postgres import PostgresServer
from tests.integration.node_alone import Node, make
from tests.integration.node_parties import NodeStores
from tests.integration.rpc_parties import Party, Running, Unchecked, submit

REMEMBERED = Remembered()


@pytest.fixture(autouse=True)
def _stores_in_files_are_migrated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "_upgrade", REMEMBERED)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store without content: migrating takes longer than most of these tests."""
    path = tmp_path_factory.mktemp("store") / "node.sqlite"
    _migrate(path)
    return path


@pytest.fixture(scope="session")
def empty_postgres(postgres: PostgresServer) -> Iterator[str]:
    """The same on PostgreSQL, to be copied."""
    with postgres.fresh_database() as url:
        _migrate(url)
        yield url


def _migrate(target: str | Path) -> None:
    database = Database(target)
    migrate(database, STORE_PACKAGE)
    database.close()


@pytest.fixture
def sqlite_store(tmp_path: Path, empty_sqlite: Path) -> str:
    """The URL of a node's empty store in a file."""
    shutil.copy(empty_sqlite, tmp_path / "node.sqlite")
    return f"sqlite:///{tmp_path / 'node.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def node_store(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a node's empty store, once on each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_store")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh_database(template=request.getfixturevalue("empty_postgres")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def node_stores(request: pytest.FixtureRequest) -> Iterator[NodeStores]:
    """Where the nodes of a federation store, once in files and once on PostgreSQL."""
    if request.param == "sqlite":
        yield None
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    template = request.getfixturevalue("empty_postgres")
    with contextlib.ExitStack() as stack:
        yield lambda _member: stack.enter_context(server.fresh_database(template=template))


@pytest.fixture
def node(tmp_path: Path, node_store: str) -> Iterator[Node]:
    made = make(tmp_path, node_store, Policy(second_person=True))
    yield made
    made.database.close()


@pytest.fixture
def sqlite_node(tmp_path: Path, sqlite_store: str) -> Iterator[Node]:
    made = make(tmp_path, sqlite_store, Policy(second_person=True))
    yield made
    made.database.close()


@pytest.fixture
def federation(make_federation: MakeFederation) -> throwaway.DevFederation:
    return make_federation("0180", "1480")


@pytest.fixture
def running(federation: throwaway.DevFederation, metrics: Metrics) -> Iterator[Running]:
    registry = Running(federation, metrics)
    yield registry
    registry.server.stop(0)


@pytest.fixture
def peer(running: Running) -> Iterator[Peer]:
    peer = running.peer(Party(running.federation, "node-0180"), sleep=lambda _: None)
    yield peer
    peer.close()


@pytest.fixture
def refused(running: Running) -> Iterator[Callable[[str], RemoteError]]:
    """Calls with whatever stands in a party's directory and returns the refusal."""
    peers: list[Peer] = []

    def attempt(home: str) -> RemoteError:
        credentials: Any = Unchecked(running.federation, home)
        peer = Peer(identity.registry("a"), running.address, credentials, sleep=lambda _: None)
        peers.append(peer)
        with pytest.raises(RemoteError) as error:
            submit(peer, attempts=1, deadline=5)
        return error.value

    yield attempt
    for peer in peers:
        peer.close()
