"""One step of the node's sync: say how far the case files of this member's gaps have come.

Invariants
    - What is said is how the case file stands; everything is just the next version, which is resent until it is taken.
    - Never told of: drills, gaps that the registry does not know, and pupils whose identity is protected by now (under
      the policy `same` they are as any other).
    - There is one call in every sync that sends, whether or not there is anything to say: to whoever counts calls, a
      case file that is worked looks like none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.vocabulary import MAX_BATCH
from node.casework.files.model import GapName
from node.casework.statuses.model import Statement
from node.store import Transaction
from node.store.case_statements import CaseStatements


class CaseworkLink(Protocol):
    """The registry's call; `node.casework.statuses.uplink.CaseworkLink` over the network."""

    def set_case_status(self, said: Sequence[Statement]) -> Mapping[GapName, int]: ...


class Telling:
    """Says to the registry how case files stand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = CaseStatements()

    def run(self, link: CaseworkLink) -> None:
        """Say what is to be said; what does not fit into one call is left for the next sync. Raises UppropError."""

        def prepare(tx: Transaction) -> tuple[Statement, ...]:
            self._statements.prepare(tx)
            return self._statements.waiting(tx, MAX_BATCH)

        said = self._database.run("case_statements", prepare)
        try:
            standing = link.set_case_status(said)
        except UppropError as error:
            if error.code is Code.NOT_SUPPORTED:
                # A registry of an earlier version: it is told once it is brought up.
                return
            raise
        taken = [each for each in said if each.gap not in standing]

        def keep(tx: Transaction) -> None:
            self._statements.taken(tx, taken)
            # This store was set back since: what it has to say is the next version, in the next sync.
            self._statements.outdo(tx, {each.gap: standing[each.gap] for each in said if each.gap in standing})

        self._database.run("case_statements_taken", keep)

    def say_again(self) -> None:
        """The registry has lost what it was told: all of it is said anew."""
        self._database.run("case_statements_again", self._statements.forget_taken)
