"""What evaluators hand each other, as files, when they make shares anew: signed documents with sealed values.

1. Each evaluator that takes part makes a one-time X25519 key and an *invitation* that bears its public half.
2. From the invitations of all follows the *ceremony*: what is done, to which epoch and share version, between whom. Its
   digest stands in every document that follows, so that nothing of another ceremony, or another try, gets in.
3. Values for one evaluator are sealed to its one-time key (HPKE, RFC 9180), bound to ceremony, kind, giver and taker.

The one-time keys are forgotten at the end: whoever records the files and steals signing keys and shares later opens
nothing. Signatures are Ed25519 with the keys that the descriptor lists for evaluators.

Invariants: nothing is read before its signature is verified; a value that does not open, or is no scalar, names who
gave it; documents are JSON in one canonical form, so that what is signed is what is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from privacy import group
from privacy.errors import CeremonyError, PrivacyError, Reason
from privacy.group import RandomBytes, Scalar
from privacy.key_file import read_fields

INVITATION_KIND = "upprop-ceremony-invitation-v1"
SECRET_KIND = "upprop-ceremony-secret-v1"  # noqa: S105 - the name of a kind of file
MAX_DOCUMENT_BYTES = 256 * 1024
"""255 evaluators with a sealed value and a commitment each take some 60 KiB."""

_CONTEXT = b"upprop/v1/ceremony\x00"
_NONCE_BYTES = 16
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True)
class Act:
    """What a ceremony does: refresh the shares of an epoch, or make the share of index `lost` again."""

    epoch: int
    version: int
    lost: int | None = None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A ceremony as its invitations make it. `digest` names it; `keys` holds each taker's one-time public key."""

    act: Act
    digest: bytes
    keys: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def of(cls, invitations: Iterable[bytes], signing_keys: Mapping[int, bytes]) -> Ceremony:
        """Raises `PrivacyError`: an invitation that is not sound, or not to what the others invite to."""
        found: dict[int, dict[str, Any]] = {}
        for content in invitations:
            index, fields = _read(content, INVITATION_KIND, signing_keys)
            if index in found and found[index] != fields:
                raise CeremonyError(Reason.EVALUATOR_REPEATED, index, "it gave two invitations; use the newest of each")
            found[index] = fields
        acts = {_act(index, fields) for index, fields in found.items()}
        if len(acts) != 1:
            raise PrivacyError(Reason.CEREMONIES_MIXED, "the invitations are not all to the same thing")
        keys = {index: _bytes(index, fields, "public_key", 32) for index, fields in sorted(found.items())}
        canonical = _canonical({str(index): found[index] for index in sorted(found)})
        return cls(acts.pop(), hashlib.sha256(_CONTEXT + canonical).digest(), keys)

    def write(self, kind: str, index: int, fields: Mapping[str, Any], signing_key: Ed25519PrivateKey) -> bytes:
        """A document of evaluator `index` in this ceremony."""
        return _written(kind, index, {**fields, "ceremony": self.digest.hex()}, signing_key)

    def read(self, content: bytes, kind: str, signing_keys: Mapping[int, bytes]) -> tuple[int, dict[str, Any]]:
        """Who wrote a document of this ceremony, and what stands in it. Raises `PrivacyError`."""
        index, fields = _read(content, kind, signing_keys)
        if fields.pop("ceremony", None) != self.digest.hex():
            raise CeremonyError(
                Reason.CEREMONIES_MIXED, index, "it belongs to other invitations than these; begin again with one set"
            )
        return index, fields

    def seal(self, kind: str, giver: int, taker: int, value: Scalar) -> str:
        """A value that evaluator `taker` alone can open, in hexadecimal."""
        key = X25519PublicKey.from_public_bytes(self.keys[taker])
        return _SUITE.encrypt(value, key, self._bound(kind, giver, taker)).hex()

    def open(self, kind: str, giver: int, taker: int, box: object, secret: X25519PrivateKey) -> Scalar:
        """The value in a box. Raises `CeremonyError` naming its giver."""
        try:
            plain = _SUITE.decrypt(
                bytes.fromhex(box if isinstance(box, str) else ""), secret, self._bound(kind, giver, taker)
            )
            return group.scalars([plain])[0]
        except (InvalidTag, ValueError) as error:
            raise CeremonyError(
                Reason.VALUE_UNSEALED, giver, f"its value for evaluator {taker} does not open"
            ) from error

    def _bound(self, kind: str, giver: int, taker: int) -> bytes:
        return _CONTEXT + self.digest + kind.encode() + b"\x00" + bytes([giver, taker])


