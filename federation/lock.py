"""One daemon per data directory: a file lock that ends with the process, however it ends.

Whoever holds the lock has also made sure that the directory is its own user's alone (mode 0700).
"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from federation import files
from federation.errors import Code, UppropError

LOCK_NAME = "daemon.lock"


class DaemonLock:
    """Holds `data_dir/daemon.lock` between `acquire` and `release`; a context manager too."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises UppropError: STORE_LOCKED where another process holds the lock, DIRECTORY_UNWRITABLE."""
        if self._descriptor is not None:
            raise RuntimeError("the lock is held already")
        directory = self._path.parent
        files.private_directory(directory)
        with files.writing(directory):
            if directory.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                # Databases, logs and the socket below are nobody else's business, whatever mode they are made with.
                directory.chmod(files.PRIVATE)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, files.SECRET_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise UppropError(
                Code.STORE_LOCKED,
                f"Another process works on {self._path.parent}. Stop it, or wait until its command has ended.",
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; the file stays, because removing it would let two processes lock two different files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> DaemonLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
