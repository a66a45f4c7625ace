"""The table of withdrawals that wait, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from federation.database import Instant
from federation.retention import By, kept
from node.store.schema import metadata, pupils

holds = Table(
    "holds",
    metadata,
    # Chosen by whoever asks.
    Column("hold_id", LargeBinary(16), primary_key=True),
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    # The school system that asked; empty: a person.
    Column("system", String(40), nullable=False),
    Column("last_day", Date, nullable=False),
    Column("asked_on", Date, nullable=False),
    # HELD | RELEASED | CANCELLED
    Column("state", String(16), nullable=False),
    Column("state_since", Date, nullable=False),
    # ANSWER | PLACED_HERE | DUTY_ENDED | OVERRIDE
    Column("released_by", String(16)),
    # JSON: reason, responsible, note, school unit, who decided and why.
    Column("sealed_content", LargeBinary, nullable=False),
    # The state that the school system's webhook has taken; null before the first.
    Column("told", String(16)),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # When to try again to tell it; null: nothing to tell.
    Column("tell_at", Instant),
    # The holds of a pupil.
    Index(None, "pupil_id"),
    # What waits, and what is to be told.
    Index(None, "state"),
    Index(None, "tell_at"),
    CheckConstraint("state IN ('HELD', 'RELEASED', 'CANCELLED')", name="state"),
    CheckConstraint("(state = 'RELEASED') = (released_by IS NOT NULL)", name="released"),
    info=kept(
        "as long as the pupil", "who asked to withdraw, and who let it go, is part of the pupil's record", By.NOBODY
    ),
)
