"""Many keys at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

CHUNK = 500
"""Keys per IN list: SQLite takes 999 variables in its oldest supported form."""


def chunks(keys: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The keys without repetition, in lists short enough for one statement."""
    everything = list(dict.fromkeys(keys))
    for start in range(0, len(everything), CHUNK):
        yield everything[start : start + CHUNK]
