"""The tables of the registry's store.

Invariants
    - No pseudonym as a member sent it stands anywhere: column `keyed` is HMAC-SHA-256 under a key outside the store.
    - One row per (member, handle): the highest version. A retracted handle keeps its row, so that no older version can
      come back.
    - Notices and leaves of the ledger are numbered under the one row of `sequence`, which each writing transaction
      locks last: their order is commit order, without holes. Members see `number` alone, which counts their notices.
    - Dates are business dates of the federation's zone; `…_at` are UTC instants of the system clock.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from federation.database import NAMING, Instant
from federation.retention import By, kept
from federation.rules.vocabulary import GapState, NoticeKind, OpeningKind, Urgency

metadata = MetaData(naming_convention=NAMING)

MEMBER = String(32)


class Bytes(LargeBinary):
    """Bytes as both drivers take and give them; the general type copies every value on both ways."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:  # noqa: ARG002 (SQLAlchemy's signature)
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:  # noqa: ARG002 (as above)
        return None


def _one_of(column: str, words: type[GapState | NoticeKind | OpeningKind | Urgency]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"


members = Table(
    "members",
    metadata,
    # Locked first by every transaction that writes the member's own rows: one batch of a member at a time.
    Column("member", MEMBER, primary_key=True),
    # As-of of the newest import the member reported; null before the first report.
    Column("last_contact", Date),
    # Pupils with a presence in force, in steps of 50; null before the first report.
    Column("roster", Integer),
    # As-of of the first import it reported: its baseline, should it lose its database. Null where it is not known.
    Column("first_contact", Date),
    CheckConstraint("(last_contact IS NULL) = (roster IS NULL)", name="reported_together"),
    CheckConstraint("roster % 50 = 0", name="roster_in_steps"),
    info=kept(
        "as long as the store",
        "when a member was heard of and, in steps of 50, how many pupils it has: nothing about one of them",
        By.NOBODY,
    ),
)

batches = Table(
    "batches",
    metadata,
    Column("member", MEMBER, primary_key=True),
    Column("batch_id", Bytes(16), primary_key=True),
    # Over the content digests and rejections of the batch: no pseudonym can be tested against it without the key.
    Column("digest", Bytes(32), nullable=False),
    # The dispositions as they were answered, JSON.
    Column("answer", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    # Its leaf in the ledger; null where it was taken before there was one.
    Column("leaf_index", BigInteger),
    info=kept(
        "`answer_days` (90)",
        "a member that never received the answer asks again under the same id within days; later versions alone decide",
    ),
)

signals = Table(
    "signals",
    metadata,
    # The name that `registry.model.ref_of` derives from member and handle.
    Column("ref", Bytes(16), primary_key=True),
    Column("member", MEMBER, nullable=False),
    Column("handle", Bytes(16), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("content_digest", Bytes(32), nullable=False),
    Column("retracted", Boolean, nullable=False),
    # Presences, opening and end of duty as JSON; read by the rules, never by SQL.
    Column("statement", Text, nullable=False),
    # A test pupil's, from the first version on: no statistics read it.
    Column("drill", Boolean, nullable=False, server_default=false()),
    # The day on which retention took away what it said; null while that stands. The next version sets it null again.
    Column("purged_on", Date),
    # Query: every handle of a member that is back after a silence (signals.touch_member), or of one that has lost its
    # database (signals.of_member).
    UniqueConstraint("member", "handle"),
    CheckConstraint("version >= 1", name="version_positive"),
    info=kept(
        "what it says as long as it may bear on a gap (see below); then handle and version, `unanswered_years` (13)",
        "without the version an older one could come back; a child is of school age for thirteen years",
    ),
)

pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("keyed", Bytes(32), primary_key=True),
    Column("ref", Bytes(16), ForeignKey("signals.ref"), primary_key=True),
    # False: taken back since the last close, kept so that the close finds whom the handle met before.
    Column("live", Boolean, nullable=False),
    # Query: the pairs of a handle (groups.expand, signals.write).
    Index(None, "ref"),
    sqlite_with_rowid=False,
    info=kept(
        "with what its signal says",
        "they are what two handles meet by, and nothing else is left to meet",
    ),
)

dirty = Table(
    "dirty",
    metadata,
    Column("ref", Bytes(16), ForeignKey("signals.ref"), primary_key=True),
    # Random, another with every change, so that a close takes away only the change it has read.
    Column("mark", BigInteger, nullable=False),
    sqlite_with_rowid=False,
    info=kept(
        "until the next close",
        "a mark that something changed",
        By.WORK,
    ),
)

cases = Table(
    "cases",
    metadata,
    Column("case_id", Bytes(16), primary_key=True),
    Column("lead", MEMBER, nullable=False),
    Column("opened_on", Date, nullable=False),
    # Null while one of its gaps is open.
    Column("closed_on", Date),
    # Of a test pupil: no statistics count it.
    Column("drill", Boolean, nullable=False, server_default=false()),
    # Random; the same for all cases of one child that opened in one calendar year.
    Column("child_year_id", Bytes(16), nullable=False),
    # To whom its lead handed it over; null where nobody did, or that one rests.
    Column("handed_to", MEMBER),
    Column("lead_since", Date),
    # Query: the other cases of a child whose years turn out to be one (cases.follow).
    Index(None, "child_year_id"),
    CheckConstraint("closed_on >= opened_on", name="closes_after_opening"),
    info=kept(
        "`unanswered_years` (13) after its close",
        "who leads it, two dates and the child-year id are what statistics count, and name nobody",
    ),
)

case_names = Table(
    "case_names",
    metadata,
    Column("case_id", Bytes(16), ForeignKey("cases.case_id"), primary_key=True),
    Column("member", MEMBER, primary_key=True),
    # What this member alone knows the case by.
    Column("name", Bytes(16), nullable=False, unique=True),
    sqlite_with_rowid=False,
    info=kept(
        "`closed_case_days` (180) after the close, and until the year of its opening is over",
        "members who work on the case know it by them; a child counts once a year",
    ),
)

gaps = Table(
    "gaps",
    metadata,
    Column("ref", Bytes(16), ForeignKey("signals.ref"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    # The opening as last stated.
    Column("kind", String(16), nullable=False),
    Column("since", Date, nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("planned_start", Date),
    Column("state", String(16), nullable=False),
    # The close that began the unbroken run of this state.
    Column("state_since", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    # Whose presence answers; null while none does.
    Column("answer_member", MEMBER),
    Column("answer_handle", Bytes(16)),
    # The later of its begin and its affirmation; null where both lie further back than is told.
    Column("answer_entered_on", Date),
    # The state the member was last told; null while nothing was told.
    Column("told", String(16)),
    Column("case_id", Bytes(16), ForeignKey("cases.case_id")),
    # What the member was told of the case while the gap is open.
    Column("linked", Boolean, nullable=False),
    Column("leads", Boolean, nullable=False),
    Column("coverage_incomplete", Boolean, nullable=False),
    # The next day on which the state may differ without new facts; null: none.
    Column("recheck_on", Date),
    # Query: gaps whose day has come (groups.due).
    Index("ix_gaps_recheck_on", "recheck_on", "ref"),
    # Query: whether a gap still names a case of long ago (retention.in_gaps).
    Index(
        "ix_gaps_case_id",
        "case_id",
        sqlite_where=text("case_id IS NOT NULL"),
        postgresql_where=text("case_id IS NOT NULL"),
    ),
    CheckConstraint("number >= 1", name="number_positive"),
    CheckConstraint(_one_of("kind", OpeningKind), name="kind"),
    CheckConstraint(_one_of("urgency", Urgency), name="urgency"),
    CheckConstraint("urgency = 'NORMAL' OR planned_start IS NULL", name="planned_start_normal"),
    CheckConstraint(_one_of("state", GapState), name="state"),
    CheckConstraint("told IN ('OPEN', 'ANSWERED', 'ENDED', 'VOID')", name="told"),
    CheckConstraint("(answer_member IS NULL) = (answer_handle IS NULL)", name="answer_whole"),
    CheckConstraint("answer_member IS NOT NULL OR answer_entered_on IS NULL", name="entered_by_answer"),
    # An open gap is told and has a case; linked and leads speak of open gaps.
    CheckConstraint("state <> 'OPEN' OR (told IS NOT NULL AND case_id IS NOT NULL)", name="open_is_told"),
    CheckConstraint("state = 'OPEN' OR (NOT linked AND NOT leads)", name="case_role_open"),
    sqlite_with_rowid=False,
    info=kept(
        "whom it was answered by as long as what its signal says; its number, dates and state as long as the handle",
        "its member may state it again: what was answered must not open anew",
    ),
)

confirmations = Table(
    "confirmations",
    metadata,
    # The gap, and the handle of the other member that was asked whether the pupil was seen: asked once.
    Column("ref", Bytes(16), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("asked_ref", Bytes(16), ForeignKey("signals.ref"), primary_key=True),
    ForeignKeyConstraint(["ref", "number"], ["gaps.ref", "gaps.number"]),
    sqlite_with_rowid=False,
    info=kept(
        "as long as what the gap's signal says",
        "nobody is asked twice whether a pupil was seen",
    ),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    # Apart from `members`, so that giving a notice never waits for a batch, nor a batch for it.
    Column("member", MEMBER, primary_key=True),
    Column("last_number", BigInteger, nullable=False),
    Column("acked_number", BigInteger, nullable=False),
    CheckConstraint("acked_number >= 0 AND acked_number <= last_number", name="acked_was_given"),
    info=kept(
        "as long as the store",
        "how far a member has been told, a number",
        By.NOBODY,
    ),
)

notices = Table(
    "notices",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("member", MEMBER, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("closed_on", Date, nullable=False),
    Column("handle", Bytes(16)),
    Column("opening_number", BigInteger),
    Column("case_name", Bytes(16)),
    Column("coverage_incomplete", Boolean, nullable=False),
    # Query: a member's notices after a number, in order (notices.page), and its last (notices.acknowledge).
    UniqueConstraint("member", "number"),
    CheckConstraint("position >= 1 AND number >= 1", name="numbers_positive"),
    CheckConstraint(_one_of("kind", NoticeKind), name="kind"),
    info=kept(
        "`notice_days` (400) after it was given and acknowledged, and as long as what its gap's signal says",
        "a member that lost its database lists them anew",
    ),
)

closes = Table(
    "closes",
    metadata,
    Column("closed_on", Date, primary_key=True),
    # The descriptor it worked by: policy and calendars of another one make due days new.
    Column("descriptor_serial", BigInteger, nullable=False),
    Column("started_at", Instant, nullable=False),
    # When it last ended, and the position of the last notice there was then: what lies beyond is not delivered yet.
    # Null while it has not ended.
    Column("finished_at", Instant),
    Column("through_position", BigInteger),
    # From its beginning to its end; a day may be closed again, so that `finished_at` does not say it.
    Column("working", Boolean, nullable=False, server_default=false()),
    # Counts the portions ever cut for it.
    Column("next_portion", BigInteger, nullable=False, server_default=text("0")),
    # One close is made at a time.
    Index("uq_closes_working", "working", unique=True, postgresql_where=text("working"), sqlite_where=text("working")),
    CheckConstraint("(finished_at IS NULL) = (through_position IS NULL)", name="finished_whole"),
    info=kept(
        "`notice_days` (400), the newest always",
        "on which day what was known by; after a year nobody asks",
    ),
)

portions = Table(
    "portions",
    metadata,
    # What is left of the work of the close that is being made; empty while none is.
    Column("closed_on", Date, ForeignKey("closes.closed_on"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # The handles it was cut for, one name after the other.
    Column("seeds", Bytes(), nullable=False),
    Column("handles", Integer, nullable=False),
    # Counts its takings; who holds an older one may not write (store.leases).
    Column("token", BigInteger, nullable=False),
    # By the clock of the database's server; null until it is taken.
    Column("leased_until", Instant),
    CheckConstraint("(token = 0) = (leased_until IS NULL)", name="taken_whole"),
    info=kept(
        "until the close that they are part of has ended",
        "what is left of its work",
        By.WORK,
    ),
)

sequence = Table(
    "sequence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The position of the next notice, over all members.
    Column("next_position", BigInteger, nullable=False, server_default=text("1")),
    # The ledger: its leaves, and the hashes that its next leaf is appended to (merkle.Frontier.encoded).
    Column("tree_size", BigInteger, nullable=False, server_default=text("0")),
    Column("frontier", LargeBinary, nullable=False, server_default=text("''")),
    CheckConstraint("id = 1", name="single_row"),
    info=kept(
        "as long as the store",
        "two numbers",
        By.NOBODY,
    ),
)
