"""The newest checkpoint this evaluator has seen as a witness of the registry's ledger."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
