"""The day on which the registry answered a batch: by it a state that is withheld is told from one not yet judged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batches", sa.Column("answered_on", sa.Date()))
