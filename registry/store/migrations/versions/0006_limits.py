"""What the limits against misuse remember, the notice OVERLAP, and the days on which overlaps come of age."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KINDS = (
    "kind IN ('OPENED', 'ANSWERED', 'REOPENED', 'LINKED', 'LEAD', 'CONFIRM', "
    "'RELEASED', 'DESCRIPTOR', 'EPOCH', 'ENDED', 'VOIDED', 'OVERLAP')"
)
_LONG_PAST = date(2000, 1, 1)


def upgrade() -> None:
    _let_notices_be_overlaps()
    op.create_table(
        "openings",
        sa.Column("ref", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member", sa.String(32), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("waits", sa.Boolean()),
        sa.Column("answered_on", sa.Date()),
        sa.Column("answered_since", sa.Date()),
        sa.Column("answer_member", sa.String(32)),
        sa.Column("answer_handle", sa.LargeBinary(16)),
        sa.CheckConstraint("number >= 1", name=op.f("ck_openings_number_positive")),
        sa.CheckConstraint(
            "(answered_on IS NULL) = (answered_since IS NULL) AND (answered_on IS NULL) = (answer_member IS NULL) "
            "AND (answered_on IS NULL) = (answer_handle IS NULL)",
            name=op.f("ck_openings_answer_whole"),
        ),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_openings_ref"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ref", "number", name=op.f("pk_openings")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_openings_member_received_on"), "openings", ["member", "received_on"])
    undecided, waiting = sa.text("waits IS NULL"), sa.text("waits")
    op.create_index(
        "ix_openings_undecided", "openings", ["ref", "number"], sqlite_where=undecided, postgresql_where=undecided
    )
    op.create_index("ix_openings_waiting", "openings", ["member"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "answered_pairs",
        sa.Column("keyed", sa.LargeBinary(32), nullable=False),
        sa.Column("ref", sa.LargeBinary(16), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_answered_pairs_ref"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("keyed", "ref", name=op.f("pk_answered_pairs")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_answered_pairs_ref"), "answered_pairs", ["ref"])
    op.create_index(op.f("ix_answered_pairs_answered_on"), "answered_pairs", ["answered_on"])
    op.create_table(
        "overlap_days",
        sa.Column("ref", sa.LargeBinary(16), nullable=False),
        sa.Column("look_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_overlap_days_ref"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_overlap_days")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_overlap_days_look_on", "overlap_days", ["look_on", "ref"])
    op.create_table(
        "overlaps_asked",
        sa.Column("ref", sa.LargeBinary(16), nullable=False),
        sa.Column("other_ref", sa.LargeBinary(16), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_overlaps_asked_ref"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["other_ref"], ["signals.ref"], name=op.f("fk_overlaps_asked_other_ref"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ref", "other_ref", name=op.f("pk_overlaps_asked")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_overlaps_asked_other_ref"), "overlaps_asked", ["other_ref"])
    op.create_table(
        "releases",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(32), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=False),
        sa.Column("released_by", sa.String(100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_releases")),
    )
    _remember_what_stands()


def _let_notices_be_overlaps() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_notices_kind"), "notices", type_="check")
        op.create_check_constraint(op.f("ck_notices_kind"), "notices", _KINDS)
        return
    # SQLite has no way to change a constraint: the table is made anew, with what reflection cannot see of it.
    notices = sa.Table(
        "notices",
        sa.MetaData(),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=True),
        sa.Column("opening_number", sa.BigInteger(), nullable=True),
        sa.Column("case_name", sa.LargeBinary(length=16), nullable=True),
        sa.Column("coverage_incomplete", sa.Boolean(), nullable=False),
        sa.CheckConstraint(_KINDS, name=op.f("ck_notices_kind")),
        sa.CheckConstraint("position >= 1 AND number >= 1", name=op.f("ck_notices_numbers_positive")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_notices")),
        sa.UniqueConstraint("member", "number", name=op.f("uq_notices_member_number")),
    )
    with op.batch_alter_table("notices", copy_from=notices, recreate="always"):
        pass


def _remember_what_stands() -> None:
    """Openings known before count since the day they state; groups that meet are all looked at by the next close."""
    gaps, signals = (
        sa.table("gaps", *map(sa.column, ("ref", "number", "since"))),
        sa.table("signals", *map(sa.column, ("ref", "member", "drill"))),
    )
    openings = sa.table("openings", *map(sa.column, ("ref", "number", "member", "received_on", "waits")))
    known = (
        sa.select(gaps.c.ref, gaps.c.number, signals.c.member, gaps.c.since, sa.false())
        .join_from(gaps, signals, gaps.c.ref == signals.c.ref)
        .where(~signals.c.drill)
    )
    op.execute(sa.insert(openings).from_select(["ref", "number", "member", "received_on", "waits"], known))
    pairs = sa.table("pseudonyms", *map(sa.column, ("epoch", "keyed", "ref")))
    shared = sa.select(pairs.c.epoch, pairs.c.keyed).group_by(pairs.c.epoch, pairs.c.keyed).having(sa.func.count() > 1)
    met = shared.subquery("met")
    meeting = (
        sa.select(pairs.c.ref, sa.literal(_LONG_PAST, sa.Date()))
        .join_from(met, pairs, (pairs.c.epoch == met.c.epoch) & (pairs.c.keyed == met.c.keyed))
        .distinct()
    )
    days = sa.table("overlap_days", sa.column("ref"), sa.column("look_on"))
    op.execute(sa.insert(days).from_select(["ref", "look_on"], meeting))
