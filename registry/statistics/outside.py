"""What was drawn and what was asked, noted outside the database: one that was set back does not draw it a second time.

Invariants
    - A name is noted once what it names is committed, by whoever did it, and by every replica at its next look. None
      is ever taken out, but by an operator who takes its line out of the file.
    - What is noted and stands in the database no more was shown to somebody: drawn anew, it would be a second look at
      the same children, which no budget has paid for.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

from federation import files
from federation.errors import Code, UppropError

NAME = "statistics.drawn"


class Outside:
    """Ids of releases, of spends on further questions and of their answers, one on a line. Safe in several threads.

    Without a data directory it lasts as long as the process.
    """

    def __init__(self, data_dir: Path | None = None) -> None:
        self._path = None if data_dir is None else data_dir / NAME
        self._lock = threading.Lock()
        self._noted: frozenset[str] | None = None

    def note(self, names: Collection[str]) -> None:
        """Put these names on the disk, where they are not."""
        with self._lock:
            noted = self._read()
            if noted.issuperset(names):
                return
            noted = noted.union(names)
            if self._path is not None:
                files.private_directory(self._path.parent)
                files.replace(self._path, "".join(f"{name}\n" for name in sorted(noted)).encode())
            self._noted = noted

    def noted(self) -> frozenset[str]:
        """All names. Ask for them before the database is looked at: what another thread notes meanwhile is in it."""
        with self._lock:
            return self._read()

    def refusal(self, release_id: str) -> str:
        """Why a release that was lost is not drawn, as a sentence for the operator."""
        return (
            f"{release_id} was drawn and shown before, and the database does not hold it: it was set back. Drawn anew "
            "it would tell more of the children than the budget pays for. Restore a copy that holds it. Where none is "
            f"left and the authority decides so, take its line out of {self._path or NAME}, start the registry again "
            "and publish."
        )

    def _read(self) -> frozenset[str]:
        if self._noted is None:
            try:
                text = "" if self._path is None else self._path.read_text()
            except FileNotFoundError:
                text = ""
            except (OSError, ValueError) as error:
                raise UppropError(
                    Code.CONFIG_INVALID, f"{self._path} cannot be read. See that the registry may read it."
                ) from error
            self._noted = frozenset(text.split())
        return self._noted
