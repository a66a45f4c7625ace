"""A federation that was played once in this process and stands there anew for each test.

Playing some weeks takes ten times as long as copying what came of them.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from tests.integration.node_parties import Federation


class Played:
    """`play` opens a federation in a directory, plays, and closes it; what it leaves on disk is kept."""

    def __init__(self, directory: Path, play: Callable[[Path], AbstractContextManager[Federation]]) -> None:
        self._home, self._kept = directory / "federation", directory / "kept"
        with play(self._home) as federation:
            self._dev, self._members, self._today = federation.dev, tuple(federation.nodes), federation.clock.today()
        shutil.copytree(self._home, self._kept)

    @contextlib.contextmanager
    def anew(self) -> Iterator[Federation]:
        """The parties opened again as they were closed, on the last day that was played."""
        shutil.rmtree(self._home)
        shutil.copytree(self._kept, self._home)
        federation = Federation(self._home, self._members, self._today, dev=self._dev)
        try:
            federation.start()
            yield federation
        finally:
            federation.stop()
