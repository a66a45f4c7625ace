"""Errors on the wire: a gRPC status, the code in the trailing metadata `upprop-code`, the sentence as the message; and,
where the caller is to come back later, when: as gRPC's own pushback and as google.rpc.RetryInfo.

Invariant: nothing but a `UppropError` puts its text on the wire.
"""

from __future__ import annotations

from typing import cast

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from federation.errors import Code, UppropError

CODE_KEY = "upprop-code"
PUSHBACK_KEY = "grpc-retry-pushback-ms"
DETAILS_KEY = "grpc-status-details-bin"
"""Where google.rpc.Status travels, which clients in other languages know."""

INTERNAL_SENTENCE = "The other side failed at this request. Try again later; its operator finds the cause in its log."
_LONGEST_SENTENCE = 500

_STATUS = {
    Code.DESCRIPTOR_UNSIGNED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.DESCRIPTOR_EXPIRED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.DESCRIPTOR_OLDER: grpc.StatusCode.FAILED_PRECONDITION,
    Code.DESCRIPTOR_INVALID: grpc.StatusCode.FAILED_PRECONDITION,
    Code.DESCRIPTOR_CHANGED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.EPOCH_UNSIGNED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.IDENTITY_UNLISTED: grpc.StatusCode.PERMISSION_DENIED,
    Code.IDENTITY_FOREIGN: grpc.StatusCode.UNAUTHENTICATED,
    Code.CERTIFICATE_EXPIRED: grpc.StatusCode.UNAUTHENTICATED,
    Code.METHOD_FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Code.DATE_SKEW: grpc.StatusCode.FAILED_PRECONDITION,
    Code.BATCH_REUSED: grpc.StatusCode.ALREADY_EXISTS,
    Code.BATCH_UNSIGNED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.EPOCH_UNKNOWN: grpc.StatusCode.FAILED_PRECONDITION,
    Code.QUOTA_EXCEEDED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.BUDGET_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.NOT_SUPPORTED: grpc.StatusCode.UNIMPLEMENTED,
    Code.CLOCK_NOT_MANUAL: grpc.StatusCode.FAILED_PRECONDITION,
    Code.NO_QUORUM: grpc.StatusCode.UNAVAILABLE,
    Code.PEER_UNREACHABLE: grpc.StatusCode.UNAVAILABLE,
    Code.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
    Code.OVERLOADED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.INTERNAL: grpc.StatusCode.INTERNAL,
    Code.STORE_LOCKED: grpc.StatusCode.UNAVAILABLE,
    Code.STORE_UNREACHABLE: grpc.StatusCode.UNAVAILABLE,
    Code.CONFIG_INVALID: grpc.StatusCode.FAILED_PRECONDITION,
    Code.SECRET_MODE: grpc.StatusCode.FAILED_PRECONDITION,
    Code.SCHEMA_OUTDATED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.SCHEMA_NEWER: grpc.StatusCode.FAILED_PRECONDITION,
    Code.LEDGER_PROOF_REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.LEDGER_BROKEN: grpc.StatusCode.DATA_LOSS,
    Code.RETENTION_UNSTATED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.ADMISSION_REFUSED: grpc.StatusCode.PERMISSION_DENIED,
    Code.ADMISSION_PENDING: grpc.StatusCode.FAILED_PRECONDITION,
    Code.POPULATION_IMPLAUSIBLE: grpc.StatusCode.FAILED_PRECONDITION,
    Code.CLOCK_WRONG: grpc.StatusCode.FAILED_PRECONDITION,
    Code.SECRET_MISSING: grpc.StatusCode.FAILED_PRECONDITION,
    Code.DIRECTORY_UNWRITABLE: grpc.StatusCode.FAILED_PRECONDITION,
    Code.JOURNAL_TOUCHED: grpc.StatusCode.FAILED_PRECONDITION,
}

