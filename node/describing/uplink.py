"""The call that describes cases. Invariant: of a child, nothing but age band and sex leaves here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from federation.v1 import registry_pb2, registry_pb2_grpc
from node.describing.child import AgeBand, Description, Sex

if TYPE_CHECKING:
    from node.uplink import RegistryLink

DEADLINE = 20.0
"""Seconds: the registry looks up at most 1 000 gaps."""

_AGE_BANDS = {
    None: registry_pb2.AGE_BAND_UNSPECIFIED,
    AgeBand.YOUNGEST: registry_pb2.AGE_BAND_YOUNGEST,
    AgeBand.MIDDLE: registry_pb2.AGE_BAND_MIDDLE,
    AgeBand.OLDEST: registry_pb2.AGE_BAND_OLDEST,
}
_SEXES = {None: registry_pb2.SEX_UNSPECIFIED, Sex.FEMALE: registry_pb2.SEX_FEMALE, Sex.MALE: registry_pb2.SEX_MALE}


class DescribingLink:
    """The registry, at whichever of its addresses answers."""

    def __init__(self, registry: RegistryLink) -> None:
        self._registry = registry

    def describe(self, cases: Sequence[Description]) -> None:
        """Describe at most 1 000 cases. The answer says nothing."""
        request = registry_pb2.DescribeCasesRequest(
            envelope=self._registry.envelope(),
            cases=[
                registry_pb2.CaseDescription(
                    handle=case.handle,
                    opening_number=case.number,
                    age_band=_AGE_BANDS[case.age_band],
                    sex=_SEXES[case.sex],
                )
                for case in cases
            ],
        )
        self._registry.at_any(
            lambda peer: peer.call(registry_pb2_grpc.RegistryServiceStub(peer.channel).DescribeCases, request, DEADLINE)
        )
