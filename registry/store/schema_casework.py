"""The table of what members say of their case files, on the metadata of `registry.store.schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, ForeignKey, String, Table, false

from federation.retention import By, kept
from federation.rules.vocabulary import CaseOutcome, CaseStatus
from registry.store.schema import Bytes, metadata

_STATUSES = ", ".join(repr(status.value) for status in CaseStatus)
_OUTCOMES = ", ".join(repr(outcome.value) for outcome in CaseOutcome)

case_statements = Table(
    "case_statements",
    metadata,
    # The gap it is about.
    Column("ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("status", String(20), nullable=False),
    Column("until", Date),
    Column("outcome", String(24)),
    Column("offers_lead", Boolean, nullable=False, server_default=false()),
    Column("takes_lead", Boolean, nullable=False, server_default=false()),
    Column("stated_on", Date, nullable=False),
    CheckConstraint("number >= 1 AND version >= 1", name="numbers_positive"),
    CheckConstraint(f"status IN ({_STATUSES})", name="status"),
    CheckConstraint(f"outcome IN ({_OUTCOMES})", name="outcome"),
    CheckConstraint("(status = 'SUSPENDED') = (until IS NOT NULL)", name="until"),
    CheckConstraint("(status = 'CLOSED') = (outcome IS NOT NULL)", name="closed"),
    sqlite_with_rowid=False,
    info=kept(
        "as long as what its handle says",
        "a status and two days, by which it is known who leads a case; gone with what the handle says",
        By.WORKER,
    ),
)
