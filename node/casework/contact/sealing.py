"""Signing, sealing and their opposites for contacts between members.

    request, acceptance   signed by the member's listed key; each holds a fresh public key for this contact alone
    message               signed by the listed key, padded, then sealed to the other side's public key

HPKE (RFC 9180) with MLKEM768-X25519, HKDF-SHA256 and AES-256-GCM. `info` binds epoch, both members, contact,
direction, sequence and SHA-256 of the pupil's pseudonym: what was sealed opens in its own place alone, and for whoever
looks for the same pupil. The signature lies inside: the registry can neither check it nor put another in its place.

Invariant: whatever does not verify raises ForgedError; nothing of it is taken.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.serialization import load_der_public_key

from federation.rules.contact import MAX_SEALED, MAX_STATEMENT_BYTES, PADDED_BYTES, SEALED_BYTES
from node.casework.contact.model import Ground, Pair, SealedPart, Side, Statement

_STATEMENT = b"upprop/v1 contact statement\x00"
_MESSAGE = b"upprop/v1 contact message\x00"

_ML_SECRET, _ML_PUBLIC, _X = 64, 1_184, 32
SECRET_BYTES = _ML_SECRET + _X
PUBLIC_BYTES = _ML_PUBLIC + _X

FRESH = timedelta(days=60)
"""An older request is one that somebody kept: the registry hands over each within a sync or two."""

T = TypeVar("T", bound=msgspec.Struct)


class ForgedError(Exception):
    """Something is not what its sender signed, or is not for this place. Says nothing of it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """This member's listed key: what signs, and its public half as DER. `sign` is ECDSA P-256 with SHA-256."""

    member: str
    sign: Callable[[bytes], bytes] = field(repr=False)
    public_key: Callable[[], bytes] = field(repr=False)


class RequestContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request says."""

    what: Literal["contact-request"]
    version: Literal[1]
    member: str
    request_id: str
    key: str
    ground: Ground
    made_on: date


class AcceptanceContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an acceptance says; `request`: SHA-256 of the request's content, in hex."""

    what: Literal["contact-acceptance"]
    version: Literal[1]
    member: str
    asking: str
    request: str
    key: str
    made_on: date


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a message says."""

    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands. `sender` is the side that wrote it."""

    asking: str
    asked: str
    contact_id: bytes = field(repr=False)
    sender: Side
    sequence: int

    def info(self, pair: Pair) -> bytes:
        """Length-prefixed, so that no two places read alike."""
        parts = (
            b"upprop/v1",
            b"contact",
            pair.epoch.to_bytes(8, "big"),
            self.asking.encode(),
            self.asked.encode(),
            self.contact_id,
            self.sender.value.encode(),
            self.sequence.to_bytes(8, "big"),
            pair.digest,
        )
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


# -- keys --------------------------------------------------------------------------------------------------------------


def new_secret() -> bytes:
    """A private key for one request or one acceptance."""
    return MLKEM768PrivateKey.generate().private_bytes_raw() + X25519PrivateKey.generate().private_bytes_raw()


def public_of(secret: bytes) -> bytes:
    ml, x = _halves(secret)
    return ml.public_key().public_bytes_raw() + x.public_key().public_bytes_raw()


def digest_of(pseudonym: bytes) -> bytes:
    return hashlib.sha256(pseudonym).digest()


# -- statements --------------------------------------------------------------------------------------------------------


def make_request(signer: Signer, request_id: bytes, secret: bytes, ground: Ground, today: date) -> Statement:
    content = RequestContent(
        "contact-request", 1, signer.member, request_id.hex(), _text(public_of(secret)), ground, today
    )
    return _signed(signer, content)


def make_acceptance(signer: Signer, asking: str, request_digest: bytes, secret: bytes, today: date) -> Statement:
    content = AcceptanceContent(
        "contact-acceptance", 1, signer.member, asking, request_digest.hex(), _text(public_of(secret)), today
    )
    return _signed(signer, content)


def read_request(
    statement: Statement, request_id: bytes, today: date, listed: Callable[[str], str | None]
) -> tuple[RequestContent, bytes]:
    """What a request says, and its key. `listed` gives the SHA-256 of a member's listed key. Raises ForgedError."""
    content = _verified(statement, RequestContent, listed)
    if content.request_id != request_id.hex() or not today - FRESH <= content.made_on <= today + timedelta(days=1):
        raise ForgedError
    return content, _key(content.key)


