"""Alembic's entry point."""

from __future__ import annotations

from federation.migration import run
from registry.store import schema_ledger, schema_retention, schema_roll_call  # noqa: F401 - tables of the same metadata
from registry.store.schema import metadata

run(metadata)
