"""The registry's own keys over pseudonyms, one file per epoch, outside database and backups.

Invariants: a key file that others can read, or whose key is short, zero or of another epoch, stops the start; an epoch
ends here when its file is taken out of the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.rules.vocabulary import MemberId, Pseudonym, Signal
from privacy.errors import PrivacyError
from privacy.pseudonym import stored, stored_for_drills
from privacy.registry_key import RegistryKey, parse_registry_key


class PseudonymKeys:
    """The keys of the epochs that this registry serves."""

    def __init__(self, keys: Mapping[int, RegistryKey]) -> None:
        self._keys = dict(keys)

    @classmethod
    def read(cls, files: Mapping[int, Path]) -> PseudonymKeys:
        """Read the key files. Raises UppropError: CONFIG_INVALID, SECRET_MODE."""
        if not files:
            raise UppropError(
                Code.CONFIG_INVALID, "The settings name no epoch_keys. Make a key: upprop registry keygen --epoch 1"
            )
        return cls({epoch: _read(epoch, path) for epoch, path in files.items()})

    def has(self, epoch: int) -> bool:
        return epoch in self._keys

    def keyed(self, pseudonyms: Sequence[Pseudonym]) -> tuple[Pseudonym, ...]:
        """What is kept in place of these pseudonyms. Raises KeyError for an epoch without a key: ask `has` first."""
        return tuple(
            Pseudonym(pseudonym.epoch, stored(self._keys[pseudonym.epoch], [pseudonym.value])[0])
            for pseudonym in pseudonyms
        )

    def keyed_of(self, member: MemberId, signal: Signal) -> tuple[Pseudonym, ...]:
        """What is kept in place of a signal's pseudonyms: a drill's meet those of no pupil and of no other member."""
        if not signal.drill:
            return self.keyed(signal.pseudonyms)
        return tuple(
            Pseudonym(pseudonym.epoch, stored_for_drills(self._keys[pseudonym.epoch], member, [pseudonym.value])[0])
            for pseudonym in signal.pseudonyms
        )

    def derived(self, epoch: int, purpose: bytes) -> bytes:
        """32 bytes for another purpose than keying (HKDF-SHA-256), which end with the epoch's key.

        Raises KeyError for an epoch without a key.
        """
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(self._keys[epoch].secret)


def _read(epoch: int, path: Path) -> RegistryKey:
    try:
        key = parse_registry_key(read_secret(path))
    except PrivacyError as refused:
        raise UppropError(Code.CONFIG_INVALID, f"{path} is not a sound registry key. Restore it.") from refused
    if key.epoch != epoch:
        raise UppropError(Code.CONFIG_INVALID, f"{path} holds the key of epoch {key.epoch}, not of epoch {epoch}.")
    return key
