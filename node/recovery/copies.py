"""Copies of a node's store, and a store made of a copy (`upprop node backup`, `upprop node restore`).

Invariants
    - As `federation.copying`; the record key is no part of a copy. A restored store asks the registry before it sends
      (`node.recovery.guard`).
    - The keys of case files are no part of a copy either. There is one copy of them at a time, written over the one
      before: what was shredded is opened by no copy that is kept.
    - No store is put in place whose case files cannot be opened, unless a person says that their keys are lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from federation import copying, files
from federation.clock import utc_now
from federation.database import Database
from federation.errors import Code, UppropError
from federation.lock import DaemonLock
from node.casework.journal.verifying import SEEN
from node.settings import DATABASE_NAME, NodeSettings, open_database, open_sealer
from node.store import Transaction, shredding
from node.store.case_keys import DIRECTORY, CaseKeys
from node.store.chain import Chain
from node.store.copying import NODE, newest_import, note_restored
from node.store.imports import Imports
from node.store.subjects import Subjects, everyone, scrub
from node.store.tasks import Tasks
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

    def __init__(self, database: Database, case_keys: CaseKeys) -> None:
        self._database, self._case_keys = database, case_keys

    def make(self, path: Path, report: Report, case_keys: Path | None = None) -> CopyReport:
        """Copy the store as it stands now into the new file `path`, while the node goes on.

        The keys of case files go into `case_keys`, in place of what stands there. Raises UppropError: CONFIG_INVALID
        where `path` exists or cannot be written, DIRECTORY_UNWRITABLE.
        """
        newest = copying.write(
            NODE, self._database, path, lambda done, total: report("backup", done, total), newest_import
        )
        if case_keys is not None:
            # After the store: whatever is sealed in the copy, its key was there by then.
            files.replace(case_keys, self._case_keys.copy(), mode=files.SECRET_MODE)
        return CopyReport(path, path.stat().st_size, newest)


@dataclass(frozen=True, slots=True)
class KeysOf:
    """Where the keys of a copy's case files are: in a copy of their own, in the data directory, or `lost`."""

    copy: Path | None = None
    lost: bool = False


def restore(
    settings: NodeSettings, path: Path, *, replace: bool, report: Report, case_keys: KeysOf | None = None
) -> date | None:
    """Make the store that the settings name out of a copy; returns the as-of of the newest import in it.

    The node must not run. Where keys of case files are lost, what was written in these is taken away and they are
    worked on under new ones. Raises UppropError: STORE_LOCKED while it runs; INPUT_REFUSED for what is no copy, where
    the store holds something and `replace` is not given, and where keys are missing that nobody says are lost;
    CONFIG_INVALID where the record key is another one; SCHEMA_NEWER for the copy of a newer version.
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
        _find_keys(settings, copy.database, case_keys or KeysOf())
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
        # What was seen of the journal since the copy was made is known to be gone.
        (settings.data_dir / SEEN).unlink(missing_ok=True)
        return None if newest is None else newest.as_of


def _erase_again(settings: NodeSettings, copy: Database) -> None:
    """Nobody who was erased comes back by a copy from before."""
    sealer = open_sealer(settings)
    tombstones, subjects, tasks = Tombstones(settings.data_dir, sealer), Subjects(sealer), Tasks(sealer)
    now = utc_now()

    def work(tx: Transaction) -> None:
        for pupil_id, handles in everyone(tx).items():
            if tombstones.has([pupil_id, *handles]):
                subjects.shred(tx, pupil_id, now)
        tasks.erase(tx, tombstones.among(tasks.residents(tx)))
        shredding.empty(tx, tombstones.among(shredding.kept(tx)), Chain(sealer), now)

    copy.run("node_erase_again", work)
    scrub(copy)


def _find_keys(settings: NodeSettings, copy: Database, given: KeysOf) -> None:
    sealer = open_sealer(settings)
    keys, tombstones = CaseKeys(settings.data_dir / DIRECTORY, sealer), Tombstones(settings.data_dir, sealer)
    if given.copy is not None:
        keys.take(files.read_secret(given.copy), tombstones.among)
    lost = copy.view("node_case_files_kept", shredding.kept) - keys.all()
    if not lost:
        return
    if not given.lost:
        raise UppropError(
            Code.INPUT_REFUSED,
            f"The keys of {len(lost)} case files of this copy are not here, and nobody could read or work these. Give "
            "the copy of the keys (--case-keys FILE). If there is none any more: --case-keys-lost takes away what was "
            "written in them, and they are worked on.",
        )
    for file_id in lost:
        keys.begin(file_id)
    now = utc_now()
    copy.run("node_case_keys_lost", lambda tx: shredding.lose(tx, lost, Chain(sealer), now))
    scrub(copy)
