"""The table of epochs, on the metadata of `registry.store.schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Table

from federation.database import Instant
from federation.retention import By, kept
from registry.store.schema import metadata

epochs = Table(
    "epochs",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    # The closes that first saw a descriptor with it, and one without it again; members were told then.
    Column("begun_on", Date, nullable=False),
    Column("ended_on", Date),
    # When its key was destroyed here; from then on its pairs mean nothing and are taken away.
    Column("destroyed_at", Instant),
    info=kept("as long as the store", "a row per key there ever was, which tells of nobody", By.NOBODY),
)
