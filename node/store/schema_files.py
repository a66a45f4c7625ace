"""The table of case files, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, LargeBinary, String, Table, false, text

from federation.retention import By, kept
from node.store.schema import metadata

files = Table(
    "files",
    metadata,
    Column("file_id", LargeBinary(16), primary_key=True),
    # 2026-00017: what people call it by where no person may be named.
    Column("reference", String(12), nullable=False),
    # Whom it is about; null once the identity was shredded. No foreign key: a pupil's row may go before.
    Column("pupil_id", LargeBinary(16)),
    # The gap it is about; null where it was opened without one, and once it was shredded. A gap that was ever open has
    # one (`case_files` says since when: older versions of the program read that table).
    Column("handle", LargeBinary(16)),
    Column("number", Integer),
    # GAP | WORRY | ABSENCE | NOT_PLACED
    Column("opened_for", String(16), nullable=False),
    Column("opened_on", Date, nullable=False),
    # For the protected-identity role alone.
    Column("protected", Boolean, nullable=False, server_default=false()),
    # CaseStatus.
    Column("status", String(20), nullable=False),
    Column("status_since", Date, nullable=False),
    Column("suspended_until", Date),
    Column("outcome", String(24)),
    Column("classification", String(32), nullable=False, server_default=text("'UNDETERMINED'")),
    # UNDECIDED | PROBLEMATIC | MISSING
    Column("absence", String(16), nullable=False, server_default=text("'UNDECIDED'")),
    # The role that is responsible, at every moment.
    Column("responsible_role", String(24), nullable=False),
    # JSON, sealed under the case file's own key: the person in that role, and what decided on the absence. Null while
    # nobody has taken it.
    Column("sealed_content", LargeBinary),
    # The state of its gap of which its journal tells last; null before the first.
    Column("gap_state", String(16)),
    Column("closed_on", Date),
    Column("shredded_on", Date),
    # Counts changes: who changes it says which they saw.
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Index("uq_files_reference", "reference", unique=True),
    # One case file a gap.
    Index("uq_files_gap", "handle", "number", unique=True),
    # The case files of a pupil.
    Index(None, "pupil_id"),
    # The board, and what is due to be shredded.
    Index(None, "closed_on"),
    CheckConstraint("(handle IS NULL) = (number IS NULL)", name="gap_whole"),
    CheckConstraint("(status = 'CLOSED') = (closed_on IS NOT NULL)", name="closed"),
    CheckConstraint("(status = 'CLOSED') = (outcome IS NOT NULL)", name="outcome"),
    CheckConstraint("(status = 'SUSPENDED') = (suspended_until IS NOT NULL)", name="suspended"),
    CheckConstraint("shredded_on IS NULL OR (pupil_id IS NULL AND closed_on IS NOT NULL)", name="shredded"),
    info=kept(
        "as long as the store; whom it was about, `shred_years` (5) after its close",
        "what remains counts in the yearly report and names nobody",
        By.WORKER,
    ),
)
