"""gRPC's own health service, as a caller: whether a party takes work."""

from __future__ import annotations

from grpc_health.v1 import health_pb2, health_pb2_grpc

from federation.rpc.client import Peer


def is_serving(peer: Peer, deadline: float) -> bool:
    """Asked once. Raises UppropError as `Peer.call` does: why no answer came, or that we are refused."""
    check = health_pb2_grpc.HealthStub(peer.channel).Check
    answer = peer.call(check, health_pb2.HealthCheckRequest(), deadline, attempts=1)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
