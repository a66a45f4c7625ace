"""Whether the registry still states what it has acknowledged, and finds it by its pseudonyms: how a row that was edited
or deleted behind the ledger's back is noticed.

Invariant: asks for nothing but the member's own signals, and for pseudonyms that the registry was given already.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import date
from typing import Protocol

from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import UppropError
from federation.rules.vocabulary import MAX_BATCH, Handle, Policy, Pseudonym
from node.ledger.findings import Finding, Flaw, Kind, Sent, compare, gathered
from node.ledger.standing import must_stand
from node.recovery.stated import StatedPage
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.ledger import Ledgers
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupils
from node.store.recovery import Recoveries
from node.store.sealing import Sealer


class RegistryLink(Protocol):
    """The registry as it is asked; `node.uplink.RegistryLink`."""

    def list_signals(self, after: bytes) -> StatedPage: ...
    def find_handles(self, pseudonyms: Sequence[Pseudonym]) -> tuple[tuple[Pseudonym, Handle], ...]: ...


class Links(Protocol):
    def registry(self) -> RegistryLink: ...


class Stating:
    """Compares what stands with what was sent."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._ledgers = Ledgers(sealer)
        self._pseudonyms = Pseudonyms(sealer)
        self._recoveries = Recoveries(sealer)
        self._gaps = Gaps(Pupils(sealer))

    def compare(
        self,
        findings: list[Finding],
        say: Callable[[str], None],
        descriptor: Descriptor,
        links: Links,
        today: date,
    ) -> Generator[tuple[str, int, int], None, int]:
        """Adds to `findings`, says what could not be asked, and returns how many handles were compared.

        A store that may itself be an older copy holds nothing against anybody: it compares nothing.
        """
        if not self._database.view("node_recovery_state", self._recoveries.state).agreed:
            return 0
        epochs = frozenset(epoch.epoch for epoch in descriptor.epochs)
        flaws: list[Flaw] = []
        compared = 0
        try:
            registry = links.registry()
            after, more = b"", True
            while more:
                page = registry.list_signals(after)
                through = page.stated[-1].signal.handle if page.more else None
                stated = {each.signal.handle: each.signal for each in page.stated}
                sent = self._database.view(
                    "node_ledger_sent", functools.partial(self._ledgers.sent, after=after, through=through)
                )
                lasting = self._lasting(sent, today, descriptor.policy)
                new = compare(sent, stated, lasting, epochs)
                flawed = {flaw.handle for flaw in new}
                sound = {
                    handle: sent[handle]
                    for handle in lasting - flawed
                    if handle in stated and stated[handle].version == sent[handle].acknowledged
                }
                new += self._not_found(registry, sound, epochs)
                flaws += new
                compared += len(sent)
                after, more = through or b"", page.more
                yield "ledger_stated", compared, 0
        except UppropError as error:
            say(error.sentence)
        findings += gathered(flaws)
        return compared

    def _lasting(self, sent: Mapping[Handle, Sent], today: date, policy: Policy) -> set[Handle]:
        """The handles that no rule of retention may have taken away."""
        gaps = self._database.view("node_ledger_gaps", lambda tx: self._gaps.of_handles(tx, sent))
        return {
            handle
            for handle, own in sent.items()
            if own.newest is not None and must_stand(own.newest.signal, gaps.get(handle, ()), today, policy)
        }

    def _not_found(self, registry: RegistryLink, sound: Mapping[Handle, Sent], epochs: frozenset[int]) -> list[Flaw]:
        """The handles that the registry does not find by a pseudonym under which they were sent."""
        bearers = self._database.view("node_ledger_bearers", functools.partial(self._bearers, sound, epochs))
        asked = sorted(bearers)
        flaws = {}
        for begin in range(0, len(asked), MAX_BATCH):
            part = asked[begin : begin + MAX_BATCH]
            found = set(registry.find_handles(part))
            for pseudonym in part:
                for handle in bearers[pseudonym]:
                    if (pseudonym, handle) not in found:
                        own = sound[handle]
                        flaws[handle] = Flaw(Kind.PSEUDONYM_LOST, own.leaf_index, handle, own.acknowledged)
        return list(flaws.values())

    def _bearers(
        self, sound: Mapping[Handle, Sent], epochs: frozenset[int], tx: Transaction
    ) -> dict[Pseudonym, list[Handle]]:
        refs = {
            handle: [ref for ref in own.newest.carries if ref.epoch in epochs and ref.number_index]
            for handle, own in sound.items()
            if own.newest is not None
        }
        values = self._pseudonyms.values(tx, {ref for each in refs.values() for ref in each})
        bearers: dict[Pseudonym, list[Handle]] = {}
        for handle, carried in refs.items():
            for ref in carried:
                if ref in values:
                    bearers.setdefault(values[ref], []).append(handle)
        return bearers
