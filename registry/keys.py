"""The registry's own keys over pseudonyms, one file per epoch, outside database and backups.

A key stands where `epoch_keys` names its file, or in `epoch_key_dir` as `epoch-N.key`, where it is looked for when an
epoch is asked for whose key is not held: so a registry takes up a new epoch without a restart.

Invariants: a key file that others can read, or whose key is short, zero or of another epoch, stops the start, and is no
key where it appears later; a key is written once and never overwritten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from federation.errors import Code, UppropError
from federation.files import destroy_secret, read_secret, write_secret
from federation.rules.vocabulary import MemberId, Pseudonym, Signal
from privacy.errors import PrivacyError
from privacy.pseudonym import stored, stored_for_drills
from privacy.registry_key import RegistryKey, parse_registry_key, serialise_registry_key


class PseudonymKeys:
    """The keys of the epochs that this registry serves."""

    def __init__(
        self, keys: Mapping[int, RegistryKey], files: Mapping[int, Path] | None = None, directory: Path | None = None
    ) -> None:
        self._keys, self._files, self._directory = dict(keys), dict(files or {}), directory

    @classmethod
    def read(cls, files: Mapping[int, Path], directory: Path | None = None) -> PseudonymKeys:
        """Read the key files. Raises UppropError: CONFIG_INVALID, SECRET_MODE."""
        found = {**_in(directory), **files}
        if not found:
            raise UppropError(
                Code.CONFIG_INVALID,
                "The settings name no epoch_keys and there is none in epoch_key_dir. Make a key: "
                "upprop registry keygen --epoch 1",
            )
        return cls({epoch: _read(epoch, path) for epoch, path in found.items()}, files, directory)

    def has(self, epoch: int) -> bool:
        """Whether the key is held, or has come to be."""
        if epoch not in self._keys and (path := self.path(epoch)) is not None and path.exists():
            try:
                self._keys[epoch] = _read(epoch, path)
            except UppropError:
                # Whoever asks says so, and that nothing of this epoch is taken yet.
                return False
        return epoch in self._keys

    def path(self, epoch: int) -> Path | None:
        """Where the key of an epoch stands, or would; None where the settings leave it no place."""
        if epoch in self._files:
            return self._files[epoch]
        return None if self._directory is None else self._directory / f"epoch-{epoch}.key"

    def make(self, epoch: int, secret: bytes) -> Path:
        """Write the key of a new epoch. Raises UppropError(CONFIG_INVALID): there is one, or no place for it."""
        path = self.path(epoch)
        if path is None:
            raise UppropError(
                Code.CONFIG_INVALID,
                'The settings name no epoch_key_dir. Add a line such as epoch_key_dir = "keys", outside the database '
                "and its backups, and start the registry again.",
            )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = RegistryKey(epoch, secret)
        write_secret(path, serialise_registry_key(key))
        self._keys[epoch] = key
        return path

    def destroy(self, epoch: int) -> Path | None:
        """Forget the key of an epoch and destroy its file; returns where that stood, None where there was none."""
        self._keys.pop(epoch, None)
        path = self.path(epoch)
        if path is None or not path.exists():
            return None
        destroy_secret(path)
        return path

    def forget_gone(self, listed: Collection[int]) -> None:
        """Forget the keys of epochs listed no more whose files are gone: another replica has destroyed them."""
        for epoch in [epoch for epoch in self._keys if epoch not in listed]:
            path = self.path(epoch)
            if path is not None and not path.exists():
                del self._keys[epoch]

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


def _in(directory: Path | None) -> dict[int, Path]:
    """The key files of a directory, by the epochs that they are named after."""
    found = [] if directory is None else directory.glob("epoch-*.key")
    numbered = ((path.stem.removeprefix("epoch-"), path) for path in found)
    return {int(number): path for number, path in numbered if number.isascii() and number.isdigit()}


def _read(epoch: int, path: Path) -> RegistryKey:
    try:
        key = parse_registry_key(read_secret(path))
    except PrivacyError as refused:
        raise UppropError(Code.CONFIG_INVALID, f"{path} is not a sound registry key. Restore it.") from refused
    if key.epoch != epoch:
        raise UppropError(Code.CONFIG_INVALID, f"{path} holds the key of epoch {key.epoch}, not of epoch {epoch}.")
    return key
