"""The parties of simulations are forks of one process with all code loaded: see `tests.harness.forked`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from federation.demo import supervisor
from tests.harness.forked import Brood


@pytest.fixture(scope="session")
def _brood() -> Iterator[Brood]:
    with Brood() as brood:
        yield brood


@pytest.fixture(autouse=True)
def _parties_are_forked(_brood: Brood, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "launch", _brood.launch)
