"""Flaws of the journal of which a person has said that everybody concerned knows: named for ever, no alarm any more.

Kept in a file beside the store, sealed under the record key. Known is a flaw of a row as that stands: touched once more
it is new. A file that does not open knows none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import msgspec

from federation import files
from node.casework.journal.model import Flaw, FlawKind
from node.store import Transaction
from node.store.chain import end_rows, rows_at
from node.store.sealing import Sealer, SealError

KNOWN = "journal.known"


class KnownFlaw(msgspec.Struct, frozen=True):
    """`mark` stands for the row as it was when `by` said it, on the day `on`."""

    position: int
    what: str
    mark: bytes
    by: str
    on: date


class KnownFlaws:
    """The flaws that are known."""

    def __init__(self, sealer: Sealer, data_dir: Path) -> None:
        self._sealer, self._path = sealer, data_dir / KNOWN

    def of(self, tx: Transaction, flaws: Iterable[Flaw]) -> Mapping[Flaw, KnownFlaw]:
        """Those of these flaws that are known."""
        known = {(each.position, each.what, each.mark): each for each in self._all()}
        if not known:
            return {}
        found = ((flaw, known.get((flaw.position, flaw.what.value, _mark(tx, flaw)))) for flaw in flaws)
        return {flaw: each for flaw, each in found if each is not None}

    def note(self, tx: Transaction, flaws: Iterable[Flaw], by: str, on: date) -> None:
        """These are known from now on, beside those that are."""
        new = [KnownFlaw(flaw.position, flaw.what.value, _mark(tx, flaw), by, on) for flaw in flaws]
        content = msgspec.json.encode([*self._all(), *new])
        files.replace(self._path, self._sealer.seal(*_PLACE, content), mode=files.SECRET_MODE)

    def _all(self) -> list[KnownFlaw]:
        if not self._path.exists():
            return []
        try:
            return msgspec.json.decode(self._sealer.open(*_PLACE, self._path.read_bytes()), type=list[KnownFlaw])
        except SealError:
            return []


def _mark(tx: Transaction, flaw: Flaw) -> bytes:
    """Stands for what the flaw is about as it is now: the row, or the end of the journal."""
    if flaw.what is FlawKind.END:
        rows = end_rows(tx)
    else:
        rows = [row for _, row in rows_at(tx, [flaw.position]) if row is not None]
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).digest()


_PLACE = ("journal", b"known", "flaws")
