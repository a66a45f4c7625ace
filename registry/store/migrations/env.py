"""Alembic's entry point."""

from __future__ import annotations

from federation.migration import run
from registry.store.whole import metadata

run(metadata)
