"""What the registry hands over of contacts, as values: nothing of it is believed yet. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from federation.rules.vocabulary import Handle
from node.casework.contact.model import SealedPart, Side, Statement


@dataclass(frozen=True, slots=True)
class Listed:
    """A contact as the registry lists it."""

    contact_id: bytes = field(repr=False)
    side: Side
    handle: Handle = field(repr=False)
    number: int
    request_id: bytes = field(repr=False)
    request: Statement
    lapses_on: date
    acceptance: Statement | None
    greeting: tuple[SealedPart, ...]
    newest: int
    """Sequence of the other side's newest message; `sent` of our own; `acknowledged`: through which we have theirs."""
    sent: int = 0
    acknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Relayed:
    """A message as the registry hands it over."""

    sequence: int
    parts: tuple[SealedPart, ...]


class ContactLink(Protocol):
    """The registry's relay as it is called; `node.casework.contact.uplink.ContactLink` over the network."""

    def file(self, handle: Handle, number: int, request_id: bytes, statement: Statement) -> None: ...
    def list_all(self) -> tuple[Listed, ...]: ...
    def accept(self, contact_id: bytes, acceptance: Statement, greeting: Sequence[SealedPart]) -> None: ...
    def send(self, contact_id: bytes, sequence: int, message_id: bytes, sealed: Sequence[SealedPart]) -> None: ...
    def messages(self, contact_id: bytes, after: int) -> tuple[tuple[Relayed, ...], bool]: ...
    def acknowledge(self, contact_id: bytes, through: int) -> None: ...
