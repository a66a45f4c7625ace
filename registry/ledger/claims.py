"""What a member claims of a batch by its signature, once it has been checked.

Invariant: a `SignedBatch` exists only where the signature held, under the key of the very certificate that the call
came with; the key that blinded the pseudonyms is not part of it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from federation.errors import Code, UppropError
from federation.rules.canonical import batch_signed_bytes

_CERTIFICATES = 1_024
"""Kept parsed; more than the members that send at one time."""


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """The blinded digest of a batch (32 bytes), its member's signature over it and the public key (both DER)."""

    digest: bytes
    signature: bytes = field(repr=False)
    signer: bytes = field(repr=False)

    def check(self) -> None:
        """Raises UppropError(BATCH_SIGNATURE_WRONG) unless the signature holds."""
        key = load_der_public_key(self.signer)
        if not isinstance(key, EllipticCurvePublicKey):
            raise _wrong()
        try:
            key.verify(self.signature, batch_signed_bytes(self.digest), ECDSA(SHA256()))
        except InvalidSignature as error:
            raise _wrong() from error


def signed_batch(digest: bytes, signature: bytes, certificate_pem: bytes) -> SignedBatch:
    """What the caller with this certificate signed. Raises UppropError(BATCH_SIGNATURE_WRONG)."""
    signed = SignedBatch(digest, signature, _public_key(certificate_pem))
    signed.check()
    return signed


@functools.lru_cache(maxsize=_CERTIFICATES)
def _public_key(certificate_pem: bytes) -> bytes:
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _wrong() -> UppropError:
    return UppropError(
        Code.BATCH_SIGNATURE_WRONG,
        "The signature does not fit the batch and the certificate of the call. Sign the batch as it is sent, with the "
        "key of the certificate; a node and a registry of different versions may reckon the digest differently.",
    )
