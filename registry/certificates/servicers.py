"""AdmissionService: messages in, descriptor or certificate out. Whoever asks gets it: nothing here admits anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import grpc

from federation.clock import utc_now
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.rpc.authorisation import Rule
from federation.rpc.server import Binding
from federation.v1 import admission_pb2, admission_pb2_grpc
from registry.certificates.issuing import Issuer

SERVICE = admission_pb2.DESCRIPTOR.services_by_name["AdmissionService"]

_PARTIES = Rule(frozenset({Kind.NODE, Kind.EVALUATOR, Kind.REGISTRY, Kind.AUTHORITY}))
RULES = {f"{SERVICE.full_name}/GetDescriptor": _PARTIES, f"{SERVICE.full_name}/Certify": _PARTIES}


class AdmissionServicer(admission_pb2_grpc.AdmissionServiceServicer):
    """AdmissionService; `issuer` is None where another PKI gives certificates."""

    def __init__(
        self, descriptors: DescriptorStore, issuer: Issuer | None, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._descriptors = descriptors
        self._issuer = issuer
        self._now = now

    def GetDescriptor(  # noqa: N802 - the contract's name
        self,
        request: admission_pb2.GetDescriptorRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - whoever asks gets the same
    ) -> admission_pb2.GetDescriptorResponse:
        # Also an expired one: whoever has an older one learns of it what there is.
        content = self._descriptors.content()
        newer = self._descriptors.last().serial > request.serial
        answer = admission_pb2.GetDescriptorResponse(descriptor=content if newer else b"")
        answer.now.FromDatetime(self._now())
        return answer

    def Certify(  # noqa: N802 - the contract's name
        self,
        request: admission_pb2.CertifyRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the key that the request proves is who asks
    ) -> admission_pb2.CertifyResponse:
        if self._issuer is None:
            raise UppropError(
                Code.NOT_SUPPORTED, "This registry gives no certificates. Ask another one, or the authority for its CA."
            )
        return admission_pb2.CertifyResponse(chain=self._issuer.certify(request.signing_request).decode())


def binding(servicer: AdmissionServicer) -> Binding:
    return Binding(SERVICE, servicer)
