"""Duty and mail as values. Pure.

Invariant: a mail holds no personal data. It says what has happened, and by which number the case file is called.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from node.casework.actor import Role
from node.casework.files.model import FileId

MAILED_ROLES = (Role.CASEWORKER, Role.PROTECTED)
FIRST, SECOND = 1, 2

MAX_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3: a path of 256 octets, its angle brackets among them."""
MAX_NAME = 100

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


class Occasion(enum.StrEnum):
    """Why somebody is written to; each has a subject and a text in both languages (`wording`)."""

    OPENED = "OPENED"
    CLOCK = "CLOCK"
    """A clock runs out today."""
    HOLD = "HOLD"
    """A withdrawal that waits has waited as long as a gap is watched: somebody decides, or finds the pupil."""
    CONTACT = "CONTACT"
    """Another member asks for contact, has accepted it, or has written."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody on duty, `place` FIRST or SECOND, from a day up to and with another."""

    duty_id: int
    role: Role
    place: int
    from_on: date
    until_on: date | None
    name: str = field(repr=False)
    address: str = field(repr=False)

    def covers(self, day: date) -> bool:
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to the role's first or second on duty. `file_id` is None where it is about no case file."""

    mail_id: bytes = field(repr=False)
    occasion: Occasion
    role: Role
    place: int
    reference: str
    file_id: FileId | None = field(repr=False)
    made_at: datetime
    tries: int = 0


def on_duty(duties: tuple[Duty, ...], role: Role, place: int, day: date) -> Duty | None:
    """Who it is: of several, whose duty began last, for that was written with the others in mind."""
    found = [duty for duty in duties if duty.role is role and duty.place == place and duty.covers(day)]
    return max(found, key=lambda duty: (duty.from_on, duty.duty_id), default=None)


def wait(tries: int) -> timedelta:
    """How long after so many failures it is tried again."""
    doubled: int = 2 ** min(tries, 10)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def sound_address(text: str) -> bool:
    """Whether mail can be sent there: one address, without a display name and without anything that ends a header."""
    local, at, host = text.partition("@")
    plain = text.isascii() and text.isprintable() and not set(text) & set(' <>,;:"()[]\\')
    return bool(at and local and plain and "@" not in host and "." in host.strip(".") and len(text) <= MAX_ADDRESS)
