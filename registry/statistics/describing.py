"""Taking age band and sex of the children of cases: said once, by the member that leads when a case opens.

Invariants
    - What is taken is the frozen lead's, about a case that it opened and has not described before; anything else is
      passed over. The answer is the same, so that no member learns by it who leads a case, or led it.
    - Saying it again changes nothing.
    - It is read by the statistics alone: no rule, notice, log or page of a member's shows it, and no ledger holds it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from federation.clock import Clock
from federation.database import Database
from federation.rules.vocabulary import MemberId
from registry.model import CaseDescription
from registry.store import statistics_cases


class Describing:
    """Fills in what cases' leads say of the children."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def take(self, member: MemberId, said: Sequence[CaseDescription]) -> None:
        work = functools.partial(statistics_cases.describe, member=member, said=said, on=self._clock.today())
        self._database.run("describe_cases", work)
