"""The key of each case file: what is sealed of a case file opens under it alone.

One file a case file in a directory of its own: 32 random bytes, sealed under the record key and bound to the case file.

Invariants
    - The directory is no part of the store nor of its copies: once a key is destroyed, no copy of the store, old or
      new, opens what was sealed under it.
    - A key is on the disk before anything sealed under it is written.
    - A key that is gone raises; it is never made anew for a case file that had one, but when a person says that it is
      lost (`node.recovery.copies`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from federation import files
from federation.errors import Code, UppropError
from node.casework.files.model import FileId
from node.store.sealing import RECORD_KEY_BYTES, Sealer, SealError

DIRECTORY = "case-keys"
KEY_BYTES = RECORD_KEY_BYTES

_FIRST_LINE = "upprop-case-keys/1"
_TABLE, _COLUMN = "case-keys", "key"


class CaseShreddedError(Exception):
    """The key of this case file is gone: what was sealed under it is gone too. Names no case file."""


class CaseKeys:
    """The keys in one directory. Safe to use from several threads and processes."""

    def __init__(self, directory: Path, sealer: Sealer) -> None:
        self._directory, self._sealer = directory, sealer

    def __repr__(self) -> str:
        return "CaseKeys()"

    def begin(self, file_id: FileId) -> None:
        """Make the key of a new case file durable; one that is there stays.

        Raises UppropError(DIRECTORY_UNWRITABLE).
        """
        path = self._path(file_id)
        if path.exists():
            return
        files.private_directory(self._directory)
        with files.alone(self._directory):
            if not path.exists():
                sealed = self._sealer.seal(_TABLE, file_id, _COLUMN, secrets.token_bytes(KEY_BYTES))
                files.replace(path, sealed, mode=files.SECRET_MODE)

    def known(self, file_id: FileId) -> bool:
        """Whether the key is there."""
        return self._path(file_id).exists()

    def all(self) -> frozenset[FileId]:
        """The case files whose keys are there."""
        if not self._directory.is_dir():
            return frozenset()
        names = (path.name for path in self._directory.iterdir() if not path.name.startswith("."))
        return frozenset(FileId(bytes.fromhex(name)) for name in names)

    def seal(self, file_id: FileId, table: str, row: bytes, column: str, plain: bytes) -> bytes:
        """Encrypt `plain` for one place of the store. Raises CaseShreddedError without a key."""
        return self._of(file_id).seal(table, row, column, plain)

    def open(self, file_id: FileId, table: str, row: bytes, column: str, sealed: bytes) -> bytes:
        """Decrypt a value of `seal`. Raises CaseShreddedError without a key, SealError where it does not fit."""
        return self._of(file_id).open(table, row, column, sealed)

    def index(self, file_id: FileId, purpose: str, value: bytes) -> bytes:
        """A keyed digest under the case file's key, 32 bytes. Raises CaseShreddedError without a key."""
        return self._of(file_id).index(purpose, value)

    def destroy(self, file_id: FileId) -> None:
        """Overwrite the key and remove it; one that is not there stays so."""
        files.destroy_secret(self._path(file_id))

    # -- copies -----------------------------------------------------------------------------------------------------

    def copy(self) -> bytes:
        """All keys, sealed as they are: what is written as the one copy of them, in place of the one before."""
        lines = [_FIRST_LINE]
        for file_id in sorted(self.all()):
            try:
                lines.append(f"{file_id.hex()} {files.read_secret(self._path(file_id)).hex()}")
            except UppropError:
                if self.known(file_id):
                    raise
                # Destroyed since the directory was read.
        return "".join(f"{line}\n" for line in lines).encode()

    def take(self, copy: bytes, leave: Callable[[Iterable[FileId]], Collection[FileId]]) -> int:
        """Take keys out of a copy, but those that are here and those that `leave` names; returns how many.

        Raises UppropError(INPUT_REFUSED) for what is no such copy or was made under another record key.
        """
        try:
            keys = dict(map(_key_of, _lines(copy)))
            for file_id, sealed in keys.items():
                Sealer(self._sealer.open(_TABLE, file_id, _COLUMN, sealed))
        except (ValueError, SealError):
            raise UppropError(
                Code.INPUT_REFUSED,
                "This is no copy of the keys of case files, or was made under another record key. Choose what upprop "
                "node backup --case-keys made, and the record key of that time.",
            ) from None
        missing = keys.keys() - self.all() - set(leave(keys))
        files.private_directory(self._directory)
        for file_id in missing:
            files.replace(self._path(file_id), keys[file_id], mode=files.SECRET_MODE)
        return len(missing)

    def _of(self, file_id: FileId) -> Sealer:
        path = self._path(file_id)
        if not path.exists():
            raise CaseShreddedError
        try:
            return Sealer(self._sealer.open(_TABLE, file_id, _COLUMN, files.read_secret(path)))
        except ValueError:
            raise SealError("the key of a case file is damaged") from None

    def _path(self, file_id: FileId) -> Path:
        return self._directory / file_id.hex()


def _lines(copy: bytes) -> list[str]:
    first, *lines = copy.decode("ascii").splitlines()
    if first != _FIRST_LINE:
        raise ValueError("not the first line of such a copy")
    return lines


def _key_of(line: str) -> tuple[FileId, bytes]:
    name, _, sealed = line.partition(" ")
    return FileId(bytes.fromhex(name)), bytes.fromhex(sealed)
