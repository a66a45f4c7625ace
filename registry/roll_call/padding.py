"""What hides how many gaps a day's list holds: pure, but for the chance it is given.

Invariants
    - Of every epoch there is a whole number of parts, at least one, whatever the number of gaps.
    - What is made up looks like what is called: 32 random bytes, as a pseudonym is, and a begin as pupils who left have
      it. The same begins are made up under every epoch, as one gap has one begin under all of them.
    - The order is random. Neither length nor order nor content tells how many gaps are called, but for the thousands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from federation.rules.matching import last_entered
from federation.rules.vocabulary import MAX_BATCH, PSEUDONYM_BYTES, Presence, Pseudonym

PART = MAX_BATCH
"""Pseudonyms in one part of a list."""

RECENT_DAYS = 60
"""Most gaps that are called are no older."""


@dataclass(frozen=True, slots=True)
class Called:
    """One pseudonym of a gap, and the leaver's own begin."""

    pseudonym: Pseudonym
    begun_since: date


def padded(called: Iterable[Called], epochs: Iterable[int], begins: Sequence[date], random: Random) -> list[Called]:
    """The list of a day; `begins`: what is drawn from for what is made up, at least one.

    Raises ValueError for a pseudonym of an epoch that is none of `epochs`.
    """
    by_epoch: dict[int, list[Called]] = {epoch: [] for epoch in epochs}
    for each in called:
        if each.pseudonym.epoch not in by_epoch:
            raise ValueError("a pseudonym of an epoch that does not stand is called")
        by_epoch[each.pseudonym.epoch].append(each)
    made_up = [random.choice(begins) for _ in range(PART)]
    whole: list[Called] = []
    for epoch, those in by_epoch.items():
        missing = -len(those) % PART if those else PART
        whole += those
        whole += [Called(Pseudonym(epoch, random.randbytes(PSEUDONYM_BYTES)), day) for day in made_up[:missing]]
    random.shuffle(whole)
    return whole


def plausible_begins(left: Iterable[Sequence[Presence]], on: date, random: Random) -> list[date]:
    """The begins of pupils who left, as a gap would have them; `left`: the presences of some of them, picked at random.

    Where nobody has left yet: those of pupils who were there for longer than is told.
    """
    begins = [last_entered(presences, _recent(on, random)) for presences in left]
    return begins or [last_entered((), _recent(on, random)) for _ in range(PART)]


def _recent(on: date, random: Random) -> date:
    return on - timedelta(days=random.randrange(RECENT_DAYS))
