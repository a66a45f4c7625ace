"""The tables of the statistics, on the metadata of `registry.store.schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from federation.database import Instant
from federation.retention import By, kept
from registry.store.schema import MEMBER, Bytes, metadata

statistics_cases = Table(
    "statistics_cases",
    metadata,
    # A case as it was on the day it opened, frozen; drills have none.
    Column("case_id", Bytes(16), ForeignKey("cases.case_id", ondelete="CASCADE"), primary_key=True),
    Column("year", Integer, nullable=False),
    # Its lead on that day, and the kind of the lead's opening.
    Column("lead", MEMBER, nullable=False),
    Column("kind", String(16), nullable=False),
    # Stated once by that lead; null where it is not known.
    Column("age_band", String(8)),
    Column("sex", String(8)),
    # The lead has stated what it knows.
    Column("described_on", Date),
    # The releases that counted the child of this case, so that each table counts it once.
    Column("month_release", String(16)),
    Column("year_release", String(16)),
    Column("closed_release", String(16)),
    # Query: the cases of a year (statistics.cases_of).
    Index(None, "year"),
    info=kept(
        "until the year's last table is drawn",
        "a child is counted once in each table of its year",
    ),
)

statistics_budgets = Table(
    "statistics_budgets",
    metadata,
    # The children of one year: what their privacy may be spent on, and what is. Never lowered.
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("profile", String(16), nullable=False),
    Column("cap_nano_rho", BigInteger, nullable=False),
    Column("spent_nano_rho", BigInteger, nullable=False),
    CheckConstraint("spent_nano_rho >= 0 AND spent_nano_rho <= cap_nano_rho", name="within_cap"),
    info=kept("as long as the store", "what was spent of a child's privacy stays spent", By.NOBODY),
)

statistics_spends = Table(
    "statistics_spends",
    metadata,
    # Chosen before it is spent: 2026/table/county-month, 2026/query/<query id>.
    Column("spend_id", String(100), primary_key=True),
    Column("year", Integer, ForeignKey("statistics_budgets.year"), nullable=False),
    Column("nano_rho", BigInteger, nullable=False),
    # Of a further question: whose share of the reserve it came out of.
    Column("reader", String(63)),
    Column("role", String(16)),
    Column("spent_at", Instant, nullable=False),
    Index(None, "year"),
    CheckConstraint("nano_rho > 0", name="costs"),
    info=kept("as long as the store", "what was spent of a child's privacy stays spent", By.NOBODY),
)

statistics_releases = Table(
    "statistics_releases",
    metadata,
    # 2026-09, 2026, 2026-closed
    Column("release_id", String(16), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("year", Integer, nullable=False),
    Column("drawn_on", Date, nullable=False),
    Column("drawn_at", Instant, nullable=False),
    # JSON: mechanism, library, scales, profile, coverage.
    Column("record", Text, nullable=False),
    info=kept("as long as the store", "a release is never drawn again, nor changed", By.NOBODY),
)

statistics_tables = Table(
    "statistics_tables",
    metadata,
    Column("release_id", String(16), ForeignKey("statistics_releases.release_id"), primary_key=True),
    Column("table_id", String(32), primary_key=True),
    # JSON: code → codes of each dimension in order; the values, noise included, of the authority and of the public.
    Column("dimensions", Text, nullable=False),
    Column("authority_values", Text, nullable=False),
    Column("public_values", Text, nullable=False),
    info=kept("as long as the store", "a release is never drawn again, nor changed", By.NOBODY),
)

statistics_queries = Table(
    "statistics_queries",
    metadata,
    # SHA-256 over year and selection, 16 bytes in hex: the same question is the same row, whoever asks.
    Column("query_id", String(32), primary_key=True),
    Column("year", Integer, nullable=False),
    # JSON, canonical: places and months.
    Column("selection", Text, nullable=False),
    Column("nano_rho", BigInteger, nullable=False),
    Column("asked_at", Instant, nullable=False),
    # Null until drawn.
    Column("answered_at", Instant),
    Column("value", BigInteger),
    CheckConstraint("(answered_at IS NULL) = (value IS NULL)", name="answered_whole"),
    info=kept("as long as the store", "the same question is answered the same for ever", By.NOBODY),
)

statistics_askings = Table(
    "statistics_askings",
    metadata,
    # Who asked which question.
    Column("reader", String(63), primary_key=True),
    Column("query_id", String(32), ForeignKey("statistics_queries.query_id"), primary_key=True),
    Column("asked_at", Instant, nullable=False),
    info=kept("as long as the store", "who asked what of children's data can be looked up", By.NOBODY),
)
