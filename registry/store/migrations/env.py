"""Alembic's entry point."""

from __future__ import annotations

from federation.migration import run
from registry.store import schema_ledger  # noqa: F401 - its tables stand on the same metadata
from registry.store.schema import metadata

run(metadata)
