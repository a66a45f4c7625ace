"""Batches as they are sent under a ledger: bound, signed, and settled with their receipt.

Invariants
    - How a batch is bound is durable with the batch, before it is sent for the first time.
    - A receipt is kept in the transaction that writes the answer; it is checked before.
    - A batch that was answered without a sound receipt raises an alarm and counts as answered, so that what follows it
      is sent: to hold it back would keep other members' gaps unanswered. It is sent again, unchanged, until the receipt
      is there, which is harmless.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import UppropError
from federation.rules.merkle import MAX_SIZE
from federation.rules.vocabulary import Disposition, MemberId, Signal
from node.ledger.alarms import Alarms
from node.ledger.findings import Finding, Kind
from node.ledger.receipts import Binding, Held, Receipt, Signed, bind, check, signed
from node.store import Transaction
from node.store.ledger import Alarm, Ledgers
from node.store.outbox import Batch, Outbox
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A batch with all that is sent of it. `binding` is None in a federation without a ledger."""

    batch: Batch
    signals: tuple[Signal, ...]
    binding: Binding | None


class Answer(Protocol):
    """What a batch was answered; `node.uplink.Submitted`."""

    @property
    def dispositions(self) -> tuple[Disposition, ...]: ...
    @property
    def receipt(self) -> Receipt | None: ...


class RegistryLink(Protocol):
    """The registry as it is called; `node.uplink.RegistryLink`."""

    def submit(self, batch_id: bytes, signals: Sequence[Signal], signed: Signed | None = None) -> Answer: ...


class Sending:
    """Sends batches. `sign` signs with the key of the node's certificate."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        member: MemberId,
        alarms: Alarms,
        sign: Callable[[bytes], bytes],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._member = member
        self._alarms = alarms
        self._sign = sign
        self._random_bytes = random_bytes
        self._outbox = Outbox(sealer)
        self._ledgers = Ledgers(sealer)

    def open_batch(self, tx: Transaction, descriptor: Descriptor) -> Batch | None:
        """The batch to be sent again. One that was made before there was a ledger goes out in another one: what the
        registry took of it then, it took without a receipt."""
        batch = self._outbox.open_batch(tx)
        while batch is not None and descriptor.ledger_key is not None:
            if self._ledgers.binding(tx, batch.batch_id) is not None:
                return batch
            self._outbox.dissolve(tx, batch.batch_id)
            batch = self._outbox.open_batch(tx)
        return batch

    def bound(self, tx: Transaction, batch: Batch, signals: tuple[Signal, ...], descriptor: Descriptor) -> Outgoing:
        """The batch with its binding, made once."""
        binding = self._ledgers.binding(tx, batch.batch_id)
        if binding is None and descriptor.ledger_key is not None:
            binding = bind(self._member, batch.batch_id, signals, self._random_bytes)
            self._ledgers.bind(tx, batch.batch_id, binding)
        return Outgoing(batch, signals, binding)

    def submit(self, outgoing: Outgoing, registry: RegistryLink) -> Answer:
        proof = None if outgoing.binding is None else signed(outgoing.binding, self._sign)
        return registry.submit(outgoing.batch.batch_id, outgoing.signals, proof)

    def settle(self, outgoing: Outgoing, answer: Answer, descriptor: Descriptor, today: date) -> int:
        """Write the answer with its receipt; returns how many versions were parked."""
        held, flaw = self._checked(outgoing, answer.receipt, descriptor)
        work = functools.partial(self._settle, outgoing=outgoing, answer=answer, today=today, held=held, flaw=flaw)
        parked, raised = self._database.run("node_dispositions", work)
        if raised:
            self._alarms.tell(raised)
        return parked

    def _checked(
        self, outgoing: Outgoing, receipt: Receipt | None, descriptor: Descriptor
    ) -> tuple[Held | None, Finding | None]:
        if outgoing.binding is None or descriptor.ledger_key is None:
            return None, None
        batch_id = outgoing.batch.batch_id
        try:
            return check(batch_id, outgoing.binding, receipt, descriptor.ledger_key), None
        except UppropError:
            # Whatever it says; a store's integers end before the contract's do.
            index = None if receipt is None or receipt.leaf_index > MAX_SIZE else receipt.leaf_index
            evidence = b"" if receipt is None else receipt.checkpoint
            return None, Finding(Kind.NO_RECEIPT, index, index, about=batch_id, evidence=evidence)

    def _settle(
        self, tx: Transaction, outgoing: Outgoing, answer: Answer, today: date, held: Held | None, flaw: Finding | None
    ) -> tuple[int, tuple[Alarm, ...]]:
        parked = self._outbox.settle(tx, outgoing.batch, answer.dispositions, today, receipted=flaw is None)
        if held is not None:
            self._ledgers.keep(tx, held)
        return parked, () if flaw is None else self._alarms.raise_in(tx, [flaw])
