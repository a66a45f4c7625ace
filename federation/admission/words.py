"""The fingerprint of a key in words, to read over the telephone.

Twelve words of BIP-39's English list stand for the first 128 bits of the SHA-256 of the public key and a checksum, so
that a word misheard shows. To make another key with the same words takes some 2¹²⁸ attempts.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnemonic import Mnemonic

FINGERPRINT_BYTES = 16


def words_of(key_sha256: str) -> str:
    """The words of a key: `key_sha256` in hex, as the descriptor lists it."""
    return _list().to_mnemonic(bytes.fromhex(key_sha256)[:FINGERPRINT_BYTES])


def in_lines(words: str, each: int = 4) -> list[str]:
    """Words as they are read aloud: four in a breath, each with its place."""
    numbered = [f"{place:>2}. {word:<9}" for place, word in enumerate(words.split(), start=1)]
    return ["  ".join(numbered[start : start + each]).rstrip() for start in range(0, len(numbered), each)]


def agree(said: str, key_sha256: str) -> bool:
    """Whether words that somebody read are those of the key, whatever stands between them."""
    heard = [word.lower() for word in said.replace(",", " ").split() if not word.rstrip(".").isdigit()]
    return heard == words_of(key_sha256).split()


@functools.cache
def _list() -> Mnemonic:
    from mnemonic import Mnemonic  # only whoever joins or admits needs it

    return Mnemonic("english")
