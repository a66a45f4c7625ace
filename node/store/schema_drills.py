"""The tables of the node's drills. They tell of an invented pupil."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from federation.database import Instant
from federation.retention import By, kept
from node.store.schema import metadata, pupils

drills = Table(
    "drills",
    metadata,
    Column("drill_id", Integer, primary_key=True),
    # The test pupil, and the handle under which it was spoken of.
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    Column("handle", LargeBinary(16), nullable=False),
    # RUNNING | PASSED | FAILED
    Column("state", String(16), nullable=False),
    # When it passed or failed; null while it runs.
    Column("ended_at", Instant),
    # With FAILED: the step that did not happen, why (LATE | UNHEARD | ANSWERED | REFUSED), and the code of a refusal.
    Column("failed_step", String(16)),
    Column("fault", String(16)),
    Column("code", String(40)),
    # One drill at a time.
    Index(
        "uq_drills_running",
        "state",
        unique=True,
        sqlite_where=text("state = 'RUNNING'"),
        postgresql_where=text("state = 'RUNNING'"),
    ),
    sqlite_autoincrement=True,
    info=kept(
        "as long as the store",
        "tells of an invented pupil",
        By.NOBODY,
    ),
)

drill_steps = Table(
    "drill_steps",
    metadata,
    # What happened, and when it was seen: the business date, by which lateness is judged, and the time.
    Column("drill_id", Integer, ForeignKey(drills.c.drill_id), primary_key=True),
    Column("step", String(16), primary_key=True),
    Column("done_on", Date, nullable=False),
    Column("done_at", Instant, nullable=False),
    # The evaluators, the day of the close, the as-of of the import; empty where the step has none.
    Column("detail", String(40), nullable=False),
    info=kept(
        "as long as the drill",
        "tells of an invented pupil",
        By.NOBODY,
    ),
)
