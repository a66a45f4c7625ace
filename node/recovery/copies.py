"""Copies of a node's store, and a store made of a copy (`upprop node backup`, `upprop node restore`).

Invariants: as `federation.copying`; the record key is no part of a copy. A restored store asks the registry before it
sends (`node.recovery.guard`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from federation import copying
from federation.database import Database
from federation.errors import Code, UppropError
from federation.lock import DaemonLock
from node.settings import DATABASE_NAME, NodeSettings, open_database, open_sealer
from node.store import Transaction
from node.store.copying import NODE, newest_import, note_restored
from node.store.imports import Imports
from node.store.subjects import Subjects, everyone, scrub
from node.subject.tombstones import Tombstones

Report = Callable[[str, int, int], None]
"""Called with (step, done, total)."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """A copy: where, of how many bytes, and the as-of of the newest import in it."""

    path: Path
    size: int
    newest_import: date | None


class Copies:
    """Copies the store of a running node."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, path: Path, report: Report) -> CopyReport:
        """Copy the store as it stands now into the new file `path`, while the node goes on.

        Raises UppropError(CONFIG_INVALID) where the file exists or cannot be written.
        """
        newest = copying.write(
            NODE, self._database, path, lambda done, total: report("backup", done, total), newest_import
        )
        return CopyReport(path, path.stat().st_size, newest)


def restore(settings: NodeSettings, path: Path, *, replace: bool, report: Report) -> date | None:
    """Make the store that the settings name out of a copy; returns the as-of of the newest import in it.

    The node must not run. Raises UppropError: STORE_LOCKED while it does; INPUT_REFUSED for what is no copy, or where
    the store holds something and `replace` is not given; CONFIG_INVALID where the record key is another one;
    SCHEMA_NEWER for the copy of a newer version.
    """
    with DaemonLock(settings.data_dir), copying.working(NODE, path, settings.data_dir) as copy:
        with copy.database.transaction("node_restored") as tx:
            note_restored(tx)
        imports = Imports(open_sealer(settings))
        if not copy.database.run("node_key_check", imports.check_key):
            raise UppropError(
                Code.CONFIG_INVALID,
                f"The record key {settings.record_key} is not the one this copy was made under. Restore that.",
            )
        _erase_again(settings, copy.database)
        newest = copy.database.view("node_newest", imports.newest)
        if settings.database_url_file is None:
            copying.into_file(NODE, copy, settings.data_dir / DATABASE_NAME, replace=replace)
        else:
            database = open_database(settings)
            try:
                copying.into_database(
                    NODE,
                    copy.database,
                    database,
                    replace=replace,
                    progress=lambda done, total: report("restore", done, total),
                )
            finally:
                database.close()
        return None if newest is None else newest.as_of


def _erase_again(settings: NodeSettings, copy: Database) -> None:
    """Nobody who was erased comes back by a copy from before."""
    sealer = open_sealer(settings)
    tombstones, subjects = Tombstones(settings.data_dir, sealer), Subjects(sealer)

    def work(tx: Transaction) -> None:
        for pupil_id, handles in everyone(tx).items():
            if tombstones.has([pupil_id, *handles]):
                subjects.shred(tx, pupil_id)

    copy.run("node_erase_again", work)
    scrub(copy)
