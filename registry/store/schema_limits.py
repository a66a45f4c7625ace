"""The tables of the limits against misuse and of overlaps, on the metadata of `registry.store.schema`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from federation.retention import By, kept
from registry.store.schema import MEMBER, Bytes, metadata

MAX_NAME = 100

openings = Table(
    "openings",
    metadata,
    # An opening as long as its signal is kept, drills left out: what the limits go by.
    Column("ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("member", MEMBER, nullable=False),
    # Of the batch that first stated it.
    Column("received_on", Date, nullable=False),
    # Whether it is answered only once a person lets it; null until the first close after its receipt has decided.
    Column("waits", Boolean),
    # The newest answer by another member's presence: the close that gave it, the day since which the opening then
    # counted, and whose presence. It stays when the answer falls away; null before the first.
    Column("answered_on", Date),
    Column("answered_since", Date),
    Column("answer_member", MEMBER),
    Column("answer_handle", Bytes(16)),
    # Query: how many openings a member stated in a month (openings.counted).
    Index(None, "member", "received_on"),
    # Query: those of which a close has to decide (openings.undecided) …
    Index(
        "ix_openings_undecided",
        "ref",
        "number",
        sqlite_where=text("waits IS NULL"),
        postgresql_where=text("waits IS NULL"),
    ),
    # … and those that wait (openings.waiting, openings.release).
    Index("ix_openings_waiting", "member", sqlite_where=text("waits"), postgresql_where=text("waits")),
    CheckConstraint("number >= 1", name="number_positive"),
    CheckConstraint(
        "(answered_on IS NULL) = (answered_since IS NULL) AND (answered_on IS NULL) = (answer_member IS NULL) "
        "AND (answered_on IS NULL) = (answer_handle IS NULL)",
        name="answer_whole",
    ),
    info=kept("as long as the signal", "an opening restated in a year is the one it was", By.WORK),
    sqlite_with_rowid=False,
)

answered_pairs = Table(
    "answered_pairs",
    metadata,
    # What the handle of an answered opening bore, also once its member has taken the handle back: else a new handle
    # for the same pupil would be answered anew every day.
    Column("keyed", Bytes(32), primary_key=True),
    Column("ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), primary_key=True),
    Column("answered_on", Date, nullable=False),
    # From a signal that is purged.
    Index(None, "ref"),
    # Query: those too old to matter (openings.forget).
    Index(None, "answered_on"),
    info=kept("`answer_kept_days` (60) after the answer", "for so long no other opening is answered", By.WORK),
    sqlite_with_rowid=False,
)

overlap_days = Table(
    "overlap_days",
    metadata,
    # The day on which a group is looked at although nothing changed: two members will have overlapped for long.
    Column("ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), primary_key=True),
    Column("look_on", Date, nullable=False),
    # Query: groups whose day has come (groups.placed).
    Index("ix_overlap_days_look_on", "look_on", "ref"),
    info=kept("until its day", "a group without a gap has no other day to be looked at", By.WORK),
    sqlite_with_rowid=False,
)

overlaps_asked = Table(
    "overlaps_asked",
    metadata,
    # The handle that was asked about, and because of which other.
    Column("ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), primary_key=True),
    Column("other_ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), primary_key=True),
    # The newest close that did: a presence that begins later is another matter.
    Column("asked_on", Date, nullable=False),
    # From a signal that is purged.
    Index(None, "other_ref"),
    info=kept("as long as both signals", "a member is asked once", By.WORK),
    sqlite_with_rowid=False,
)

releases = Table(
    "releases",
    metadata,
    Column("release_id", Integer, primary_key=True),
    # Whose openings a person at the registry let be answered, when, who it was and why.
    Column("member", MEMBER, nullable=False),
    Column("released_on", Date, nullable=False),
    Column("released_by", String(MAX_NAME), nullable=False),
    Column("reason", Text, nullable=False),
    info=kept("as long as the store", "who let a member past its limit; it names no pupil", By.NOBODY),
)