def read_acceptance(
    statement: Statement, request_content: bytes, asking: str, listed: Callable[[str], str | None]
) -> tuple[AcceptanceContent, bytes]:
    """What an acceptance of a request of `asking` says, and its key for messages. Raises ForgedError."""
    content = _verified(statement, AcceptanceContent, listed)
    if (content.request, content.asking) != (hashlib.sha256(request_content).hexdigest(), asking):
        raise ForgedError
    if content.member == asking:
        raise ForgedError
    return content, _key(content.key)


# -- messages ----------------------------------------------------------------------------------------------------------


def seal(signer: Signer, place: Place, pairs: Iterable[Pair], peer_key: bytes, text: str, by: str) -> list[SealedPart]:
    """The message under each of the pairs, at most `MAX_SEALED`; every part has `SEALED_BYTES`."""
    # MessagePack: no text is longer in it than it is.
    payload = msgspec.msgpack.encode(Payload(text, by))
    key = signer.public_key()
    parts = []
    for pair in list(pairs)[:MAX_SEALED]:
        info = place.info(pair)
        signature = signer.sign(_to_sign(info, peer_key, payload))
        plain = _framed(signature) + _framed(key) + _framed(payload)
        padded = plain + bytes(PADDED_BYTES - len(plain))
        parts.append(SealedPart(pair.epoch, _suite().encrypt(padded, _public(peer_key), info)))
    return parts


def open_sealed(
    secret: bytes,
    place: Place,
    parts: Sequence[SealedPart],
    pairs: Iterable[Pair],
    sender: str,
    listed: Callable[[str], str | None],
) -> tuple[Payload, Pair]:
    """What a message says, and the pair that it came under. Raises ForgedError."""
    known = list(pairs)
    for part in parts[:MAX_SEALED]:
        if len(part.sealed) != SEALED_BYTES:
            continue
        for pair in known:
            if pair.epoch != part.epoch:
                continue
            info = place.info(pair)
            try:
                padded = _suite().decrypt(part.sealed, _private(secret), info)
            except (InvalidTag, ValueError):
                continue
            return _read(padded, info, secret, sender, listed), pair
    raise ForgedError


def _read(padded: bytes, info: bytes, secret: bytes, sender: str, listed: Callable[[str], str | None]) -> Payload:
    signature, rest = _unframed(padded)
    key, rest = _unframed(rest)
    payload, rest = _unframed(rest)
    if any(rest):
        raise ForgedError
    _check(key, signature, _to_sign(info, public_of(secret), payload), listed(sender))
    try:
        return msgspec.msgpack.decode(payload, type=Payload)
    except msgspec.MsgspecError as error:
        raise ForgedError from error


# -- parts -------------------------------------------------------------------------------------------------------------


def _suite() -> Suite:
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _halves(secret: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    ml, x = secret[:_ML_SECRET], secret[_ML_SECRET:]
    return MLKEM768PrivateKey.from_seed_bytes(ml), X25519PrivateKey.from_private_bytes(x)


def _private(secret: bytes) -> MLKEM768X25519PrivateKey:
    return MLKEM768X25519PrivateKey(*_halves(secret))


def _public(key: bytes) -> MLKEM768X25519PublicKey:
    ml, x = key[:_ML_PUBLIC], key[_ML_PUBLIC:]
    return MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(ml), X25519PublicKey.from_public_bytes(x))


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
        if len(key) != PUBLIC_BYTES:
            raise ForgedError
        _public(key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ForgedError from error
    return key


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _signed(signer: Signer, content: msgspec.Struct) -> Statement:
    encoded = msgspec.json.encode(content)
    return Statement(encoded, signer.sign(_STATEMENT + encoded), signer.public_key())


def _verified(statement: Statement, kind: type[T], listed: Callable[[str], str | None]) -> T:
    if len(statement.content) > MAX_STATEMENT_BYTES:
        raise ForgedError
    try:
        content: Any = msgspec.json.decode(statement.content, type=kind)
    except msgspec.MsgspecError as error:
        raise ForgedError from error
    _check(statement.public_key, statement.signature, _STATEMENT + statement.content, listed(content.member))
    verified: T = content
    return verified


def _to_sign(info: bytes, peer_key: bytes, payload: bytes) -> bytes:
    return _MESSAGE + hashlib.sha256(info).digest() + hashlib.sha256(peer_key).digest() + payload


def _check(public_key: bytes, signature: bytes, content: bytes, listed: str | None) -> None:
    if listed is None or hashlib.sha256(public_key).hexdigest() != listed:
        raise ForgedError
    try:
        key = load_der_public_key(public_key)
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise ForgedError
        key.verify(signature, content, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, UnsupportedAlgorithm) as error:
        raise ForgedError from error


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(2, "big") + part


def _unframed(rest: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(rest[:2], "big")
    if len(rest) < 2 + length:
        raise ForgedError
    return rest[2 : 2 + length], rest[2 + length :]
