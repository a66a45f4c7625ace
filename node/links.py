"""The other parties as the node's work calls them; `node.uplink` makes the calls, over the network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from federation.rules.vocabulary import Disposition, Handle, Notice, Pseudonym, Signal
from node.describing.telling import DescribingLink
from node.ledger.proving import LedgerLink
from node.ledger.receipts import Receipt, Signed
from node.ledger.watching import WitnessLink
from node.pseudonymise import EvaluatorLink
from node.recovery.stated import StatedPage
from node.roll_call.lists import RollCallLink


class Page(Protocol):
    """Notices after a number; `node.uplink.Page`."""

    @property
    def notices(self) -> tuple[Notice, ...]: ...
    @property
    def through(self) -> int: ...
    @property
    def more(self) -> bool: ...
    @property
    def closed_on(self) -> date | None: ...


class Submitted(Protocol):
    """What a batch was answered; `node.uplink.Submitted`."""

    @property
    def dispositions(self) -> tuple[Disposition, ...]: ...
    @property
    def receipt(self) -> Receipt | None: ...


class RegistryLink(Protocol):
    """The registry as it is called; `node.uplink.RegistryLink` over the network."""

    def submit(self, batch_id: bytes, signals: Sequence[Signal], signed: Signed | None = None) -> Submitted: ...
    def list_notices(self, after: int) -> Page: ...
    def acknowledge(self, through: int) -> None: ...
    def report_roster(self, as_of: date, roster: int) -> None: ...
    def list_signals(self, after: bytes) -> StatedPage: ...
    def find_handles(self, pseudonyms: Sequence[Pseudonym]) -> tuple[tuple[Pseudonym, Handle], ...]: ...


class Links(Protocol):
    """The parties as the descriptor in force names them; `node.uplink.Uplink`."""

    def registry(self) -> RegistryLink: ...
    def ledger(self) -> LedgerLink: ...
    def witnesses(self) -> Sequence[WitnessLink]: ...
    def roll_call(self) -> RollCallLink: ...
    def describing(self) -> DescribingLink: ...
    def evaluators(self) -> Sequence[EvaluatorLink]: ...
