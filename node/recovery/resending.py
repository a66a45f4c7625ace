"""Saying again what the registry acknowledged and has no more: it was set back to a copy, or lost rows.

What stands there is compared with what was acknowledged; each version beyond it goes back to the outbox as it was: the
same version with the same content, which a registry that has it after all calls a duplicate.

Invariants
    - What retention may have taken away is not missed (`node.ledger.standing`).
    - Nothing is said again about a pupil of whom nothing is said any more (protected identity, renumbered), nor under
      a number that is not known here: the gap stands at this node.
    - A store that may itself be an older copy says nothing again: it is asked to recover first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from federation.database import Database
from federation.rules.vocabulary import Handle, Policy
from node.ledger.standing import must_stand
from node.links import RegistryLink
from node.recovery.guard import pages
from node.store import Transaction
from node.store.descriptions import Descriptions
from node.store.gaps import Gaps
from node.store.ledger import Ledgers
from node.store.notices import Notices
from node.store.outbox import Outbox
from node.store.pupils import Pupils
from node.store.recovery import Recoveries
from node.store.sealing import Sealer

SENT_AGAIN = (
    "The registry lacked what it had acknowledged, as one does that was restored from a copy. What was missing is sent "
    "again, as it was. Ask the authority what happened, then: upprop node ledger acknowledge --by NAME"
)


@dataclass(frozen=True, slots=True)
class Resent:
    """Versions that go out again, and those that are not said again."""

    again: int = 0
    withheld: int = 0


class Resending:
    """Finds what is missing at the registry and puts it back to the outbox."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._outbox = Outbox(sealer)
        self._ledgers = Ledgers(sealer)
        self._recoveries = Recoveries(sealer)
        self._gaps = Gaps(Pupils(sealer))
        self._notices = Notices()
        self._descriptions = Descriptions()

    def run(self, registry: Callable[[], RegistryLink], today: date, policy: Policy) -> Resent | None:
        """None where this store may itself be the older one. Raises UppropError where the registry cannot be asked."""
        if not self._database.view("node_recovery_state", self._recoveries.state).agreed:
            return None
        again = withheld = 0
        after = b""
        for page in pages(registry()):
            through = page.stated[-1].signal.handle if page.more else None
            stated = {each.signal.handle: each.signal.version for each in page.stated}
            work = functools.partial(
                self._put_back, after=after, through=through, stated=stated, today=today, policy=policy
            )
            done = self._database.run("node_send_again", work)
            again, withheld, after = again + done.again, withheld + done.withheld, through or b""
        if again or withheld:
            self._database.run("node_tell_again", self._tell_again)
        return Resent(again, withheld)

    def _put_back(
        self,
        tx: Transaction,
        after: bytes,
        through: bytes | None,
        stated: Mapping[Handle, int],
        today: date,
        policy: Policy,
    ) -> Resent:
        sent = self._ledgers.sent(tx, after, through)
        gaps = self._gaps.of_handles(tx, [handle for handle in sent if handle not in stated])
        beyond = {}
        for handle, own in sent.items():
            if own.newest is None:
                continue
            if handle in stated:
                if stated[handle] < own.acknowledged:
                    beyond[handle] = stated[handle]
            elif must_stand(own.newest.signal, gaps.get(handle, ()), today, policy):
                beyond[handle] = 0
        return Resent(*self._outbox.send_again(tx, beyond))

    def _tell_again(self, tx: Transaction) -> None:
        """What goes to the registry beside signals, and is harmless there twice."""
        self._notices.roster_forgotten(tx)
        self._descriptions.forget(tx)