# What a status without a code of ours means: it comes from gRPC itself.
_CODE = {
    grpc.StatusCode.UNAVAILABLE: (Code.PEER_UNREACHABLE, "{peer} cannot be reached. Check that it runs."),
    grpc.StatusCode.DEADLINE_EXCEEDED: (Code.DEADLINE, "{peer} did not answer in time."),
    # Either side is being stopped: nothing was answered.
    grpc.StatusCode.CANCELLED: (Code.PEER_UNREACHABLE, "The call to {peer} was broken off. Try again."),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (Code.OVERLOADED, "{peer} has too much to do at the moment."),
    grpc.StatusCode.UNAUTHENTICATED: (Code.IDENTITY_FOREIGN, "{peer} does not accept our certificate."),
    grpc.StatusCode.UNIMPLEMENTED: (Code.NOT_SUPPORTED, "{peer} does not know this request; it may be older."),
}

# OpenSSL's words for a server that is not the one it was dialled as; it stays so, however often it is dialled.
_NOT_THE_PEER = ("CERTIFICATE_VERIFY_FAILED", "Hostname Verification Check failed")

RETRIED = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
)


class RemoteError(UppropError):
    """What another party answered, or why it did not answer.

    `retry` tells whether the same request may fare better later; `pushback` is how many seconds the peer asks to wait.
    """

    def __init__(self, code: Code, sentence: str, *, retry: bool, pushback: float | None = None) -> None:
        super().__init__(code, sentence)
        self.retry = retry
        self.pushback = pushback


def grpc_status(code: Code) -> grpc.StatusCode:
    """The status a code travels with; whatever is not listed is a request that was wrong in itself."""
    return _STATUS.get(code, grpc.StatusCode.INVALID_ARGUMENT)


def trailing_metadata(code: Code, sentence: str, retry_after: float | None) -> tuple[tuple[str, str | bytes], ...]:
    """What goes with a refusal; `retry_after` (seconds) where the same request may fare better later."""
    if retry_after is None:
        return ((CODE_KEY, code.value),)
    milliseconds = max(1, round(retry_after * 1000))
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(milliseconds)
    details = any_pb2.Any()
    details.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=grpc_status(code).value[0], message=sentence, details=[details])
    return (
        (CODE_KEY, code.value),
        (PUSHBACK_KEY, str(milliseconds)),
        (DETAILS_KEY, status.SerializeToString()),
    )


def as_call(error: grpc.RpcError) -> grpc.Call:
    """Every error that a call raises is also the call; grpc's types do not say so."""
    return cast("grpc.Call", error)


def remote_error(error: grpc.RpcError, peer: str) -> RemoteError:
    """The error that `peer` (its name, for the sentence) answered with, or that kept it from answering."""
    call = as_call(error)
    status = call.code()
    details = call.details() or ""
    metadata: dict[str, str | bytes] = dict(call.trailing_metadata() or ())
    stated = metadata.get(CODE_KEY)
    pushback, final = _pushback(metadata.get(PUSHBACK_KEY))
    if isinstance(stated, str) and stated in set(Code) and details:
        code = Code(stated)
        retry = status in RETRIED and code not in (Code.QUOTA_EXCEEDED, Code.BUDGET_EXHAUSTED) and not final
        return RemoteError(code, details[:_LONGEST_SENTENCE], retry=retry, pushback=pushback)
    if status is grpc.StatusCode.UNAVAILABLE and any(words in details for words in _NOT_THE_PEER):
        return RemoteError(
            Code.IDENTITY_FOREIGN,
            f"Whoever answers at the address of {peer} is not {peer}. Do not go on; tell the authority.",
            retry=False,
        )
    code, sentence = _CODE.get(status, (Code.INTERNAL, "{peer} failed at this request."))
    return RemoteError(code, sentence.format(peer=peer), retry=status in RETRIED and not final, pushback=pushback)


def _pushback(value: str | bytes | None) -> tuple[float | None, bool]:
    """Seconds to wait, and whether the peer forbids another attempt (gRFC A6: anything but a number ≥ 0)."""
    if value is None:
        return None, False
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    return (int(text) / 1000, False) if text.isascii() and text.isdigit() else (None, True)
