"""Whether the registry knows more of this member than the node's store: asked before a new or restored store sends.

A store that was lost or set back would make new handles for pupils of whom gaps stand already, and number versions that
the registry has long had: every gap would be raised twice, and what was said would be taken back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from federation.database import Database
from node.links import RegistryLink
from node.recovery.attaching import Attaching
from node.recovery.stated import StatedPage
from node.store.recovery import Recoveries

BEHIND = (
    "The registry knows more of this member than this store does: the store is new, or an older copy. Nothing is sent, "
    "so that no gap is raised twice. Import the newest export, then run: upprop node recover"
)


def pages(registry: RegistryLink) -> Iterator[StatedPage]:
    """All that the registry has of us."""
    after = b""
    while True:
        page = registry.list_signals(after)
        yield page
        if not page.more:
            return
        after = page.stated[-1].signal.handle


class Guard:
    """Lets a store send once it has been found to know all that the registry does."""

    def __init__(self, database: Database, recoveries: Recoveries, attaching: Attaching) -> None:
        self._database = database
        self._recoveries = recoveries
        self._attaching = attaching

    def lets_send(self, registry: Callable[[], RegistryLink]) -> bool:
        """Asks the registry unless it has agreed before. Raises UppropError where it cannot be asked."""
        if self._database.view("node_recovery_state", self._recoveries.state).agreed:
            return True
        for page in pages(registry()):
            look = functools.partial(self._attaching.behind, stated=page.stated)
            if self._database.view("node_behind", look):
                return False
        self._database.run("node_agree", self._recoveries.agree)
        return True

    def doubt(self) -> None:
        """The registry's answers do not fit this store: ask anew before anything more is sent."""
        self._database.run("node_doubt", self._recoveries.doubt)
