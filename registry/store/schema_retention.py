"""How far the retention worker has come."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Integer, LargeBinary, String, Table

from federation.retention import By, kept
from registry.store.schema import metadata

retention_round = Table(
    "retention_round",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The close after which the newest round was begun; null before the first.
    Column("closed_on", Date),
    # Where it goes on: the step and, within it, after which row. Null where it has ended.
    Column("step", String(20)),
    Column("after", LargeBinary),
    CheckConstraint("id = 1", name="single_row"),
    CheckConstraint("after IS NULL OR step IS NOT NULL", name="after_a_step"),
    info=kept("as long as the store", "one row that says how far retention has come", By.NOBODY),
)
