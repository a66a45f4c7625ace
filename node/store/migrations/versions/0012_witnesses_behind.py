"""Since when a witness of the registry's ledger has shown nothing new of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("witnesses", sa.Column("behind_since", Instant()))
