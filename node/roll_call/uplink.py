"""The calls of the registry's roll call.

Invariant: an answer that does not fit its request raises; nothing of it is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from federation.errors import Code, UppropError
from federation.rpc.client import Peer
from federation.rules.vocabulary import MAX_BATCH, PSEUDONYM_BYTES, Pseudonym
from federation.v1 import roll_call_pb2, roll_call_pb2_grpc, signal_pb2
from node.roll_call.lists import ListedPart, OwnGap

if TYPE_CHECKING:
    from node.uplink import RegistryLink

DEADLINE = 20.0
"""Seconds: a part of a list is 1 000 rows."""


class RollCallLink:
    """The roll call at whichever of the registry's addresses answers."""

    def __init__(self, registry: RegistryLink) -> None:
        self._registry = registry

    def offer(self, gaps: Sequence[OwnGap]) -> None:
        """Offer at most 1 000 gaps. The answer says nothing."""
        request = roll_call_pb2.OfferRollCallRequest(
            envelope=self._registry.envelope(),
            gaps=[
                roll_call_pb2.OfferedGap(
                    handle=gap.handle,
                    opening_number=gap.number,
                    pseudonyms=[signal_pb2.Pseudonym(epoch=each.epoch, value=each.value) for each in gap.pseudonyms],
                )
                for gap in gaps
            ],
        )
        self._registry.at_any(
            lambda peer: peer.call(
                roll_call_pb2_grpc.RollCallServiceStub(peer.channel).OfferRollCall, request, DEADLINE
            )
        )

    def part(self, number: int) -> ListedPart:
        """One part of the newest close's list."""
        request = roll_call_pb2.ListRollCallRequest(envelope=self._registry.envelope(), part=number)
        response = self._registry.at_any(lambda peer: peer.call(_stub(peer).ListRollCall, request, DEADLINE))
        if len(response.called) > MAX_BATCH:
            raise _unfit()
        return ListedPart(
            closed_on=_day(response.closed_on) if response.closed_on else None,
            called=tuple((_pseudonym(each.pseudonym), _day(each.begun_since)) for each in response.called),
            parts=response.parts,
        )


def _stub(peer: Peer) -> roll_call_pb2_grpc.RollCallServiceStub:
    return roll_call_pb2_grpc.RollCallServiceStub(peer.channel)


def _pseudonym(message: signal_pb2.Pseudonym) -> Pseudonym:
    if message.epoch < 1 or len(message.value) != PSEUDONYM_BYTES:
        raise _unfit()
    return Pseudonym(message.epoch, message.value)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _unfit() from error


def _unfit() -> UppropError:
    return UppropError(
        Code.INTERNAL, "What the registry lists as its roll call is no such list; nothing was taken. Tell its operator."
    )
