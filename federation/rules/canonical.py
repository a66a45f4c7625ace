"""Canonical bytes of a signal: one statement, one digest, whoever computes it.

Every field is length-prefixed and every absence is marked, so that no two statements share their bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

from federation.rules.vocabulary import Signal

_DOMAIN = b"upprop/v1/signal"
_DRILL = b"drill"


def canonical_bytes(signal: Signal) -> bytes:
    """All that `signal` states. Pseudonyms are a set, so they are sorted; the nonce states nothing and is left out."""
    fields: list[bytes | None] = [_DOMAIN, signal.handle, _number(signal.version)]
    fields.append(_number(len(signal.pseudonyms)))
    for pseudonym in sorted(signal.pseudonyms):
        fields += [_number(pseudonym.epoch), pseudonym.value]
    fields.append(_number(len(signal.presences)))
    for presence in signal.presences:
        fields += map(_day, (presence.begins, presence.until, presence.affirmed_on, presence.met_on))
    opening = signal.opening
    if opening is None:
        fields.append(None)
    else:
        fields += [
            _number(opening.number),
            opening.kind.value.encode(),
            _day(opening.since),
            opening.urgency.value.encode(),
            _day(opening.planned_start),
        ]
    ended = signal.duty_ended
    fields += [None] if ended is None else [_day(ended.begins), _day(ended.review)]
    fields.append(_number(int(signal.retracted)))
    if signal.drill:
        # At the end and only where it holds: digests of all that was said before there were drills stand.
        fields.append(_DRILL)
    return _join(fields)


def content_digest(signal: Signal) -> bytes:
    """SHA-256 over the canonical bytes: 32 bytes. Equal for a version sent again with the same content only."""
    return hashlib.sha256(canonical_bytes(signal)).digest()


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def _day(day: date | None) -> bytes | None:
    return None if day is None else day.isoformat().encode()


def _join(fields: Iterable[bytes | None]) -> bytes:
    return b"".join(b"\x00" if part is None else b"\x01" + len(part).to_bytes(4, "big") + part for part in fields)
