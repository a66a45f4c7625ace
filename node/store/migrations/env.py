"""Alembic's entry point."""

from __future__ import annotations

from federation.migration import run
from node.store import schema_roll_call  # noqa: F401 - its tables stand on the same metadata
from node.store.schema_systems import metadata

run(metadata)
