"""Openings beyond what a member may state in a month: they wait for a person to let them be answered.

Invariants
    - A close decides once of each opening, at its beginning, in the order of receipt; what it has decided stands.
    - Waiting withholds answers alone: what waits is watched and opens like any other.
    - Whoever lets them is named, gives a reason, and stands in the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.canonical import day, joined
from federation.rules.limits import monthly_openings
from federation.rules.vocabulary import MemberId, Policy
from registry.ledger.entries import Entry, EntryKind
from registry.store import Transaction, ledger, members, openings
from registry.store.openings import Received
from registry.store.schema_limits import MAX_NAME

MAX_REASON = 1_000
"""Characters; a reason is a sentence or two, not a document."""


def first_of_month(on: date) -> date:
    return on.replace(day=1)


def over(
    new: Sequence[Received], counted: Mapping[tuple[MemberId, date], int], allowed: Mapping[MemberId, int | None]
) -> list[tuple[Received, bool]]:
    """Which of these openings are beyond their member's month.

    `new` come in the order of their receipt; `counted`: (member, first of the month) → openings decided of before.
    """
    stated = Counter(counted)
    decided = []
    for each in new:
        month = (each.member, first_of_month(each.received_on))
        limit = allowed[each.member]
        decided.append((each, limit is not None and stated[month] >= limit))
        stated[month] += 1
    return decided


def decide(tx: Transaction, policy: Policy) -> frozenset[MemberId]:
    """Decide of all openings that are new; returns the members of whom some wait now. For the beginning of a close."""
    new = openings.undecided(tx)
    if not new:
        return frozenset()
    rosters = members.rosters(tx)
    speakers = {each.member for each in new}
    allowed = {member: monthly_openings(policy, rosters.get(member)) for member in speakers}
    before: Counter[tuple[MemberId, date]] = Counter()
    since = first_of_month(min(each.received_on for each in new))
    for (member, received_on), number in openings.counted(tx, speakers, since).items():
        before[member, first_of_month(received_on)] += number
    decided = over(new, before, allowed)
    openings.decide(tx, decided)
    return frozenset(each.member for each, waits in decided if waits)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of one member's month waits, in coarse words: an operator does not learn how many children are missed."""

    member: MemberId
    month: str
    openings: str


class Waitlist:
    """Shows what waits, and lets it be answered."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def waiting(self, member: MemberId | None = None) -> tuple[Waiting, ...]:
        """What waits, of all members or of one."""

        def work(tx: Transaction) -> tuple[Waiting, ...]:
            months: Counter[tuple[MemberId, date]] = Counter()
            for (of, received_on), number in openings.waiting(tx, member).items():
                months[of, first_of_month(received_on)] += number
            return tuple(
                Waiting(of, f"{month:%Y-%m}", coarse(number)) for (of, month), number in sorted(months.items())
            )

        return self._database.view("openings_waiting", work)

    def release(self, member: MemberId, by: str, reason: str) -> tuple[Waiting, ...]:
        """Let all that waits of a member be answered, by the next close; returns what that was.

        Raises UppropError(INPUT_REFUSED) without a name or a reason, or where nothing waits.
        """
        by, reason = " ".join(by.split()), reason.strip()
        if not by or len(by) > MAX_NAME:
            raise UppropError(Code.INPUT_REFUSED, "Say who lets them: a person's name (--by).")
        if not reason or len(reason) > MAX_REASON:
            raise UppropError(Code.INPUT_REFUSED, "Say why they may be answered, in a sentence or two (--reason).")
        waited = self.waiting(member)
        if not waited:
            raise UppropError(Code.INPUT_REFUSED, f"No opening of member {member} waits. Nothing was changed.")
        on = self._clock.today()

        def work(tx: Transaction) -> None:
            openings.release(tx, member, on, by, reason)
            content = joined([member.encode(), day(on), by.encode(), reason.encode()])
            ledger.note(tx, [Entry(EntryKind.RELEASE, content)])

        self._database.run("openings_release", work)
        return waited


def coarse(number: int) -> str:
    for limit, words in ((10, "a few"), (100, "tens"), (1_000, "hundreds")):
        if number < limit:
            return words
    return "thousands"
