"""The tables of tasks, attendance and the list of residents, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, false

from federation.database import Instant
from federation.retention import By, kept
from node.store.schema import metadata, pupils

tasks = Table(
    "tasks",
    metadata,
    Column("task_id", LargeBinary(16), primary_key=True),
    # SEEN | ABSENCE | NOT_PLACED | SWEEP
    Column("kind", String(16), nullable=False),
    # Null: a resident who is no pupil here, or a school unit.
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id)),
    # Keyed name of what it asks, so that it is asked once.
    Column("subject_index", LargeBinary(32), nullable=False),
    # For the protected-identity role alone.
    Column("protected", Boolean, nullable=False, server_default=false()),
    Column("made_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    # OPEN | DONE | DROPPED
    Column("state", String(16), nullable=False),
    # The day it was answered or dropped; null while it is open.
    Column("settled_on", Date),
    # The day on which an answer is looked at again; null: never.
    Column("again_on", Date),
    # JSON: whom it is about where that is no pupil here, what is asked, who answered what.
    Column("sealed_content", LargeBinary, nullable=False),
    # Asked once.
    Index("uq_tasks_subject_index", "subject_index", unique=True),
    # What is to be done.
    Index(None, "state", "due_on"),
    # The tasks of a pupil.
    Index(None, "pupil_id"),
    info=kept(
        "13 months after it was answered, or as long as the answer holds",
        "what was found out is asked about once; what came of it stands in the case file",
    ),
)

attendance = Table(
    "attendance",
    metadata,
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id, ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True),
    # PRESENT | LEAVE | VALID | ABSENT
    Column("mark", String(8), nullable=False),
    # Keyed digest of the school unit, by which a day is told on which nobody of it was there.
    Column("unit_index", LargeBinary(32), nullable=False),
    # The days of a unit, and what is old.
    Index(None, "day"),
    info=kept(
        "60 days, and the last day that a pupil attended",
        "long enough to see five school days across any break of a term; attendance itself stays in the school system",
    ),
)

source_imports = Table(
    "source_imports",
    metadata,
    # attendance | residents
    Column("source", String(16), primary_key=True),
    Column("system", String(40), primary_key=True),
    # The newest day that it shows.
    Column("as_of", Date, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("rows", Integer, nullable=False),
    # Rows about whom nobody is known here.
    Column("unknown", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    info=kept(
        "until the next of its kind",
        "how current a source is",
        By.WORK,
    ),
)

source_remarks = Table(
    "source_remarks",
    metadata,
    Column("source", String(16), primary_key=True),
    Column("system", String(40), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("row", Integer, nullable=False),
    Column("field", String(100), nullable=False),
    # Never a value.
    Column("why", Text, nullable=False),
    info=kept(
        "until the next of its kind",
        "which rows were left out, and why",
        By.WORK,
    ),
)

refusals = Table(
    "refusals",
    metadata,
    # The school system, or attendance/NAME, residents/NAME.
    Column("source", String(60), primary_key=True),
    # A code of the error catalogue.
    Column("code", String(40), nullable=False),
    Column("refused_at", Instant, nullable=False),
    info=kept(
        "until the next that is taken",
        "why a source is not current",
        By.WORK,
    ),
)
