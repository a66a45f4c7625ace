"""Shares that have served: overwritten, removed, and remembered as destroyed.

State of a share: held → in force (the descriptor lists its commitment) → held → destroyed, for good.

Invariants: a share in force is never destroyed; that it was destroyed is durable before its file is touched, so that a
share which a crash left, or a backup brings back, is not used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.files import destroy_secret
from federation.observability import Log
from privacy.evaluator.observability import SHARE_DESTROYED
from privacy.evaluator.shares import Shares
from privacy.evaluator.store import Transaction, destroyed


class Destruction:
    """Destroys shares of this evaluator."""

    def __init__(
        self, database: Database, shares: Shares, descriptors: Callable[[], Descriptor], clock: Clock, log: Log
    ) -> None:
        self._database, self._shares, self._descriptors = database, shares, descriptors
        self._clock, self._log = clock, log

    def run(self, epoch: int, version: int | None, *, look_only: bool = False) -> list[Path]:
        """Destroy the shares of an epoch, or of one version of it; returns the files, also where it only looks.

        Without a version, all that are not in force. Raises UppropError(INPUT_REFUSED): the one asked for is in force,
        or there is none.
        """
        in_force = self._shares.usable(self._descriptors())
        named = [
            share for share in self._shares.everything() if share.epoch == epoch and version in (None, share.version)
        ]
        doomed = [share for share in named if share not in in_force]
        if named and not doomed:
            raise UppropError(
                Code.INPUT_REFUSED,
                f"The descriptor lists this share of epoch {epoch}: it is in force. Destroy it once a descriptor is in "
                "place that lists it no more.",
            )
        if not doomed:
            raise UppropError(Code.INPUT_REFUSED, f"No such share of epoch {epoch} is held here.")
        paths = [self._shares.path(share) for share in doomed]
        if look_only:
            return paths
        names = [(share.epoch, share.version, bytes(share.commitment)) for share in doomed]

        def work(tx: Transaction) -> None:
            destroyed.add(tx, names, self._clock.now())

        self._database.run("evaluator_share_destroyed", work)
        for share, path in zip(doomed, paths, strict=True):
            self._shares.forget(share)
            destroy_secret(path)
            self._log(SHARE_DESTROYED, epoch=share.epoch, version=share.version)
        return paths
