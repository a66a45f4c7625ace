"""The tables of what the registry is told of case files, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, LargeBinary, String, Table, false

from federation.retention import By, kept
from node.store.schema import metadata
from node.store.schema_files import files

case_statements = Table(
    "case_statements",
    metadata,
    # The gap whose case file it is.
    Column("handle", LargeBinary(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # Counts up with every change of what is below.
    Column("version", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("until", Date),
    Column("outcome", String(24)),
    Column("offers_lead", Boolean, nullable=False, server_default=false()),
    Column("takes_lead", Boolean, nullable=False, server_default=false()),
    # The registry has taken this version.
    Column("taken", Boolean, nullable=False, server_default=false()),
    info=kept("as long as the pupil", "a status and a day; versions count on", By.NOBODY),
)

lead_wishes = Table(
    "lead_wishes",
    metadata,
    Column("file_id", LargeBinary(16), ForeignKey(files.c.file_id), primary_key=True),
    # We lead, and would hand the lead over.
    Column("offers", Boolean, nullable=False),
    # We would lead.
    Column("takes", Boolean, nullable=False),
    # Whether we lead, as the journal tells last; null before it tells so.
    Column("leads", Boolean),
    info=kept("as long as the case file", "three marks", By.NOBODY),
)
