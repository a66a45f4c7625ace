"""Alembic's entry point."""

from __future__ import annotations

from federation.migration import run
from registry.store import (  # noqa: F401 - tables of the same metadata
    schema_epochs,
    schema_ledger,
    schema_limits,
    schema_retention,
    schema_roll_call,
    schema_statistics,
)
from registry.store.schema import metadata

run(metadata)
