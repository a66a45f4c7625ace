"""Bringing checkpoints to the witnesses: each evaluator's WitnessService co-signs what continues what it has seen.

Invariants
    - A witness is asked with the proof from the very size it says it has seen; what it signs is verified before it is
      kept or shown to anyone.
    - A witness that cannot be reached, or is an older version, holds up nobody else. One that has seen more than the
      database holds, or refuses a proof, is an error: this database is not the one that was signed before.
    - What an evaluator reports of its quotas is noted with its cosignature, once a day, if it signed it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from federation import checkpoint, identity
from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor, Evaluator
from federation.errors import Code, UppropError
from federation.observability import Log, Metrics
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.rules.canonical import quota_signed_bytes
from federation.rules.merkle import Frontier
from federation.tls import ChannelCredentials
from federation.v1 import ledger_pb2
from federation.v1.ledger_pb2_grpc import WitnessServiceStub
from registry.ledger.checkpoints import Checkpoints
from registry.ledger.contents import QuotaReport
from registry.ledger.observability import (
    QUOTA_REPORT_REFUSED,
    WITNESS_AHEAD,
    WITNESS_REFUSED,
    WITNESS_UNREACHED,
    LedgerMetrics,
)
from registry.ledger.proofs import Proofs
from registry.store import Transaction, ledger

DEADLINE = 10.0
"""Seconds for one call: a witness checks one proof and writes one row."""

_REFUSALS = frozenset({Code.LEDGER_PROOF_REFUSED, Code.LEDGER_CHECKPOINT_REFUSED})


class Witnesses:
    """The evaluators as this registry calls them. One round at a time."""

    def __init__(
        self,
        *,
        database: Database,
        checkpoints: Checkpoints,
        proofs: Proofs,
        credentials: ChannelCredentials,
        clock: Clock,
        descriptors: Callable[[], Descriptor],
        own_metrics: LedgerMetrics,
        metrics: Metrics,
        log: Log,
    ) -> None:
        self._database, self._checkpoints, self._proofs = database, checkpoints, proofs
        self._credentials, self._clock, self._descriptors = credentials, clock, descriptors
        self._own_metrics, self._metrics, self._log = own_metrics, metrics, log
        self._peers: dict[tuple[int, str], Peer] = {}
        self._seen: dict[int, int] = {}
        self._reported: dict[int, QuotaReport] = {}
        self._one_at_a_time = threading.Lock()

    def bring(self) -> int:
        """Bring the newest checkpoint to every witness that has not seen it; how many have co-signed it by now."""
        with self._one_at_a_time:
            descriptor = self._descriptors()
            head, note = self._checkpoints.newest()
            signed = checkpoint.verify_cosignatures(note, descriptor.evaluators)
            lines = {
                each.index: line
                for each in descriptor.evaluators
                if each.index not in signed and (line := self._line(each, descriptor, head, note)) is not None
            }
            if lines:
                self._database.run("ledger_cosignatures", lambda tx: self._keep(tx, head.size, lines))
            cosigned = len(signed) + len(lines)
            self._own_metrics.cosigned.set(cosigned)
            if cosigned:
                first = min([*signed.values(), *([self._clock.now()] if lines else [])])
                self._own_metrics.checkpoint_at.set(first.timestamp())
            return cosigned

    def close(self) -> None:
        for peer in self._peers.values():
            peer.close()

    def _keep(self, tx: Transaction, size: int, lines: Mapping[int, bytes]) -> None:
        ledger.keep_cosignatures(tx, size, dict(lines))
        for report in self._reported.values():
            if report.evaluator in lines:
                ledger.note_quota(tx, report)

    def _line(self, evaluator: Evaluator, descriptor: Descriptor, head: Frontier, note: bytes) -> bytes | None:
        """What one witness signed, None where it did not."""
        try:
            return self._ask(evaluator, descriptor, head, note)
        except UppropError as error:
            event = WITNESS_REFUSED if error.code in _REFUSALS else WITNESS_UNREACHED
            self._log(event, evaluator=evaluator.index, code=error.code)
            return None

    def _ask(self, evaluator: Evaluator, descriptor: Descriptor, head: Frontier, note: bytes) -> bytes | None:
        peer = self._peer(evaluator)
        stub = WitnessServiceStub(peer.channel)
        # Twice: where it has seen another size than we believe, it says which.
        for _ in range(2):
            old_size = self._seen.get(evaluator.index, 0)
            request = ledger_pb2.AddCheckpointRequest(
                envelope=make_envelope(self._clock, descriptor),
                checkpoint=note,
                old_size=old_size,
                consistency_proof=self._proof(old_size, head.size),
            )
            response = peer.call(stub.AddCheckpoint, request, DEADLINE, attempts=1)
            self._seen[evaluator.index] = response.seen_size
            self._hear(evaluator, response)
            if response.cosignature:
                checkpoint.verify_cosignatures(checkpoint.with_cosignatures(note, [response.cosignature]), [evaluator])
                return response.cosignature
            if response.seen_size > head.size:
                # Another replica may have brought a newer one meanwhile; a database that was set back has not.
                if response.seen_size > self._checkpoints.size():
                    self._log(WITNESS_AHEAD, evaluator=evaluator.index, seen_size=response.seen_size, size=head.size)
                return None
        return None

    def _hear(self, evaluator: Evaluator, response: ledger_pb2.AddCheckpointResponse) -> None:
        """What it reports of its quotas, if it reports anything."""
        if not response.HasField("quota_report"):
            return
        report = response.quota_report
        try:
            on = date.fromisoformat(report.on)
            stated = quota_signed_bytes(evaluator.index, on, report.digest)
            Ed25519PublicKey.from_public_bytes(evaluator.signing_key).verify(report.signature, stated)
        except (ValueError, InvalidSignature):
            self._log(QUOTA_REPORT_REFUSED, evaluator=evaluator.index)
            return
        if on > self._clock.today():
            # It would keep those of the days before it out.
            self._log(QUOTA_REPORT_REFUSED, evaluator=evaluator.index)
            return
        self._reported[evaluator.index] = QuotaReport(evaluator.index, on, report.digest, report.signature)

    def _proof(self, old_size: int, size: int) -> Sequence[bytes]:
        return self._proofs.consistency(old_size, size) if old_size <= size else ()

    def _peer(self, evaluator: Evaluator) -> Peer:
        key = (evaluator.index, evaluator.address)
        if key not in self._peers:
            self._peers[key] = Peer(
                identity.evaluator(evaluator.index), evaluator.address, self._credentials, self._metrics
            )
        return self._peers[key]
