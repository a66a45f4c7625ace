"""Alembic's entry point."""

from __future__ import annotations

from federation.migration import run
from node.store.schema import metadata

run(metadata)
