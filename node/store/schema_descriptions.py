"""The table of described cases, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKeyConstraint, Integer, LargeBinary, Table

from federation.retention import By, kept
from node.store.schema import gaps, metadata

case_descriptions = Table(
    "case_descriptions",
    metadata,
    # A gap whose case the registry was told age band and sex of the child for. What was told is not kept.
    Column("handle", LargeBinary(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("described_on", Date, nullable=False),
    ForeignKeyConstraint(
        ["handle", "number"],
        [gaps.c.handle, gaps.c.number],
        name="fk_case_descriptions_handle",
        ondelete="CASCADE",
    ),
    info=kept(
        "as long as the gap",
        "that a case was described, not how: it is described once",
        By.NOBODY,
    ),
)
