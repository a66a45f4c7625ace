"""The tables of a node's store: pupils, what was said of them, and their gaps.

What else there is stands in the modules that `node.store.whole` names, on the same metadata.

Invariants
    - No identity number, name, school-system id or free text stands in the clear: it is either *sealed* (AES-256-GCM,
      `node.store.sealing`; columns `sealed_…`) or a keyed *index* (HMAC-SHA-256; columns `…_index`), which can be
      compared but not guessed without the record key.
    - `pupil_id` and `handle` are random. Only the handle ever leaves the node, and only in signals.
    - Dates are business dates of the federation's zone; `…_at` are UTC instants of the system clock.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    false,
    text,
)

from federation.database import NAMING, Instant
from federation.retention import By, kept

metadata = MetaData(naming_convention=NAMING)


node_state = Table(
    "node_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Keyed digest of a constant: a wrong record key is noticed at start, before anything is written under it.
    Column("key_check_index", LargeBinary(32)),
    # Number of the last notice made durable here; what AckNotices may say.
    Column("notice_cursor", Integer, nullable=False, server_default="0"),
    # Business date of the newest finished close the registry told of; null before the first.
    Column("closed_on", Date),
    # SHA-256 of the policy and calendar by which all pupils were last stated; null before the first sync.
    Column("rules_digest", LargeBinary(32)),
    # The epochs, as 1,2, under which all that was ever said was last stated; null before the first sync.
    Column("stated_epochs", String(255)),
    # As-of of the newest roster the registry has taken; null before the first.
    Column("roster_reported_as_of", Date),
    CheckConstraint("id = 1", name="single_row"),
    info=kept(
        "as long as the store",
        "one row: how far the registry has been heard",
        By.NOBODY,
    ),
)

recovery = Table(
    "recovery",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The registry was asked and has nothing of this member that the store has not. False in a new store, in one that
    # was restored from a copy, and in one that was found to be behind: then nothing is sent.
    Column("agreed", Boolean, nullable=False, server_default=false()),
    # The newest import of the copy that the store was restored from, and its day; null in one that never was.
    Column("restored_import", Integer),
    Column("restored_as_of", Date),
    # As-of of the first and the newest import that the registry had been told of when the store was found to be behind:
    # the baseline and the last import of the store that was lost. Null otherwise.
    Column("first_contact", Date),
    Column("last_contact", Date),
    # Pupils who were handed back without anybody knowing their number: they are counted to be named.
    Column("nameless", Integer, nullable=False, server_default="0"),
    CheckConstraint("id = 1", name="single_row"),
    info=kept(
        "as long as the store",
        "one row: whether the registry knows more",
        By.NOBODY,
    ),
)

pupils = Table(
    "pupils",
    metadata,
    Column("pupil_id", LargeBinary(16), primary_key=True),
    # The name other parties know; replaced when a typing error is corrected (see retired_handles).
    Column("handle", LargeBinary(16), nullable=False),
    # Current sound number; null while there is none (route unlinkable).
    Column("number_index", LargeBinary(32)),
    # JSON: numbers, school-system ids, names, birth date, sex.
    Column("sealed_identity", LargeBinary, nullable=False),
    # JSON: the observations, oldest first.
    Column("sealed_history", LargeBinary, nullable=False),
    # In the newest roster of some school system.
    Column("live", Boolean, nullable=False, server_default=false()),
    # Last day the newest observation covers (as far as known at its as-of); null: none. Serves the refusal of exports
    # that lack half the roster.
    Column("enrolled_until", Date),
    # registry | unlinkable | protected | renumbered
    Column("route", String(16), nullable=False),
    # Only the protected-identity role may see the pupil (route protected or renumbered, or marked under policy "same").
    Column("protected", Boolean, nullable=False, server_default=false()),
    # First later day on which the statement may differ without new input.
    Column("recheck_on", Date),
    # New input since the statement was last made.
    Column("dirty", Boolean, nullable=False, server_default=false()),
    # A presence is in force: counted in the roster.
    Column("in_roster", Boolean, nullable=False, server_default=false()),
    # The test pupil of a drill: left out of every list and count.
    Column("drill", Boolean, nullable=False, server_default=false()),
    # One pupil per current number.
    Index("uq_pupils_number_index", "number_index", unique=True),
    # From a notice, a gap or a version to the pupil.
    Index("uq_pupils_handle", "handle", unique=True),
    # Pupils to restate: new input …
    Index("ix_pupils_dirty", "dirty", sqlite_where=text("dirty"), postgresql_where=text("dirty")),
    # … or a day that has come.
    Index(None, "recheck_on"),
    info=kept(
        "as long as the municipality keeps the pupil's file",
        "a case file needs its pupil; at 18 years and 12 months what stands at the registry is taken back",
        By.NOBODY,
    ),
)

retired_handles = Table(
    "retired_handles",
    metadata,
    # A handle whose pupil got another one: its last version must be a retraction.
    Column("handle", LargeBinary(16), primary_key=True),
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    Column("retired_on", Date, nullable=False),
    # All handles of a pupil.
    Index(None, "pupil_id"),
    info=kept(
        "as long as the pupil",
        "a handle that was spoken of must stay taken back",
        By.NOBODY,
    ),
)

person_ids = Table(
    "person_ids",
    metadata,
    # Every school-system id a pupil ever had.
    Column("person_index", LargeBinary(32), primary_key=True),
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    # All ids of a pupil.
    Index(None, "pupil_id"),
    info=kept(
        "as long as the pupil",
        "deletions in school systems name nothing but the id",
        By.NOBODY,
    ),
)

number_indexes = Table(
    "number_indexes",
    metadata,
    # Every number a pupil ever had, save those taken back as typing errors.
    Column("number_index", LargeBinary(32), primary_key=True),
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    # All numbers of a pupil: their pseudonyms go into the signal.
    Index(None, "pupil_id"),
    info=kept(
        "as long as the pupil",
        "keyed; who has two numbers is one pupil",
        By.NOBODY,
    ),
)

sayings = Table(
    "sayings",
    metadata,
    Column("saying_id", Integer, primary_key=True),
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    # JSON: what, the day it is about, reason, review, who said it, who reviewed it.
    Column("sealed_content", LargeBinary, nullable=False),
    Column("said_on", Date, nullable=False),
    # WAITING (for a second person) | STANDING | REFUSED
    Column("state", String(16), nullable=False),
    # The sayings of a pupil.
    Index(None, "pupil_id"),
    # What waits for review.
    Index(None, "state"),
    sqlite_autoincrement=True,
    info=kept(
        "as long as the pupil",
        "what people stated is part of the case file",
        By.NOBODY,
    ),
)

batches = Table(
    "batches",
    metadata,
    # Chosen before the first attempt and kept over all attempts.
    Column("batch_id", LargeBinary(16), primary_key=True),
    # OPEN (to be sent, or its answer lost) | OWED (answered without a sound receipt) | DONE
    Column("state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    # What binds the member to its content at the registry's ledger: the key under which pseudonyms stand in the digest
    # that is signed, and that digest. Null in a federation without a ledger.
    Column("batch_key", LargeBinary(32)),
    Column("digest", LargeBinary(32)),
    # The business date on which it was first answered; null before, and where that was not kept yet.
    Column("answered_on", Date),
    # The batch to send again after a restart.
    Index(None, "state"),
    info=kept(
        "`notice_days` (400) after it was answered, and as long as its receipt",
        "what was sent together, for the explanation",
    ),
)

versions = Table(
    "versions",
    metadata,
    Column("handle", LargeBinary(16), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    # JSON: the signal without its pseudonyms, and the (epoch, number index) pairs of those that join it at sending.
    Column("sealed_signal", LargeBinary, nullable=False),
    # WAITING | SENT (in a batch) | ACKNOWLEDGED | PARKED | SUPERSEDED (its epoch retired before it could be sent)
    Column("state", String(16), nullable=False),
    # Error code of a parked version.
    Column("code", String(40)),
    Column("batch_id", LargeBinary(16), ForeignKey(batches.c.batch_id)),
    Column("made_on", Date, nullable=False),
    # Says what was said before, once more, under another epoch: sent whatever the pupil's route.
    Column("repeats", Boolean, nullable=False, server_default=false()),
    # The outbox: what waits, and what is parked.
    Index(None, "state"),
    # The content of a batch that is sent again.
    Index(None, "batch_id"),
    # All that was said about a pupil.
    Index(None, "pupil_id"),
    info=kept(
        "the newest of each handle as long as the pupil, others `notice_days` (400)",
        "what was said last decides what is said next; what was said before explains it for a year",
    ),
)

evaluations = Table(
    "evaluations",
    metadata,
    # Counts once against the quota however often it is sent.
    Column("request_id", LargeBinary(16), primary_key=True),
    Column("epoch", Integer, nullable=False),
    # JSON: number indexes, inputs and blinds in the order of the request, so that a restart sends the same content.
    Column("sealed_content", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    info=kept(
        "until answered",
        "the same request is sent again after a restart",
        By.WORK,
    ),
)

pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("number_index", LargeBinary(32), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("sealed_value", LargeBinary, nullable=False),
    # Indexes of the evaluators whose verified answers made it, as 1,2; null where it was made before this was kept.
    Column("evaluators", String(40)),
    info=kept(
        "until the descriptor lists their epoch no more",
        "sealed; the evaluators need not be asked again",
    ),
)

gaps = Table(
    "gaps",
    metadata,
    # A gap is named (member, handle, number).
    Column("handle", LargeBinary(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("pupil_id", LargeBinary(16), ForeignKey(pupils.c.pupil_id), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("since", Date, nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("planned_start", Date),
    Column("due_on", Date, nullable=False),
    # The day the node first said the opening with its present due day and urgency.
    Column("said_on", Date, nullable=False),
    # registry | unlinkable | protected | renumbered, as of the last statement.
    Column("route", String(16), nullable=False),
    # The newest statement still says it.
    Column("stated", Boolean, nullable=False),
    # The registry's newest word (GapState); null before the first notice.
    Column("verdict", String(16)),
    # The close that gave it; null with it.
    Column("verdict_on", Date),
    # GapState, as this node holds it.
    Column("state", String(16), nullable=False),
    Column("state_since", Date, nullable=False),
    # First day it was OPEN; null: never.
    Column("opened_on", Date),
    # Names the case to this member alone; null before a notice.
    Column("case_id", LargeBinary(16)),
    Column("lead", Boolean, nullable=False, server_default=false()),
    Column("linked", Boolean, nullable=False, server_default=false()),
    Column("coverage_incomplete", Boolean, nullable=False, server_default=false()),
    # The gaps of a pupil.
    Index(None, "pupil_id"),
    # Gaps that may have come due.
    Index(None, "state", "due_on"),
    info=kept(
        "as long as the pupil",
        "an opening that was said keeps its number",
        By.NOBODY,
    ),
)

case_files = Table(
    "case_files",
    metadata,
    Column("handle", LargeBinary(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("opened_on", Date, nullable=False),
    # notice | immediate | unlinkable | protected | renumbered | silent registry | withheld
    Column("opened_by", String(20), nullable=False),
    # What the case file said was shredded: its gap is given none anew.
    Column("shredded", Boolean, nullable=False, server_default=false()),
    info=kept(
        "as long as the municipality keeps the pupil's file",
        "a case file needs its pupil; at 18 years and 12 months what stands at the registry is taken back",
        By.NOBODY,
    ),
)

notices = Table(
    "notices",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("closed_on", Date, nullable=False),
    Column("handle", LargeBinary(16)),
    Column("opening_number", Integer),
    Column("case_id", LargeBinary(16)),
    Column("coverage_incomplete", Boolean, nullable=False),
    # Its effect on gaps and case files has been written.
    Column("handled", Boolean, nullable=False, server_default=false()),
    # What is left to handle after a restart.
    Index(None, "handled"),
    # The notices of a gap.
    Index(None, "handle", "opening_number"),
    info=kept(
        "`notice_days` (400) after the close that gave it, and as long as its gap is open",
        "what the registry told explains the state of a case for a year",
    ),
)

fetches = Table(
    "fetches",
    metadata,
    # Fetches of notices over one business day: a day on which all tried failed opens case files past due.
    Column("day", Date, primary_key=True),
    Column("tried", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    info=kept(
        "`notice_days` (400)",
        "a count a day, by which a silent registry is noticed",
    ),
)
