"""Of which day the newest quota report of each evaluator is that the ledger holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger_cosignatures", sa.Column("quota_on", sa.Date()))
