"""The tables of the roll call, on the metadata of `registry.store.schema`.

Invariant: no pseudonym stands in the clear. Columns `sealed` are AES-256-GCM under keys derived from the epochs'
registry keys, which lie outside the store and its backups (`registry.roll_call.sealing`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Integer, Table

from federation.retention import By, kept
from registry.store.schema import Bytes, metadata

roll_call_offers = Table(
    "roll_call_offers",
    metadata,
    # A pseudonym of a gap that is called, from 5 school days before it is due until the close that answers it.
    Column("ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # As in `pseudonyms`: the handle bears this pair.
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("keyed", Bytes(32), primary_key=True),
    # The pseudonym; of a gap that was answered already as many random bytes, until the close.
    Column("sealed", Bytes, nullable=False),
    sqlite_with_rowid=False,
    info=kept(
        "until the close at which its gap is answered, ended or void",
        "it is called for as long as it is looked for, and no longer",
        By.WORK,
    ),
)

roll_call_lists = Table(
    "roll_call_lists",
    metadata,
    # The list that the newest finished close made, in parts of one size.
    Column("closed_on", Date, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    # Under whose key it is sealed.
    Column("epoch", BigInteger, nullable=False),
    Column("sealed", Bytes, nullable=False),
    sqlite_with_rowid=False,
    info=kept(
        "until the next close",
        "members fetch the newest list alone",
        By.WORK,
    ),
)
