"""One step of the node's sync: say of the cases that this member leads how old the child is and of which sex.

Invariants
    - A gap is described once the registry has said that it leads its case, and once: by its name, (handle, number),
      which is resent until it is answered, even if the case has closed meanwhile. The registry takes the first word, so
      that a store that was lost says it again without harm.
    - Never told of: drills, pupils with protected identity, and those whom the registry does not know.
    - There is one call in every sync that sends, whether or not there is anything to say, and the same transactions: to
      whoever counts them, a case that opened looks like none.
    - It stands in no log, metric or report, and a registry that does not take it keeps a sync from nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.vocabulary import MAX_BATCH
from node.describing.child import Description, described
from node.store import Transaction
from node.store.descriptions import Descriptions
from node.store.pupils import Pupils
from node.store.sealing import Sealer

SETTLING = timedelta(days=60)
"""After a year's end: by then its tables of ages and sexes are drawn, and nobody needs to know any more."""


class DescribingLink(Protocol):
    """The registry's call; `node.describing.uplink.DescribingLink` over the network."""

    def describe(self, cases: Sequence[Description]) -> None: ...


class Describing:
    """The node's part in what the statistics know of a child."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._pupils = Pupils(sealer)
        self._descriptions = Descriptions()

    def run(self, today: date, link: DescribingLink) -> None:
        """Say what is to be said. What does not fit into one call is left for the next sync. Raises UppropError."""
        cases = self._database.view("node_cases_to_describe", functools.partial(self._to_say, today))
        try:
            link.describe(cases)
        except UppropError as error:
            if error.code is Code.NOT_SUPPORTED:
                # A registry of an earlier version: it is told once it is brought up.
                return
            raise
        names = [(case.handle, case.number) for case in cases]
        self._database.run("node_cases_described", functools.partial(self._descriptions.add, said=names, on=today))

    def _to_say(self, today: date, tx: Transaction) -> list[Description]:
        led = self._descriptions.missing(tx, date((today - SETTLING).year, 1, 1), MAX_BATCH)
        identities = self._pupils.identities(tx, (gap.pupil_id for gap in led))
        return [described(identities[gap.pupil_id], gap.handle, gap.number, gap.since.year) for gap in led]
