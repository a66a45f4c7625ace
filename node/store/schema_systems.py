"""The tables of what school systems deliver: rosters, imports, remarks, leavings that wait, pushes and who may push.

Invariants: those of `node.store.schema`. A school system is known by the name its node's administrator gave it.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    false,
)

from federation.database import Instant
from federation.retention import By, kept
from node.records.person import DEFAULT_SYSTEM
from node.store.schema import metadata, pupils

__all__ = [
    "SYSTEM",
    "client_keys",
    "held_leavings",
    "imports",
    "mass_start_days",
    "metadata",
    "moved_pupils",
    "pushes",
    "records",
    "rejected_rows",
    "roster_parts",
    "system_fetches",
    "system_pages",
    "units",
]

SYSTEM = String(40)
"""Name of a school system."""

records = Table(
    "records",
    metadata,
    Column("system", SYSTEM, primary_key=True),
    # Keyed digest of all the record says: an unchanged one is found by it and costs no decryption.
    Column("record_index", LargeBinary(32), primary_key=True),
    # Keyed digest of the school system's id of the person; several records may bear it.
    Column("person_index", LargeBinary(32), nullable=False),
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    # Whether it shows an enrolment, and whether it has a sound national number.
    Column("enrolled", Boolean, nullable=False),
    Column("numbered", Boolean, nullable=False),
    # JSON: what the school system says.
    Column("sealed_record", LargeBinary, nullable=False),
    # All that is said of a pupil.
    Index(None, "pupil_id"),
    # What a delivery of changes replaces.
    Index(None, "system", "person_index"),
    info=kept(
        "as long as the school system shows them",
        "what it shows next is compared with it",
        By.WORK,
    ),
)

units = Table(
    "units",
    metadata,
    Column("system", SYSTEM, primary_key=True),
    Column("unit_index", LargeBinary(32), primary_key=True),
    # JSON: the school unit's id and name.
    Column("sealed_unit", LargeBinary, nullable=False),
    info=kept(
        "as long as the school system shows them",
        "names of schools",
        By.WORK,
    ),
)

imports = Table(
    "imports",
    metadata,
    Column("import_id", Integer, primary_key=True),
    # The school system whose roster it is.
    Column("system", SYSTEM, nullable=False, server_default=DEFAULT_SYSTEM),
    Column("as_of", Date, nullable=False),
    # The day from which it counts: its as-of, or that of a newer import of another system.
    Column("seen_on", Date, nullable=False),
    Column("received_at", Instant, nullable=False),
    # SHA-256 of what was delivered: the same under the same as-of again changes nothing.
    Column("file_digest", LargeBinary(32), nullable=False),
    Column("persons", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("vanished", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("baseline", Boolean, nullable=False),
    # The school system is no more: its roster was taken away.
    Column("retired", Boolean, nullable=False, server_default=false()),
    # Newest import (refusal of older ones) and all as-of dates in order (ImportFacts).
    Index(None, "as_of", "import_id"),
    sqlite_autoincrement=True,
    info=kept(
        "as long as the store",
        "a row per import: what was seen when is what the rules go by; no pupil",
        By.NOBODY,
    ),
)

rejected_rows = Table(
    "rejected_rows",
    metadata,
    # Of each system's newest import alone.
    Column("import_id", Integer, ForeignKey(imports.c.import_id), primary_key=True),
    # Position of the remark within the import's report.
    Column("position", Integer, primary_key=True, autoincrement=False),
    # REJECTED (row left out), UNLINKABLE (person kept, number unfit) or NOTE (taken, but worth a look).
    Column("kind", String(16), nullable=False),
    # Position of the person in the export, from 1.
    Column("row", Integer, nullable=False),
    Column("field", String(64), nullable=False),
    # A sentence without the value.
    Column("why", String(200), nullable=False),
    info=kept(
        "until the next import of the system",
        "positions and reasons, without a value",
        By.WORK,
    ),
)

mass_start_days = Table(
    "mass_start_days",
    metadata,
    # A day on which over a third of a system's first roster starts: no arrivals.
    Column("system", SYSTEM, primary_key=True),
    Column("day", Date, primary_key=True),
    info=kept(
        "until the system is retired",
        "days, no pupil",
        By.WORK,
    ),
)

held_leavings = Table(
    "held_leavings",
    metadata,
    # The import that first showed them, and the school system it came from.
    Column("as_of", Date, primary_key=True),
    Column("system", SYSTEM, nullable=False, server_default=DEFAULT_SYSTEM),
    Column("unit_index", LargeBinary(32), primary_key=True),
    Column("sealed_unit", LargeBinary, nullable=False),
    Column("pupils", Integer, nullable=False),
    # School days of imports that must still say so before they are let through without a person.
    Column("wait_school_days", Integer, nullable=False),
    # Null while they wait.
    Column("released_on", Date),
    info=kept(
        "as long as the store",
        "a school unit, sealed, and how many left it: when they counted is what the rules go by",
        By.NOBODY,
    ),
)

moved_pupils = Table(
    "moved_pupils",
    metadata,
    # Pupils whose records ceased to cover the day on the imports of a system's newest day: what school systems deliver
    # a little at a time is looked at together.
    Column("system", SYSTEM, primary_key=True),
    Column("pupil_id", LargeBinary(16), primary_key=True),
    Column("seen_on", Date, nullable=False),
    info=kept(
        "until an import of a later day",
        "what comes a little at a time is looked at together",
        By.WORK,
    ),
)

client_keys = Table(
    "client_keys",
    metadata,
    # The client is the school system of that name.
    Column("name", SYSTEM, nullable=False),
    # SHA-256 of the public key: a certificate for any other is refused, whoever issued it.
    Column("key_sha256", LargeBinary(32), primary_key=True),
    Column("added_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    # Null while it is let in.
    Column("revoked_at", Instant),
    # The keys of a client.
    Index(None, "name"),
    info=kept(
        "as long as the store",
        "a key that was revoked stays so; no pupil",
        By.NOBODY,
    ),
)

pushes = Table(
    "pushes",
    metadata,
    Column("system", SYSTEM, primary_key=True),
    # Chosen by the client before its first attempt.
    Column("request_id", LargeBinary(16), primary_key=True),
    # SHA-256 of the content: the same id with another one is refused.
    Column("digest", LargeBinary(32), nullable=False),
    # JSON: what it was answered; positions, fields and why, without a value.
    Column("answer", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    # What is forgotten after a while.
    Index(None, "received_at"),
    info=kept(
        "two months",
        "a client that did not get its answer asks again",
        By.WORK,
    ),
)

roster_parts = Table(
    "roster_parts",
    metadata,
    # One roster of each school system stands in part at most.
    Column("system", SYSTEM, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("roster_id", LargeBinary(16), nullable=False),
    Column("parts", Integer, nullable=False),
    Column("as_of", Date, nullable=False),
    # As in pushes, where they go once the roster is taken.
    Column("request_id", LargeBinary(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    # JSON: persons in the shape of SS 12000.
    Column("sealed_persons", LargeBinary, nullable=False),
    info=kept(
        "until the roster is taken, or the next one begun",
        "a roster that comes in parts",
        By.WORK,
    ),
)

system_fetches = Table(
    "system_fetches",
    metadata,
    Column("fetch_id", Integer, primary_key=True),
    Column("system", SYSTEM, nullable=False),
    # Keyed digest of the address: what was fetched elsewhere is not gone on with.
    Column("source_index", LargeBinary(32), nullable=False),
    # The day it was begun, and whose state it shows.
    Column("as_of", Date, nullable=False),
    # FETCHING → FETCHED → TAKEN; REFUSED where what was fetched cannot be taken.
    Column("state", String(16), nullable=False),
    # Only what has changed since was asked for; null: everyone.
    Column("since", Instant),
    # From when on the next run asks for changes: its own begin by the clock, ours or theirs, that is behind.
    Column("next_since", Instant, nullable=False),
    # Null until it is taken.
    Column("taken_at", Instant),
    # A code of the error catalogue, and when; null where the newest attempt did not fail.
    Column("failure", String(40)),
    Column("failed_at", Instant),
    # The runs of a system: the one that is going on, and the last one taken.
    Index(None, "system", "state"),
    sqlite_autoincrement=True,
    info=kept(
        "until the next that is taken",
        "how far a fetch has come",
        By.WORK,
    ),
)

system_pages = Table(
    "system_pages",
    metadata,
    Column("fetch_id", Integer, ForeignKey(system_fetches.c.fetch_id), primary_key=True),
    # organisations | deletedEntities | persons
    Column("list", String(16), primary_key=True),
    # From 1, in the order in which they were given.
    Column("position", Integer, primary_key=True, autoincrement=False),
    # Elements given up to and with this page.
    Column("elements", Integer, nullable=False),
    # Compressed JSON list: what is kept of them.
    Column("sealed_page", LargeBinary, nullable=False),
    # The pageToken of the next page; null: there is none.
    Column("sealed_token", LargeBinary),
    # Keyed digests of that token and of all that was given: neither comes twice where pages end.
    Column("token_index", LargeBinary(32)),
    Column("page_index", LargeBinary(32)),
    UniqueConstraint("fetch_id", "list", "token_index"),
    UniqueConstraint("fetch_id", "list", "page_index"),
    info=kept(
        "until they are imported",
        "what a fetch has brought so far",
        By.WORK,
    ),
)
