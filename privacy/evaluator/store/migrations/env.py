"""Alembic's entry point: runs the migrations on the connection that the caller hands over in `attributes`."""

from __future__ import annotations

from alembic import context

from privacy.evaluator.store.schema import metadata


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("migrations run through `upprop evaluator migrate`, which hands over its connection")
    # Batch mode: SQLite changes a table by copying it.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run()
