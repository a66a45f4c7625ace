"""Contact requests and contacts as values. Pure.

Invariants
    - A request says nothing about the pupil: its ground is one of a fixed list, and nothing in it is free text.
    - A request that was refused, not seen, or about a protected pupil reads as no answer, from the same day on.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from federation.rules.contact import ANSWER_DAYS
from node.casework.files.model import FileId

MAX_TEXT_BYTES = 3_000
"""Of a message, in UTF-8: with its signature it has to fit into the size at which all are sealed."""
MAX_NAME_BYTES = 200


class Ground(enum.StrEnum):
    """The legal ground that a request states; each has a text `contact.ground.<GROUND>`."""

    SCHOOL_ATTENDANCE = "SCHOOL_ATTENDANCE"
    ENROLMENT_NOTICE = "ENROLMENT_NOTICE"
    CHILD_AT_RISK = "CHILD_AT_RISK"
    SECRECY_BALANCE = "SECRECY_BALANCE"


class Side(enum.StrEnum):
    ASKING = "ASKING"
    ASKED = "ASKED"


class RequestState(enum.StrEnum):
    """Of a request of our own. WAITING → FILED, or REFUSED by the registry."""

    WAITING = "WAITING"
    FILED = "FILED"
    REFUSED = "REFUSED"


class ContactState(enum.StrEnum):
    """RECEIVED → ACCEPTING → OPEN, or DECLINED, or LAPSED; one that we asked for begins OPEN."""

    RECEIVED = "RECEIVED"
    DECLINED = "DECLINED"
    """Nothing is sent: it reads as no answer."""
    ACCEPTING = "ACCEPTING"
    """Accepted here; the registry has not taken it yet."""
    LAPSED = "LAPSED"
    OPEN = "OPEN"


class MessageState(enum.StrEnum):
    WAITING = "WAITING"
    SENT = "SENT"
    RECEIVED = "RECEIVED"


class Refused(enum.StrEnum):
    """Why something is not done; each has a text `contact.refused.<value>`."""

    PROTECTED = "protected"
    NO_GAP = "no-gap"
    NOT_LEAD = "not-lead"
    STANDS = "stands"
    GROUND_MISSING = "ground-missing"
    LAPSED = "lapsed"
    TEXT_MISSING = "text-missing"
    TEXT_LONG = "text-long"
    NOT_OPEN = "not-open"


class RefusedError(Exception):
    """What the rules do not allow; `why` says which."""

    def __init__(self, why: Refused) -> None:
        super().__init__(why.value)
        self.why = why


class WrittenMeanwhileError(Exception):
    """Another message was written in this contact since the page was made."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What binds a message to the pupil: an epoch, and SHA-256 of the pupil's pseudonym in it."""

    epoch: int
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a member signed, with its signature and its key (SubjectPublicKeyInfo)."""

    content: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    public_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A message sealed under one pair."""

    epoch: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request of ours. `secret` is the private key for the contacts that come of it."""

    request_id: bytes = field(repr=False)
    file_id: FileId = field(repr=False)
    state: RequestState
    asked_on: date
    filed_on: date | None
    ground: Ground
    asked_by: str = field(repr=False)
    statement: Statement
    secret: bytes = field(repr=False)

    def stands(self, today: date) -> bool:
        """Whether an answer may still come."""
        if self.state is RequestState.REFUSED:
            return False
        return self.filed_on is None or today <= self.filed_on + timedelta(days=ANSWER_DAYS)

    @property
    def lapses_on(self) -> date | None:
        return None if self.filed_on is None else self.filed_on + timedelta(days=ANSWER_DAYS)


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact, or a request that another member made to us. `peer_key` is None until the other side's is known.

    `sent` and `received` are the newest sequences of either direction; `flawed` the first that did not open.
    """

    contact_id: bytes = field(repr=False)
    file_id: FileId = field(repr=False)
    side: Side
    state: ContactState
    request_id: bytes = field(repr=False)
    arrived_on: date
    lapses_on: date
    peer: str
    ground: Ground
    request_digest: bytes = field(repr=False)
    peer_key: bytes | None = field(default=None, repr=False)
    secret: bytes | None = field(default=None, repr=False)
    acceptance: Statement | None = None
    pairs: tuple[Pair, ...] = ()
    agreed: Pair | None = None
    accepted_by: str = field(default="", repr=False)
    sent: int = 0
    received: int = 0
    flawed: int | None = None

    def __repr__(self) -> str:
        return f"Contact(side={self.side}, state={self.state})"

    def answerable(self, today: date) -> bool:
        return self.state is ContactState.RECEIVED and today <= self.lapses_on


@dataclass(frozen=True, slots=True)
class Message:
    """A message of either direction. `by` is who wrote it, as the other side names them.

    `message_id` is ours, of those that we wrote: chosen before the first attempt to send.
    """

    contact_id: bytes = field(repr=False)
    outgoing: bool
    sequence: int
    state: MessageState
    written_at: datetime
    text: str = field(repr=False)
    by: str = field(repr=False)
    message_id: bytes = field(default=b"", repr=False)


def called(member: str, name_of: Callable[[str], str]) -> str:
    """What a journal calls a member for ever: the name that it has now, and the id that stays."""
    name = name_of(member)
    return member if name == member else f"{name} ({member})"
