"""The tables of the evaluator's store.

Invariants: nothing here comes from a pupil. A request leaves its random id, a digest of uniformly random elements, and
how many there were; a member's use is a number per business day, all epochs together. Of a destroyed share there is its
commitment, which the descriptor listed for everyone.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, LargeBinary, MetaData, String, Table

from federation.database import NAMING, Instant
from federation.retention import By, kept

metadata = MetaData(naming_convention=NAMING)

MEMBER = String(32)

usage = Table(
    "usage",
    metadata,
    Column("member", MEMBER, primary_key=True),
    # A business date. Query: what a member used on a day and within a year (usage.used).
    Column("day", Date, primary_key=True),
    Column("elements", Integer, nullable=False),
    CheckConstraint("elements >= 0", name="elements_counted"),
    sqlite_with_rowid=False,
    info=kept(
        "until the calendar year after it is over",
        "the quota is one of a year; a number for each member and day",
        By.WORK,
    ),
)

allowances = Table(
    "allowances",
    metadata,
    Column("member", MEMBER, primary_key=True),
    # Left of it; what is charged to it is not counted in `usage`.
    Column("elements", Integer, nullable=False),
    # The last business date on which it may be used.
    Column("until", Date, nullable=False),
    CheckConstraint("elements >= 0", name="elements_left"),
    sqlite_with_rowid=False,
    info=kept(
        "until its last day",
        "what may be asked for beyond the quota",
        By.WORK,
    ),
)

requests = Table(
    "requests",
    metadata,
    Column("member", MEMBER, primary_key=True),
    Column("request_id", LargeBinary(16), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("charged_on", Date, nullable=False),
    # Query: requests too old to be repeated (usage.forget).
    Index(None, "charged_on"),
    sqlite_with_rowid=False,
    info=kept(
        "90 days",
        "a node sits out an outage and repeats the request, which counts once",
        By.WORK,
    ),
)

destroyed_shares = Table(
    "destroyed_shares",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    # One number may be given twice: a refresh that was given up is begun again.
    Column("commitment", LargeBinary(32), primary_key=True),
    Column("destroyed_at", Instant, nullable=False),
    sqlite_with_rowid=False,
    info=kept(
        "as long as the store",
        "a share that was destroyed must not come back from a copy; commitments are public",
        By.NOBODY,
    ),
)
