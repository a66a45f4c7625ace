"""From a number to what the protocol is fed, and from its output to what is sent and what is stored.

Invariants: the input names the system, the purpose and the numbering scheme, each with its length before it, so that no
two different inputs have the same bytes and another use of the same key can never make the same pseudonym; the registry
stores a pseudonym only under its own key, and different epochs never collide.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

from privacy.errors import PrivacyError, Reason
from privacy.registry_key import RegistryKey

if TYPE_CHECKING:
    # The registry, which uses `stored`, has no library for identity numbers installed.
    from privacy.identifiers import CanonicalNumber

PSEUDONYM_BYTES = 32
_EPOCH_BYTES = 4
_SYSTEM = b"upprop/v1"
_PURPOSE = b"pupil"
_SCHEME = b"SE"
_DRILL = b"upprop/v1 drill"


def pupil_input(number: CanonicalNumber) -> bytes:
    """The private input of the protocol: four fields, each after its length in two bytes."""
    fields = (_SYSTEM, _PURPOSE, _SCHEME, number.encode("ascii"))
    return b"".join(len(field).to_bytes(2, "big") + field for field in fields)


def from_output(output: bytes) -> bytes:
    """The pseudonym: the first 32 of the 64 bytes the protocol gives."""
    return output[:PSEUDONYM_BYTES]


def stored(key: RegistryKey, pseudonyms: Sequence[bytes]) -> list[bytes]:
    """What the registry keeps in place of each pseudonym of the key's epoch: HMAC-SHA-256 over epoch ‖ pseudonym.

    Both have a fixed width (4 and 32 bytes). A stolen database without the key is then of no use even to someone who
    can compute pseudonyms.
    """
    return _keyed(key, b"", pseudonyms)


def stored_for_drills(key: RegistryKey, member: str, pseudonyms: Sequence[bytes]) -> list[bytes]:
    """What the registry keeps in place of a drill's pseudonyms: apart from pupils', and from other members' drills.

    HMAC-SHA-256 over a label and the member, the latter after its length, and then as in `stored`. It is longer than
    what `stored` takes, whatever the member: the two never make the same value, but by breaking the HMAC.
    """
    name = member.encode("ascii")
    return _keyed(key, _DRILL + len(name).to_bytes(2, "big") + name, pseudonyms)


def _keyed(key: RegistryKey, label: bytes, pseudonyms: Sequence[bytes]) -> list[bytes]:
    if any(len(pseudonym) != PSEUDONYM_BYTES for pseudonym in pseudonyms):
        raise PrivacyError(Reason.LENGTHS_UNEQUAL, "a pseudonym is not 32 bytes long")
    before = label + key.epoch.to_bytes(_EPOCH_BYTES, "big")
    return [hmac.digest(key.secret, before + pseudonym, "sha256") for pseudonym in pseudonyms]
