"""Copies of a node's store, and a store made of a copy (`upprop node backup`, `upprop node restore`).

Invariants: a copy is whole or absent, for its owner's eyes alone (mode 0600), and never written over anything; the
record key is no part of it. A restored store asks the registry before it sends (`node.recovery.guard`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from federation.database import Database
from federation.errors import Code, UppropError
from federation.files import SECRET_MODE
from federation.lock import DaemonLock
from federation.migration import migrate
from node.settings import DATABASE_NAME, STORE_PACKAGE, NodeSettings, open_database, open_sealer
from node.store import copying
from node.store.imports import Imports

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
        with _new_file(path) as temporary:
            newest = copying.write_copy(self._database, temporary, lambda done, total: report("backup", done, total))
        return CopyReport(path, path.stat().st_size, newest)


def restore(settings: NodeSettings, path: Path, *, replace: bool, report: Report) -> date | None:
    """Make the store that the settings name out of a copy; returns the as-of of the newest import in it.

    The node must not run. Raises UppropError: STORE_LOCKED while it does; INPUT_REFUSED for what is no copy, or where
    the store holds something and `replace` is not given; CONFIG_INVALID where the record key is another one;
    SCHEMA_NEWER for the copy of a newer version.
    """
    with DaemonLock(settings.data_dir):
        working = settings.data_dir / f".restore.{os.getpid()}"
        try:
            _fetch(path, working)
            copy = Database(working)
            try:
                copying.prepare(copy, path)
                imports = Imports(open_sealer(settings))
                if not copy.run("node_key_check", imports.check_key):
                    raise UppropError(
                        Code.CONFIG_INVALID,
                        f"The record key {settings.record_key} is not the one this copy was made under. Restore that.",
                    )
                newest = copy.view("node_newest", imports.newest)
                if settings.database_url_file is not None:
                    _into_database(settings, copy, replace=replace, report=report)
            finally:
                copy.close()
            if settings.database_url_file is None:
                _into_file(settings, working, replace=replace)
        finally:
            for leftover in settings.data_dir.glob(f"{working.name}*"):
                leftover.unlink()
        return None if newest is None else newest.as_of


def _fetch(path: Path, working: Path) -> None:
    """A working copy of the copy, which itself is never written to."""
    descriptor = os.open(working, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET_MODE)
    try:
        with path.open("rb") as source, os.fdopen(descriptor, "wb") as target:
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path} cannot be read: {error.strerror}.") from error
    copying.make_whole(working)


def _into_database(settings: NodeSettings, copy: Database, *, replace: bool, report: Report) -> None:
    database = open_database(settings)
    try:
        if copying.holds_something(database) and not replace:
            raise _holds_something()
        migrate(database, STORE_PACKAGE)
        copying.load_copy(copy, database, lambda done, total: report("restore", done, total))
    finally:
        database.close()


def _into_file(settings: NodeSettings, working: Path, *, replace: bool) -> None:
    """One file takes the place of another. In between there is none: a restore that ends there is run again."""
    store = settings.data_dir / DATABASE_NAME
    if not replace and _file_holds_something(store):
        raise _holds_something()
    copying.make_whole(working)
    # The old log first: SQLite would play it over the new file.
    for old in (store, *(store.with_name(f"{DATABASE_NAME}-{log}") for log in ("wal", "shm"))):
        old.unlink(missing_ok=True)
    working.replace(store)
    _sync(settings.data_dir)


def _file_holds_something(store: Path) -> bool:
    if not store.exists():
        return False
    database = Database(store)
    try:
        return copying.holds_something(database)
    except Exception:  # noqa: BLE001 - whatever it is that cannot be read, it may hold something
        return True
    finally:
        database.close()


def _holds_something() -> UppropError:
    return UppropError(
        Code.INPUT_REFUSED,
        "The store holds something already, or cannot be read. Nothing was changed. To put the copy in its place: "
        "--replace",
    )


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """A file beside `path` to be written, which takes the name `path` when all of it is on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        # Taken at once, so that nothing that comes there meanwhile is written over.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, SECRET_MODE))
    except FileExistsError as error:
        raise UppropError(
            Code.CONFIG_INVALID, f"{path} exists already and is not overwritten. Choose a new name."
        ) from error
    except OSError as error:
        raise UppropError(Code.CONFIG_INVALID, f"{path} cannot be written: {error.strerror}.") from error
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE))
        yield temporary
        temporary.replace(path)
        _sync(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        for leftover in path.parent.glob(f"{temporary.name}*"):
            leftover.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
