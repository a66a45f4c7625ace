"""What a member that has lost its database is told: what it said itself, and which of its handles bear a pseudonym.

Invariants
    - An answer is made of the member's own signals alone, all of which are read whatever is asked: neither its content
      nor its time tells of others. What the member was told of its gaps is not repeated here: notices can be listed
      anew from the first one on.
    - Pseudonyms that are asked for are keyed, compared and forgotten.
    - Drills are left out: their pupils are nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.rules.vocabulary import Handle, MemberId, Opening, Pseudonym
from registry.keys import PseudonymKeys
from registry.model import Contacts, Stated
from registry.store import Transaction, gaps, members, signals


class Recovery:
    """Tells members what they have said."""

    def __init__(self, database: Database, keys: PseudonymKeys, descriptors: Callable[[], Descriptor]) -> None:
        self._database, self._keys, self._descriptors = database, keys, descriptors

    def page(self, member: MemberId, after: bytes, limit: int) -> tuple[list[Stated], bool, Contacts]:
        """The member's next handles after one, retracted ones too, whether there are more, and when it was heard of."""

        def work(tx: Transaction) -> tuple[list[Stated], bool, Contacts]:
            found = signals.of_member(tx, member, after, limit + 1)
            named = {ref: (member, signal.handle) for ref, signal in found[:limit]}
            openings: dict[Handle, list[Opening]] = {}
            for key, gap in sorted(gaps.load(tx, named).items()):
                openings.setdefault(key.handle, []).append(gap.opening)
            stated = [Stated(signal, tuple(openings.get(signal.handle, ()))) for _, signal in found[:limit]]
            return stated, len(found) > limit, members.contacts(tx, member)

        return self._database.view("list_signals", work)

    def find(self, member: MemberId, pseudonyms: Sequence[Pseudonym]) -> list[tuple[int, Handle]]:
        """(place in `pseudonyms`, handle) of the member's own live handles that bear one, in a fixed order.

        Raises UppropError(EPOCH_UNKNOWN) where the registry serves none of an asked epoch.
        """
        listed = {epoch.epoch for epoch in self._descriptors().epochs}
        if any(asked.epoch not in listed or not self._keys.has(asked.epoch) for asked in pseudonyms):
            raise UppropError(
                Code.EPOCH_UNKNOWN, "The registry serves no such epoch. Fetch the newest descriptor, or ask later."
            )
        places: dict[Pseudonym, list[int]] = {}
        for place, keyed in enumerate(self._keys.keyed(pseudonyms)):
            places.setdefault(keyed, []).append(place)

        def work(tx: Transaction) -> list[tuple[int, Handle]]:
            pairs = signals.pairs_of_member(tx, member)
            return sorted((place, handle) for pair, handle in pairs for place in places.get(pair, ()))

        return self._database.view("find_handles", work)
