"""A registry on a real store with the limits against misuse on, once on each kind of store."""

from __future__ import annotations

import pytest

from tests.store.registry.conftest import MakeDatabase, empty_database, migrated_postgres, migrated_sqlite
from tests.store.registry.scene import Scene, federation

__all__ = ["empty_database", "limited", "migrated_postgres", "migrated_sqlite"]

LIMITS = {
    "backdating_days": 120,
    "answer_kept_days": 60,
    "monthly_openings": 20,
    "monthly_openings_percent": 10,
    "overlap_school_days": 10,
}


@pytest.fixture
def limited(empty_database: MakeDatabase) -> Scene:
    """A federation in service."""
    return Scene(empty_database(), federation(**LIMITS))
