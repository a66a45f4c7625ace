"""What the node shows of the epochs, and of a change of them that is under way."""

from __future__ import annotations

from collections.abc import Callable

from federation.descriptor import Descriptor
from node.store import Transaction
from node.store.notices import Notices
from node.store.pseudonyms import Pseudonyms


class EpochLines:
    """Lines of the node's status. `descriptor` gives the newest there is, expired or not."""

    def __init__(self, pseudonyms: Pseudonyms, notices: Notices, descriptor: Callable[[], Descriptor]) -> None:
        self._pseudonyms, self._notices, self._descriptor = pseudonyms, notices, descriptor

    def lines_in(self, tx: Transaction) -> dict[str, str]:
        epochs = [epoch.epoch for epoch in self._descriptor().epochs]
        line = " and ".join(map(str, epochs))
        told_on = self._notices.newest_of_epochs(tx)
        if told_on is not None:
            line += f" (changed last on {told_on})"
        if len(epochs) > 1:
            lacking = self._pseudonyms.lacking_epoch(tx, epochs[-1])
            line += f"; {lacking} pupils still to get the pseudonym of {epochs[-1]}, which they do by themselves"
        return {"pseudonym epochs": line}
