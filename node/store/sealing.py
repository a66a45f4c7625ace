"""What keeps identities unreadable in the node's own files: sealed columns and keyed indexes.

Invariants
    - Both keys are derived (HKDF-SHA-256, separate labels) from the one record key, which lives in a file of its own
      (0600) outside the database and its backups. Whoever has the database without it has neither names nor a way to
      test a guessed number.
    - A sealed value is bound to its table, row and column: moved elsewhere it does not open.
    - Opening verifies: a value that was changed or sealed under another key raises.

Layout of a sealed value: version byte 1, 12 bytes nonce, ciphertext with 16 bytes tag.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

RECORD_KEY_BYTES = 32
NONCE_BYTES = 12
"""Random 96-bit nonces: NIST SP 800-38D allows 2^32 of them under one key; a node seals some 10^6 values a year."""

_VERSION = b"\x01"


class SealError(Exception):
    """A sealed value does not open: changed, moved, or sealed under another record key. Names no person."""


class Sealer:
    """Seals, opens and indexes under one record key (32 bytes)."""

    __slots__ = ("_aead", "_index_key")

    def __init__(self, record_key: bytes) -> None:
        if len(record_key) != RECORD_KEY_BYTES:
            raise ValueError(f"the record key must be {RECORD_KEY_BYTES} bytes")
        self._aead = AESGCM(_derive(record_key, b"upprop/node/seal/v1"))
        self._index_key = _derive(record_key, b"upprop/node/index/v1")

    def __repr__(self) -> str:
        return "Sealer()"

    def seal(self, table: str, row: bytes, column: str, plain: bytes) -> bytes:
        """Encrypt `plain` for one place. `row` is the row's primary key as bytes (of a composite: its parts joined)."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, plain, _place(table, row, column))

    def open(self, table: str, row: bytes, column: str, sealed: bytes) -> bytes:
        """Decrypt a value of `seal`; SealError if it does not belong to this key and place."""
        if sealed[:1] != _VERSION:
            raise SealError(f"a value of {table}.{column} has an unknown form")
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, ciphertext, _place(table, row, column))
        except (InvalidTag, ValueError):
            # The cause says nothing more, and a chained traceback could carry the ciphertext's frame.
            raise SealError(f"a value of {table}.{column} does not open with this record key") from None

    def index(self, purpose: str, value: bytes) -> bytes:
        """Keyed blind index, 32 bytes: equal for equal (purpose, value), meaningless without the record key."""
        label = purpose.encode()
        return hmac.digest(self._index_key, bytes([len(label)]) + label + value, hashlib.sha256)


def _derive(record_key: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(record_key)


def _place(table: str, row: bytes, column: str) -> bytes:
    """Associated data; every part carries its length, so that no two places share an encoding."""
    parts = (table.encode(), row, column.encode())
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)
