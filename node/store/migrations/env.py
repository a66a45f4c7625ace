"""Alembic's entry point."""

from __future__ import annotations

from federation.migration import run
from node.store.schema_systems import metadata

run(metadata)
