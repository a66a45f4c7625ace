"""The tables of the roll call, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Integer, LargeBinary, Table, false

from federation.retention import By, kept
from node.store.schema import metadata, pupils

roll_call_state = Table(
    "roll_call_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Day of the newest list that was compared with the roster.
    Column("closed_on", Date, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
    info=kept(
        "as long as the store",
        "one row: a date",
        By.NOBODY,
    ),
)

roll_call_hits = Table(
    "roll_call_hits",
    metadata,
    # A pupil of the roster whom the newest list calls, or an earlier one did and was answered; gone with the pupil.
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id, ondelete="CASCADE"), primary_key=True),
    # The leaver's own begin; one pupil may have left several members.
    Column("begun_since", Date, primary_key=True),
    # Day of the first list that called the pupil so.
    Column("called_on", Date, nullable=False),
    # The pupil is here since before that begin: a person is asked.
    Column("doubted", Boolean, nullable=False, server_default=false()),
    info=kept(
        "until the next list; answered, as long as the pupil",
        "who is called today is compared today; what a call made a member say stays said as it was",
        By.WORK,
    ),
)

roll_call_quota = Table(
    "roll_call_quota",
    metadata,
    # Numbers that evaluators were asked about for the roll call on a business day: so many at the most, asked or not.
    Column("day", Date, primary_key=True),
    Column("numbers", Integer, nullable=False),
    info=kept(
        "for a year",
        "a count a day, by which the quota is kept",
        By.WORK,
    ),
)
