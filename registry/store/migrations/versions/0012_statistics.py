"""The statistics: cases as they opened, what privacy is spent on, releases and further questions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "statistics_cases",
        sa.Column("case_id", sa.LargeBinary(16), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("lead", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("age_band", sa.String(8)),
        sa.Column("sex", sa.String(8)),
        sa.Column("described_on", sa.Date()),
        sa.Column("month_release", sa.String(16)),
        sa.Column("year_release", sa.String(16)),
        sa.Column("closed_release", sa.String(16)),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_statistics_cases_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_statistics_cases")),
    )
    op.create_index(op.f("ix_statistics_cases_year"), "statistics_cases", ["year"])
    op.create_index(op.f("ix_cases_child_year_id"), "cases", ["child_year_id"])
    _write_down_what_there_is()
    op.create_table(
        "statistics_budgets",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("profile", sa.String(16), nullable=False),
        sa.Column("cap_nano_rho", sa.BigInteger(), nullable=False),
        sa.Column("spent_nano_rho", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "spent_nano_rho >= 0 AND spent_nano_rho <= cap_nano_rho", name=op.f("ck_statistics_budgets_within_cap")
        ),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_statistics_budgets")),
    )
    op.create_table(
        "statistics_spends",
        sa.Column("spend_id", sa.String(100), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("nano_rho", sa.BigInteger(), nullable=False),
        sa.Column("reader", sa.String(63)),
        sa.Column("role", sa.String(16)),
        sa.Column("spent_at", Instant(), nullable=False),
        sa.CheckConstraint("nano_rho > 0", name=op.f("ck_statistics_spends_costs")),
        sa.ForeignKeyConstraint(["year"], ["statistics_budgets.year"], name=op.f("fk_statistics_spends_year")),
        sa.PrimaryKeyConstraint("spend_id", name=op.f("pk_statistics_spends")),
    )
    op.create_index(op.f("ix_statistics_spends_year"), "statistics_spends", ["year"])
    op.create_table(
        "statistics_releases",
        sa.Column("release_id", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("drawn_at", Instant(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_statistics_releases")),
    )
    op.create_table(
        "statistics_tables",
        sa.Column("release_id", sa.String(16), nullable=False),
        sa.Column("table_id", sa.String(32), nullable=False),
        sa.Column("dimensions", sa.Text(), nullable=False),
        sa.Column("authority_values", sa.Text(), nullable=False),
        sa.Column("public_values", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["statistics_releases.release_id"], name=op.f("fk_statistics_tables_release_id")
        ),
        sa.PrimaryKeyConstraint("release_id", "table_id", name=op.f("pk_statistics_tables")),
    )
    op.create_table(
        "statistics_queries",
        sa.Column("query_id", sa.String(32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("nano_rho", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant()),
        sa.Column("value", sa.BigInteger()),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (value IS NULL)", name=op.f("ck_statistics_queries_answered_whole")
        ),
        sa.PrimaryKeyConstraint("query_id", name=op.f("pk_statistics_queries")),
    )
    op.create_table(
        "statistics_askings",
        sa.Column("reader", sa.String(63), nullable=False),
        sa.Column("query_id", sa.String(32), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["query_id"], ["statistics_queries.query_id"], name=op.f("fk_statistics_askings_query_id")
        ),
        sa.PrimaryKeyConstraint("reader", "query_id", name=op.f("pk_statistics_askings")),
    )


def _write_down_what_there_is() -> None:
    """The cases of before, drills left out: by who leads them now, for who led them first was not kept.

    The kind is that of the lead's opening, as it would have been judged; of a case of which no gap is kept any more
    nothing is known, and nothing is written.
    """
    connection = op.get_bind()
    cases = sa.table(
        "cases",
        sa.column("case_id", sa.LargeBinary(16)),
        sa.column("lead", sa.String(32)),
        sa.column("opened_on", sa.Date()),
        sa.column("drill", sa.Boolean()),
    )
    gaps = sa.table("gaps", *(sa.column(name) for name in ("ref", "kind", "since", "case_id")))
    signals = sa.table("signals", sa.column("ref"), sa.column("member"))
    query = (
        sa.select(cases.c.case_id, cases.c.opened_on, cases.c.lead, gaps.c.kind)
        .join(gaps, gaps.c.case_id == cases.c.case_id)
        .join(signals, signals.c.ref == gaps.c.ref)
        .where(~cases.c.drill)
        .order_by(
            cases.c.case_id,
            sa.desc(sa.case((signals.c.member == cases.c.lead, 1), else_=0)),
            sa.desc(sa.case((gaps.c.kind == "NOT_PLACED", 1), else_=0)),
            gaps.c.since.desc(),
        )
    )
    rows: dict[bytes, dict[str, object]] = {}
    for row in connection.execute(query):
        first = {"case_id": row.case_id, "year": row.opened_on.year, "lead": row.lead, "kind": row.kind}
        rows.setdefault(row.case_id, first)
    if rows:
        columns = [sa.column("case_id", sa.LargeBinary(16)), *map(sa.column, ("year", "lead", "kind"))]
        op.bulk_insert(sa.table("statistics_cases", *columns), list(rows.values()))
