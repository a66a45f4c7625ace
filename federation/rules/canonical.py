"""Canonical bytes of signals, batches and ledger leaves: one statement, one digest, whoever computes it.

Every field is length-prefixed and every absence is marked, so that no two statements share their bytes.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from federation.rules.vocabulary import MemberId, Pseudonym, Signal

BATCH_KEY_BYTES = 32
SALT_BYTES = 32

_DOMAIN = b"upprop/v1/signal"
_BATCH = b"upprop/v1/batch"
_DRILL = b"drill"
_QUOTA = b"upprop/v1/quota"


class LeafType(enum.IntEnum):
    """What a leaf of the ledger stands for; the first byte of its data."""

    BATCH = 1
    HOUR = 2


def canonical_bytes(signal: Signal) -> bytes:
    """All that `signal` states. Pseudonyms are a set, so they are sorted; the nonce states nothing and is left out."""
    fields: list[bytes | None] = [_DOMAIN, signal.handle, number(signal.version)]
    fields.append(number(len(signal.pseudonyms)))
    for pseudonym in sorted(signal.pseudonyms):
        fields += [number(pseudonym.epoch), pseudonym.value]
    fields.append(number(len(signal.presences)))
    for presence in signal.presences:
        fields += map(day, (presence.begins, presence.until, presence.affirmed_on, presence.met_on))
    opening = signal.opening
    if opening is None:
        fields.append(None)
    else:
        fields += [
            number(opening.number),
            str(opening.kind).encode(),
            day(opening.since),
            str(opening.urgency).encode(),
            day(opening.planned_start),
        ]
    ended = signal.duty_ended
    fields += [None] if ended is None else [day(ended.begins), day(ended.review)]
    fields.append(number(int(signal.retracted)))
    if signal.drill:
        # At the end and only where it holds: digests of all that was said before there were drills stand.
        fields.append(_DRILL)
    return joined(fields)


def content_digest(signal: Signal) -> bytes:
    """SHA-256 over the canonical bytes: 32 bytes. Equal for a version sent again with the same content only."""
    return hashlib.sha256(canonical_bytes(signal)).digest()


def blinded_batch_digest(member: MemberId, batch_id: bytes, signals: Sequence[Signal], batch_key: bytes) -> bytes:
    """SHA-256 over a batch as its member sends it, each pseudonym replaced by its HMAC under `batch_key`: 32 bytes.

    What the member signs and the ledger keeps. The key is 32 fresh random bytes per batch and forgotten by the
    registry, so that nobody can test a pseudonym against the digest; the member keeps it and can always show what it
    signed. Raises ValueError for a key of another length.
    """
    if len(batch_key) != BATCH_KEY_BYTES:
        raise ValueError(f"a batch key is {BATCH_KEY_BYTES} bytes")
    fields = [_BATCH, member.encode(), batch_id, number(len(signals))]
    fields += (canonical_bytes(_blinded(signal, batch_key)) for signal in signals)
    return hashlib.sha256(joined(fields)).digest()


def batch_signed_bytes(digest: bytes) -> bytes:
    """What a member's signature is made over (ECDSA P-256 with SHA-256, the key of its certificate)."""
    return _BATCH + b"\x00" + digest


def batch_leaf(salt: bytes, batch_digest: bytes, stored_digest: bytes) -> bytes:
    """The data of the leaf of one accepted batch."""
    return _leaf(LeafType.BATCH, salt, batch_digest, stored_digest)


def hourly_leaf(salt: bytes, subtree_root: bytes) -> bytes:
    """The data of the leaf that holds all else of an hour: the root of a Merkle tree over salted entries."""
    return _leaf(LeafType.HOUR, salt, subtree_root)


def quota_digest(salt: bytes, evaluator: int, on: date, asked: Iterable[tuple[MemberId, int, int]]) -> bytes:
    """SHA-256 over what members asked an evaluator for, 32 bytes: (member, elements in the year so far, on the day)."""
    fields: list[bytes | None] = [_QUOTA, salt, number(evaluator), day(on)]
    for member, year, one_day in sorted(asked):
        fields += [member.encode(), number(year), number(one_day)]
    return hashlib.sha256(joined(fields)).digest()


def quota_signed_bytes(evaluator: int, on: date, digest: bytes) -> bytes:
    """What an evaluator's signature of its report is made over (Ed25519, its signing key)."""
    return _QUOTA + b"\x00" + joined([number(evaluator), day(on), digest])


def _leaf(kind: LeafType, salt: bytes, *digests: bytes) -> bytes:
    if len(salt) != SALT_BYTES or any(len(digest) != SALT_BYTES for digest in digests):
        raise ValueError("a leaf is made of 32-byte values")
    return bytes([kind]) + salt + b"".join(digests)


def _blinded(signal: Signal, key: bytes) -> Signal:
    pseudonyms = tuple(
        Pseudonym(pseudonym.epoch, hmac.digest(key, pseudonym.value, "sha256")) for pseudonym in signal.pseudonyms
    )
    return replace(signal, pseudonyms=pseudonyms)


def number(value: int) -> bytes:
    """A field that holds a count, an index or a flag."""
    return value.to_bytes(8, "big")


def day(value: date | None) -> bytes | None:
    """A field that holds a date, or nothing."""
    return None if value is None else str(value).encode()


def joined(fields: Iterable[bytes | None]) -> bytes:
    """The fields one after the other, each with its length; None is another thing than no bytes."""
    return b"".join(b"\x00" if part is None else b"\x01" + len(part).to_bytes(4, "big") + part for part in fields)
