"""Batches signed as a node signs them, for callers that are no node."""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from federation.rules.canonical import BATCH_KEY_BYTES, batch_signed_bytes, blinded_batch_digest
from federation.rules.vocabulary import MemberId
from federation.v1 import registry_pb2
from registry.ledger.wire import as_sent


def tls_key(home: Path) -> EllipticCurvePrivateKey:
    """The key of the certificate in a party's directory."""
    key = load_pem_private_key((home / "tls.key").read_bytes(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key


def sign(request: registry_pb2.SubmitSignalsRequest, member: str, key: EllipticCurvePrivateKey) -> None:
    """Sign the batch, right or wrong, as it stands in the request."""
    request.batch_key = secrets.token_bytes(BATCH_KEY_BYTES)
    sent = [as_sent(message) for message in request.signals]
    digest = blinded_batch_digest(MemberId(member), request.batch_id, sent, request.batch_key)
    request.batch_signature = key.sign(batch_signed_bytes(digest), ECDSA(SHA256()))
