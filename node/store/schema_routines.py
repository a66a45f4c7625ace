"""The tables of routines and checklists, on the metadata of `node.store.schema`. They name nobody."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from federation.retention import By, kept
from node.store.schema import metadata
from node.store.schema_files import files

_KEPT = kept("as long as the store", "counts in the yearly report and names nobody", By.NOBODY)

routine_versions = Table(
    "routine_versions",
    metadata,
    # SHA-256 of the content: a case file keeps the version that it began with, whatever is in the files today.
    Column("digest", LargeBinary(32), primary_key=True),
    Column("name", String(64), nullable=False),
    # JSON of the routine.
    Column("content", Text, nullable=False),
    info=kept("as long as the store", "the text of a routine; it tells of nobody", By.NOBODY),
)

routine_runs = Table(
    "routine_runs",
    metadata,
    Column("file_id", LargeBinary(16), ForeignKey(files.c.file_id), primary_key=True),
    # 1, 2, … within a case file.
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), ForeignKey(routine_versions.c.digest), nullable=False),
    Column("name", String(64), nullable=False),
    # Day 0.
    Column("began_on", Date, nullable=False),
    # Null while it runs.
    Column("ended_on", Date),
    # Its steps stay due after the case file was closed.
    Column("outlives_close", Boolean, nullable=False),
    CheckConstraint("run >= 1", name="run_positive"),
    info=_KEPT,
)

routine_steps = Table(
    "routine_steps",
    metadata,
    Column("file_id", LargeBinary(16), primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("step_id", String(64), primary_key=True),
    # 1, and one more each time it is taken again.
    Column("round", Integer, primary_key=True, autoincrement=False),
    # first-contact | worry-report | follow-up; null where it counts as none of them.
    Column("counts_as", String(16)),
    Column("begun_on", Date, nullable=False),
    # Null of a step that can be taken at any time.
    Column("due_on", Date),
    # Both null while it is open.
    Column("done_on", Date),
    Column("outcome", String(64)),
    # The journal entry that tells who did it.
    Column("position", Integer),
    ForeignKeyConstraint(["file_id", "run"], [routine_runs.c.file_id, routine_runs.c.run]),
    CheckConstraint("(done_on IS NULL) = (outcome IS NULL)", name="done_whole"),
    CheckConstraint("round >= 1", name="round_positive"),
    # What is due, and what was done in a year.
    Index(None, "due_on"),
    Index(None, "done_on"),
    info=_KEPT,
)
