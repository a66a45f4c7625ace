"""Asking about many keys in few statements."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

CHUNK = 500
"""Keys per IN list: SQLite takes 999 variables in its oldest supported form."""

Key = TypeVar("Key", bound=Hashable)


def chunks(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """The keys without repetition, in lists short enough for one statement."""
    everything = list(dict.fromkeys(keys))
    for start in range(0, len(everything), CHUNK):
        yield everything[start : start + CHUNK]
