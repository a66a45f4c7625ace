"""The registry's side of the ledger, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from federation.clock import Clock, ManualClock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.observability import Log, Metrics
from federation.pki import read_private_signing_key
from federation.rpc.authorisation import Rule
from federation.rpc.server import Binding
from federation.runtime import Worker
from federation.tls import ChannelCredentials, OwnIdentity
from registry.ledger import hours, servicers
from registry.ledger.adopting import adopt
from registry.ledger.checking import CHECK_SECONDS, DailyCheck
from registry.ledger.checkpoints import Checkpoints
from registry.ledger.client import Witnesses
from registry.ledger.hours import Hours
from registry.ledger.leaves import Leaf, Receipt
from registry.ledger.observability import LedgerMetrics
from registry.ledger.proofs import Proofs
from registry.ledger.servicers import LedgerServicer
from registry.settings import RegistrySettings

BRING_SECONDS = 60.0
"""How often the witnesses are brought the newest checkpoint; one that they have seen costs no call."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the rest of the registry uses of it. `checkpoints` is None in a federation without a ledger key: the tree
    grows there all the same, unsigned."""

    checkpoints: Checkpoints | None
    hours: Hours
    witnesses: Witnesses | None
    check: DailyCheck | None
    service: Binding
    workers: Sequence[Worker]
    clock: Clock
    descriptors: Callable[[], Descriptor]
    rules: Mapping[str, Rule]

    def receipt(self, leaf: Leaf | None) -> Receipt | None:
        """What the sender of a batch is given; None where there is no ledger."""
        return None if leaf is None or self.checkpoints is None else self.checkpoints.receipt(leaf)

    def after_close(self, on: date) -> None:
        """Under a manual clock, where no worker runs: seal an hour and bring it to the witnesses."""
        if isinstance(self.clock, ManualClock):
            self.hours.seal_after_close(on, ZoneInfo(self.descriptors().zone))
            if self.witnesses is not None:
                self.witnesses.bring()

    def close(self) -> None:
        """Keep the newest checkpoint and let go of the witnesses."""
        if self.check is not None:
            self.check.stop()
        if self.checkpoints is not None:
            self.checkpoints.keep()
        if self.witnesses is not None:
            self.witnesses.close()


def build(
    settings: RegistrySettings,
    database: Database,
    *,
    clock: Clock,
    descriptors: Callable[[], Descriptor],
    own: OwnIdentity,
    metrics: Metrics,
    log: Log,
) -> Ledger:
    """Raises UppropError: CONFIG_INVALID where the ledger's key is not the one the descriptor lists, SECRET_MODE, and
    LEDGER_BROKEN where the database does not lead on to what was signed here before.
    """
    own_metrics = LedgerMetrics(metrics.registry)
    proofs, sealing = Proofs(database), Hours(database)
    adopt(database)
    checkpoints = _checkpoints(settings, database, descriptors(), clock)

    workers = [Worker("hourly_leaf", hours.LOOK_SECONDS, lambda: sealing.seal_due(clock.now()))]
    witnesses = check = None
    if checkpoints is not None:
        witnesses = Witnesses(
            database=database,
            checkpoints=checkpoints,
            proofs=proofs,
            credentials=ChannelCredentials(own),
            clock=clock,
            descriptors=descriptors,
            own_metrics=own_metrics,
            metrics=metrics,
            log=log,
        )
        check = DailyCheck(database, checkpoints, clock, own_metrics, log)
        workers.append(Worker("witnesses", BRING_SECONDS, witnesses.bring))
        workers.append(Worker("ledger_check", CHECK_SECONDS, check.run))
    return Ledger(
        checkpoints,
        sealing,
        witnesses,
        check,
        servicers.binding(LedgerServicer(checkpoints, proofs, clock, descriptors)),
        workers,
        clock,
        descriptors,
        servicers.RULES,
    )


def _checkpoints(
    settings: RegistrySettings, database: Database, descriptor: Descriptor, clock: Clock
) -> Checkpoints | None:
    if settings.ledger_key is None:
        if descriptor.ledger_key is not None:
            raise UppropError(
                Code.CONFIG_INVALID, "The descriptor lists a ledger key, but the settings name no ledger_key file."
            )
        return None
    key = read_private_signing_key(settings.ledger_key)
    checkpoints = Checkpoints(database, key, settings.data_dir, clock.monotonic)
    if descriptor.ledger_key not in (None, checkpoints.public_key):
        raise UppropError(
            Code.CONFIG_INVALID,
            f"{settings.ledger_key} is not the ledger key that the descriptor lists. Restore the right one.",
        )
    checkpoints.check()
    return checkpoints
