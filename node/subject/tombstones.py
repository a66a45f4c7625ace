"""Whom and what to erase again from a restored copy: a file beside the store, which no copy of the store is made of.

A line for every pupil who was erased, for every resident child who was, and for every case file that was shredded:
keyed digests (HMAC under the record key) of the store's own random names, of a pupil its id and handles. It names
nobody, cannot be tested by a number, and a child who comes back is a new pupil under new names, whom it does not touch.

Invariant: the line is on the disk before a row of the pupil, or the key of the case file, goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from federation import files
from node.store.sealing import Sealer

NAME = "erased"
Name = TypeVar("Name", bound=bytes)
_MODE = 0o600


class Tombstones:
    """The tombstones in a data directory."""

    def __init__(self, data_dir: Path, sealer: Sealer) -> None:
        self._path, self._sealer = data_dir / NAME, sealer

    def add(self, names: Iterable[bytes]) -> None:
        """Names that no copy may bring back. Twice is once."""
        kept = self._read()
        new = kept | {self._mark(name) for name in names}
        if new != kept:
            files.replace(self._path, "".join(f"{mark}\n" for mark in sorted(new)).encode(), mode=_MODE)

    def among(self, names: Iterable[Name]) -> list[Name]:
        """Those of the names that no copy may bring back."""
        kept = self._read()
        return [name for name in names if self._mark(name) in kept]

    def has(self, names: Iterable[bytes]) -> bool:
        """Whether any of these names is of somebody who was erased."""
        return not self._read().isdisjoint(map(self._mark, names))

    def _mark(self, name: bytes) -> str:
        return self._sealer.index("erased", name).hex()

    def _read(self) -> set[str]:
        return set(self._path.read_text(encoding="ascii").split()) if self._path.exists() else set()
