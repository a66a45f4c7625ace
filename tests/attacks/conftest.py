"""A registry on a real store with the limits against misuse on, once on each kind of store."""

from __future__ import annotations

import pytest

from federation.descriptor_file import PolicyValues
from tests.store.registry.conftest import MakeDatabase, empty_database, migrated_postgres, migrated_sqlite
from tests.store.registry.scene import Scene, federation

__all__ = ["empty_database", "limited", "migrated_postgres", "migrated_sqlite"]

LIMITS = PolicyValues().policy()
"""What a descriptor says where nobody said otherwise: 120 days, 60 days, 20 or 10 percent, 10 school days."""


@pytest.fixture
def limited(empty_database: MakeDatabase) -> Scene:
    """A federation in service."""
    return Scene(empty_database(), federation(limits=LIMITS))
