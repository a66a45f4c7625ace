"""Alembic's entry point."""

from __future__ import annotations

from federation.migration import run
from privacy.evaluator.store.schema_witness import metadata

run(metadata)
