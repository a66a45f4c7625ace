"""Fixtures of fetching: a school system with an API, and a node that asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.rules.vocabulary import Policy
from tests.harness.school_system import SchoolSystem
from tests.integration.api_parties import DAY, ENOUGH, NIGHT, UNITS, Fetcher
from tests.integration.node_alone import Node, make


@pytest.fixture
def node(tmp_path: Path, sqlite_store: str) -> Iterator[Node]:
    """In a file: only what is written while a run goes on depends on the kind of store."""
    made = make(tmp_path, sqlite_store, Policy())
    yield made
    made.database.close()


@pytest.fixture
def fetch_on_each(tmp_path: Path, node_store: str, school: SchoolSystem) -> Iterator[Fetcher]:
    """Once on each kind of store."""
    made = make(tmp_path, node_store, Policy())
    yield Fetcher(made, school)
    made.database.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchoolSystem]:
    with SchoolSystem(tmp_path_factory.mktemp("school"), now=NIGHT) as school:
        yield school


@pytest.fixture
def school(running: SchoolSystem) -> SchoolSystem:
    running.reset()
    running.set_clock(NIGHT - 30 * DAY)
    running.serve(ENOUGH, UNITS)
    return running


@pytest.fixture
def fetch(node: Node, school: SchoolSystem) -> Fetcher:
    return Fetcher(node, school)
