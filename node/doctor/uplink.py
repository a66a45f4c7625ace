"""What each evaluator says is left of this member's quota."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from federation.clock import Clock
from federation.descriptor import Descriptor
from federation.descriptor_file import Evaluator
from federation.doctor.findings import Finding, Topic, warning, well
from federation.doctor.papers import Papers
from federation.doctor.peers import CALL_SECONDS
from federation.errors import UppropError
from federation.rpc.client import Credentials, Peer
from federation.rpc.envelope import make_envelope
from federation.v1 import evaluator_pb2, evaluator_pb2_grpc
from node.doctor.texts import DoctorText

SHORT = 0.1
"""Of the year's quota or the day's."""


@dataclass(frozen=True, slots=True)
class Left:
    """Evaluations that the member may still ask one evaluator for, and how many in all."""

    year: int
    year_limit: int
    day: int
    day_limit: int
    allowed: int


def quotas(papers: Papers, clock: Clock) -> Iterator[Finding]:
    """A line for each evaluator that answers; why another does not is told by its own line."""
    descriptor, credentials = papers.descriptor, papers.credentials
    if descriptor is None or credentials is None:
        yield warning(Topic.QUOTA, DoctorText.QUOTA_UNKNOWN)
        return
    with ThreadPoolExecutor(max(1, len(descriptor.evaluators)), thread_name_prefix="doctor") as pool:
        asked = [pool.submit(_ask, each, credentials, descriptor, clock) for each in descriptor.evaluators]
        answers = [each.result() for each in asked]
    if not any(answers):
        yield warning(Topic.QUOTA, DoctorText.QUOTA_UNKNOWN)
    for evaluator, left in zip(descriptor.evaluators, answers, strict=True):
        if left is None:
            continue
        told = {"year": left.year, "year_limit": left.year_limit, "day": left.day, "day_limit": left.day_limit}
        short = left.year <= SHORT * left.year_limit or left.day <= SHORT * left.day_limit
        if short and not left.allowed:
            yield warning(Topic.QUOTA, DoctorText.QUOTA_SHORT, str(evaluator.index), **told)
        else:
            yield well(Topic.QUOTA, DoctorText.QUOTA_LEFT, str(evaluator.index), **told)


def _ask(evaluator: Evaluator, credentials: Credentials, descriptor: Descriptor, clock: Clock) -> Left | None:
    request = evaluator_pb2.GetEpochsRequest(envelope=make_envelope(clock, descriptor))
    with contextlib.closing(Peer(evaluator.identity, evaluator.address, credentials)) as peer:
        try:
            stub = evaluator_pb2_grpc.EvaluatorServiceStub(peer.channel)
            quota = peer.call(stub.GetEpochs, request, CALL_SECONDS, attempts=1).quota
        except UppropError:
            return None
    return Left(
        max(0, quota.year_limit - quota.year_used),
        quota.year_limit,
        max(0, quota.day_limit - quota.day_used),
        quota.day_limit,
        quota.allowed,
    )
