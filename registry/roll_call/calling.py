"""Takes what members offer of their gaps, makes the day's list with the close, and gives it out.

Invariants
    - A pseudonym is taken only from the member whose live handle bears it and states that very opening, and only from
      the day on from which the gap is called; it is kept sealed, and no longer than the gap is unanswered.
    - Offering tells nothing: it is answered the same, and takes the same statements on the same number of rows, whether
      or not a close has already seen the gap accounted for.
    - A list is made once, in the transaction that finishes its close; every member is given the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

import msgspec

from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.rules.calendar import due_on
from federation.rules.matching import last_entered
from federation.rules.roll_call import called_from
from federation.rules.vocabulary import Handle, MemberId, Pseudonym
from registry.keys import PseudonymKeys
from registry.model import REF_BYTES, Ref, ref_of
from registry.roll_call.padding import PART, Called, padded, plausible_begins
from registry.roll_call.sealing import CallSealer, nothing_sealed
from registry.store import Transaction, closes, roll_call
from registry.store.roll_call import Offer, Standing, Stands

SAMPLE = 1_000
"""Handles looked at for begins that made-up entries may have."""


@dataclass(frozen=True, slots=True)
class OfferedGap:
    """A gap that its member offers, with the pseudonyms as they were sent."""

    handle: Handle = field(repr=False)
    number: int
    pseudonyms: tuple[Pseudonym, ...]


@dataclass(frozen=True, slots=True)
class ListedPart:
    """One part of the newest list; `closed_on` is None and `parts` 0 where there is none."""

    closed_on: date | None = None
    called: tuple[Called, ...] = ()
    parts: int = 0


class RollCall:
    """The registry's side of the roll call. `random` has to be the system's: it hides how many gaps there are."""

    def __init__(
        self, database: Database, keys: PseudonymKeys, descriptors: Callable[[], Descriptor], random: Random
    ) -> None:
        self._database, self._keys, self._descriptors, self._random = database, keys, descriptors, random
        self._sealer = CallSealer(keys)

    def offer(self, member: MemberId, offered: Sequence[OfferedGap], today: date) -> None:
        """Keep the pseudonyms of these gaps for as long as they are called; what does not fit is dropped silently.

        Raises UppropError(NOT_SUPPORTED) where the federation holds no roll call.
        """
        descriptor = self._holding()
        # Keyed before anything is asked of the store: an epoch that does not stand is nobody's gap.
        known = {epoch.epoch for epoch in descriptor.epochs if self._keys.has(epoch.epoch)}
        asked = [
            (ref_of(member, gap.handle), gap.number, pseudonym, self._keys.keyed([pseudonym])[0])
            for gap in offered
            for pseudonym in gap.pseudonyms
            if pseudonym.epoch in known
        ]

        def work(tx: Transaction) -> None:
            stands = roll_call.stands(tx, {ref for ref, *_ in asked})
            offers = {
                (ref, number, keyed): self._offer(ref, number, pseudonym, keyed, stands[ref])
                for ref, number, pseudonym, keyed in asked
                if ref in stands and _may_be_called(stands[ref], member, number, keyed, today, descriptor)
            }
            roll_call.offer(tx, list(offers.values()))

        self._database.run("roll_call_offer", work)

    def make(self, tx: Transaction, on: date, descriptor: Descriptor) -> None:
        """Make the list of a day whose close finishes in this transaction, and forget what is called no longer."""
        if not descriptor.policy.roll_call:
            roll_call.clear(tx)
            return
        epochs = [epoch.epoch for epoch in descriptor.epochs if self._keys.has(epoch.epoch)]
        roll_call.sweep(tx, epochs)
        called, empty = self._called(roll_call.standing(tx), on, descriptor)
        roll_call.drop(tx, empty)
        if not epochs or roll_call.parts(tx, on):
            # Members may have fetched a part of it: a day that is closed again keeps its list.
            return
        start = Ref(self._random.randbytes(REF_BYTES))
        left = [said.presences for said in roll_call.sample(tx, start, SAMPLE) if said.opening is not None]
        whole = padded(called, epochs, plausible_begins(left, on, self._random), self._random)
        parts = [whole[first : first + PART] for first in range(0, len(whole), PART)]
        newest = max(epochs)
        sealed = [self._sealer.seal_part(newest, on, part, _encode(content)) for part, content in enumerate(parts)]
        roll_call.keep_list(tx, on, newest, sealed)

    def _called(
        self, standing: Sequence[Standing], on: date, descriptor: Descriptor
    ) -> tuple[list[Called], list[Offer]]:
        """What is called of these gaps, and the offers that hold nothing: made while their gap was answered."""
        called, empty = list[Called](), list[Offer]()
        for each in standing:
            pseudonym = self._sealer.open_pseudonym(each.offer)
            if pseudonym is None:
                empty.append(each.offer)
            elif (
                descriptor.has_member(each.member) and called_from(each.due_on, descriptor.calendar(each.member)) <= on
            ):
                called.append(Called(pseudonym, last_entered(each.statement.presences, each.since)))
        return called, empty

    def part(self, number: int) -> ListedPart:
        """A part of the list of the newest finished close.

        Raises UppropError: NOT_SUPPORTED where the federation holds no roll call, REQUEST_INVALID for a part that there
        is not.
        """
        self._holding()

        def work(tx: Transaction) -> ListedPart:
            close = closes.newest(tx, finished=True)
            parts = 0 if close is None else roll_call.parts(tx, close.closed_on)
            if close is None or not parts:
                return ListedPart()
            if number >= parts:
                raise UppropError(Code.REQUEST_INVALID, f"The list has {parts} parts, counted from 0. Ask for those.")
            epoch, sealed = roll_call.part(tx, close.closed_on, number)
            content = _decode(self._sealer.open_part(epoch, close.closed_on, number, sealed))
            return ListedPart(close.closed_on, content, parts)

        return self._database.view("roll_call_part", work)

    def _holding(self) -> Descriptor:
        """The descriptor in force, of a federation that holds a roll call."""
        descriptor = self._descriptors()
        if not descriptor.policy.roll_call:
            raise UppropError(Code.NOT_SUPPORTED, "By its policy this federation holds no roll call. Leave it out.")
        return descriptor

    def _offer(self, ref: Ref, number: int, sent: Pseudonym, keyed: Pseudonym, stands: Stands) -> Offer:
        # A gap that is accounted for is told of by notice alone; until then it costs a row as any other, which holds
        # nothing and goes with the close. Should that close find the answer gone, the gap is offered anew after it.
        over = number in stands.answered
        sealed = nothing_sealed() if over else self._sealer.seal_pseudonym(ref, number, keyed, sent.value)
        return Offer(ref, number, keyed, sealed)


def _may_be_called(
    stands: Stands, member: MemberId, number: int, keyed: Pseudonym, today: date, descriptor: Descriptor
) -> bool:
    opening = stands.statement.opening
    if opening is None or opening.number != number or keyed not in stands.pairs:
        return False
    calendar = descriptor.calendar(member)
    return called_from(due_on(opening, descriptor.policy, calendar), calendar) <= today


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[Called, ...]).decode