def invite(act: Act, index: int, signing_key: Ed25519PrivateKey, random_bytes: RandomBytes) -> tuple[bytes, bytes]:
    """An invitation, and the content of the secret file that opens what is sealed to it."""
    secret = X25519PrivateKey.generate()
    fields = {
        "epoch": act.epoch,
        "version": act.version,
        "lost": act.lost or 0,
        "nonce": random_bytes(_NONCE_BYTES).hex(),
        "public_key": secret.public_key().public_bytes_raw().hex(),
    }
    kept = (
        "# The one-time key of a ceremony. Secret (mode 0600); gone when the ceremony is over.\n"
        f'kind = "{SECRET_KIND}"\nsecret = "{secret.private_bytes_raw().hex()}"\n'
    ).encode()
    return _written(INVITATION_KIND, index, fields, signing_key), kept


def read_secret(content: bytes) -> X25519PrivateKey:
    """The one-time key in a secret file. Raises `PrivacyError`."""
    secret = read_fields(content, SECRET_KIND, set(), {"secret"})["secret"]
    if len(secret) != 32:
        raise PrivacyError(Reason.KEY_LENGTH, "a one-time key is 32 bytes long")
    return X25519PrivateKey.from_private_bytes(secret)


def _act(index: int, fields: Mapping[str, Any]) -> Act:
    numbers = [fields.get(name) for name in ("epoch", "version", "lost")]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise CeremonyError(Reason.FILE_MALFORMED, index, "its invitation does not say to what")
    epoch, version, lost = numbers
    return Act(epoch, version, lost or None)  # type: ignore[arg-type]  # whole numbers, by the check above


def _bytes(index: int, fields: Mapping[str, Any], name: str, length: int) -> bytes:
    try:
        value = bytes.fromhex(fields[name])
    except (KeyError, TypeError, ValueError):
        value = b""
    if len(value) != length:
        raise CeremonyError(Reason.FILE_MALFORMED, index, f"its {name} is not {length} bytes in hexadecimal")
    return value


def _written(kind: str, index: int, fields: Mapping[str, Any], signing_key: Ed25519PrivateKey) -> bytes:
    document = {"kind": kind, "evaluator": index, **fields}
    signature = signing_key.sign(_CONTEXT + _canonical(document))
    return json.dumps({**document, "signature": signature.hex()}, indent=1, sort_keys=True).encode() + b"\n"


def _read(content: bytes, kind: str, signing_keys: Mapping[int, bytes]) -> tuple[int, dict[str, Any]]:
    malformed = PrivacyError(Reason.FILE_MALFORMED, f"a file is not of kind {kind}")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise malformed
    try:
        document = json.loads(content)
        signature = bytes.fromhex(document.pop("signature"))
        index = document["evaluator"]
        fits = document["kind"] == kind and type(index) is int
    except (ValueError, KeyError, TypeError, AttributeError):
        raise malformed from None
    if not fits:
        raise malformed
    if index not in signing_keys:
        raise PrivacyError(Reason.EVALUATOR_UNKNOWN, f"the descriptor lists no evaluator {index}")
    try:
        Ed25519PublicKey.from_public_bytes(signing_keys[index]).verify(signature, _CONTEXT + _canonical(document))
    except InvalidSignature as error:
        raise PrivacyError(
            Reason.SIGNATURE_WRONG,
            f"a file in the name of evaluator {index} does not bear its signature; get it again, from that evaluator",
        ) from error
    return index, {name: value for name, value in document.items() if name not in ("kind", "evaluator")}


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
