"""What keeps called pseudonyms unreadable in the registry's store.

Invariants
    - The keys are derived from the epochs' registry keys, which lie outside database and backups and end with their
      epoch: whoever has the database alone has no pseudonym, and whoever keeps a backup of it has none afterwards.
    - A sealed value is bound to its place: moved elsewhere it does not open.

Layout of a sealed value: 12 bytes nonce, ciphertext with 16 bytes tag.
"""

from __future__ import annotations

import secrets
from datetime import date

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from federation.rules.vocabulary import PSEUDONYM_BYTES, Pseudonym
from registry.keys import PseudonymKeys
from registry.model import Ref
from registry.store.roll_call import Offer

_PURPOSE = b"upprop/registry/roll-call/v1"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SEALED_BYTES = _NONCE_BYTES + PSEUDONYM_BYTES + _TAG_BYTES


class CallSealer:
    """Seals and opens under keys of the epochs' registry keys. Raises KeyError for an epoch without one."""

    def __init__(self, keys: PseudonymKeys) -> None:
        self._keys = keys

    def seal_pseudonym(self, ref: Ref, number: int, keyed: Pseudonym, value: bytes) -> bytes:
        return self._seal(keyed.epoch, _place_of_pseudonym(ref, number, keyed), value)

    def open_pseudonym(self, offer: Offer) -> Pseudonym | None:
        """The pseudonym of an offer; None where it holds nothing (`nothing_sealed`)."""
        keyed = offer.keyed
        try:
            value = self._open(keyed.epoch, _place_of_pseudonym(offer.ref, offer.number, keyed), offer.sealed)
        except InvalidTag:
            return None
        return Pseudonym(keyed.epoch, value)

    def seal_part(self, epoch: int, on: date, part: int, content: bytes) -> bytes:
        return self._seal(epoch, _place_of_part(on, part), content)

    def open_part(self, epoch: int, on: date, part: int, sealed: bytes) -> bytes:
        return self._open(epoch, _place_of_part(on, part), sealed)

    def _seal(self, epoch: int, place: bytes, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead(epoch).encrypt(nonce, plain, place)

    def _open(self, epoch: int, place: bytes, sealed: bytes) -> bytes:
        return self._aead(epoch).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)

    def _aead(self, epoch: int) -> AESGCM:
        return AESGCM(self._keys.derived(epoch, _PURPOSE))


def nothing_sealed() -> bytes:
    """What stands for a pseudonym that is not kept: nobody without the key can tell it from a sealed one."""
    return secrets.token_bytes(_SEALED_BYTES)


def _place_of_pseudonym(ref: Ref, number: int, keyed: Pseudonym) -> bytes:
    return b"offer" + ref + number.to_bytes(8, "big") + keyed.epoch.to_bytes(8, "big") + keyed.value


def _place_of_part(on: date, part: int) -> bytes:
    return b"list" + on.toordinal().to_bytes(4, "big") + part.to_bytes(4, "big")
