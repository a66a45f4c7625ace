"""The registry's own keys over pseudonyms, one file per epoch, outside database and backups.

Invariants: a key file that others can read, or whose key is short or zero, stops the start; removing a file ends its
epoch here, from the next start on.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.rules.vocabulary import Pseudonym
from privacy.errors import PrivacyError
from privacy.keys import RegistryKey, parse_registry_key
from privacy.pseudonym import stored

KEY_FILES = "*.key"


class PseudonymKeys:
    """The keys in a directory; a file that is added later is found when its epoch is first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._keys = _read(directory)
        if not self._keys:
            raise UppropError(
                Code.CONFIG_INVALID,
                f"{directory} holds no key of an epoch ({KEY_FILES}). Make one: upprop registry keygen --epoch 1",
            )

    def has(self, epoch: int) -> bool:
        """Whether there is a key for an epoch that the descriptor names; looks for new files when there is not."""
        with self._lock:
            if epoch not in self._keys:
                self._keys = _read(self._directory)
            return epoch in self._keys

    def keyed(self, pseudonyms: Sequence[Pseudonym]) -> tuple[Pseudonym, ...]:
        """What is kept in place of these pseudonyms. Raises KeyError for an epoch without a key: ask `has` first."""
        keys = self._keys
        return tuple(
            replace(pseudonym, value=stored(keys[pseudonym.epoch], [pseudonym.value])[0]) for pseudonym in pseudonyms
        )


def _read(directory: Path) -> dict[int, RegistryKey]:
    keys: dict[int, RegistryKey] = {}
    for path in sorted(directory.glob(KEY_FILES)):
        try:
            key = parse_registry_key(read_secret(path))
        except PrivacyError as refused:
            raise UppropError(Code.CONFIG_INVALID, f"{path} is not a sound registry key. Restore it.") from refused
        if key.epoch in keys:
            raise UppropError(Code.CONFIG_INVALID, f"{directory} holds two keys of epoch {key.epoch}. Remove one.")
        keys[key.epoch] = key
    return keys
