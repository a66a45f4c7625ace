"""Fixtures that every test may ask for. Files and processes are real; nothing stands in for a store or a server."""

# ruff: noqa: E402 - TLS 1.3 must be required before any module imports gRPC

from __future__ import annotations

from federation import tls13

tls13.require()

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from prometheus_client import CollectorRegistry

from federation import throwaway
from federation.database import Database
from federation.observability import Metrics
from privacy.keys import deal_epoch
from tests.harness.ports import free_ports
from tests.harness.postgres import PostgresServer, postgres_server

LONG = os.environ.get("UPPROP_LONG") == "1"
"""Whether tests that repeat what others show, with other seeds or at another place, are run too: `make test-long`."""

# No test is held to a wall time: the machine is other people's too. `make test` says the same of the same tree twice;
# examples that nobody has seen are `make test-long`'s to find.
settings.register_profile("upprop", deadline=None, derandomize=not LONG)
settings.load_profile("upprop")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: shows once more what a test without this mark shows; `make test-long`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each test that is marked `long` has a neighbour that is not, which every run runs."""
    if LONG:
        return
    later = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=later)
    items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


MakeFederation = Callable[..., throwaway.DevFederation]


@pytest.fixture
def make_federation(tmp_path: Path) -> MakeFederation:
    """Writes a throw-away federation of three evaluators, a registry and the members named, on free ports."""

    def make(
        *members: str, directory: str = "federation", evaluators: int = 3, **options: object
    ) -> throwaway.DevFederation:
        registry, *others = free_ports(1 + evaluators)
        return throwaway.dev(
            tmp_path / directory,
            [throwaway.DevMember(member) for member in members],
            deal_epoch=deal_epoch,
            ports=throwaway.Ports(registry, tuple(others)),
            **options,  # type: ignore[arg-type]  # passed through
        )

    return make


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, started once; UPPROP_TEST_DATABASE_URL names another to use instead."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once on each kind of store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh_database() as url:
        yield url


@pytest.fixture
def database(database_url: str, metrics: Metrics) -> Iterator[Database]:
    """An empty database, once on each kind of store."""
    db = Database(database_url, metrics)
    yield db
    db.close()
