"""Small files that must be whole or absent, and secrets that nobody else may read.

Invariants: a secret is read only when neither group nor others have any access to it; a file is replaced in one step
and is on the disk before the call returns; a directory that cannot be written is said to be so, by its name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from federation.errors import Code, UppropError

SECRET_MODE = 0o600
PRIVATE = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_secret(path: Path) -> bytes:
    """The bytes of a secret file.

    Raises UppropError: SECRET_MISSING where it is missing, unreadable or empty, SECRET_MODE where group or others have
    access. The mode is asked of the opened file, so that what was checked is what is read.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UppropError(Code.SECRET_MISSING, f"The secret {path} is not a regular file.")
            if status.st_mode & _OTHERS:
                raise UppropError(
                    Code.SECRET_MODE,
                    f"The secret {path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o}). "
                    f"Run: chmod 600 {path}",
                )
            content = file.read()
    except OSError as error:
        raise UppropError(Code.SECRET_MISSING, f"The secret {path} cannot be read: {error.strerror}.") from error
    if not content:
        raise UppropError(Code.SECRET_MISSING, f"The secret {path} is empty.")
    return content


def write_secret(path: Path, content: bytes) -> None:
    """Write a new secret (mode 0600), whole or not at all; an existing file is never overwritten (CONFIG_INVALID).

    Raises UppropError(DIRECTORY_UNWRITABLE).
    """
    try:
        with writing(path.parent):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, SECRET_MODE)
    except FileExistsError as error:
        raise UppropError(
            Code.CONFIG_INVALID, f"{path} exists already and is not overwritten; move it away first."
        ) from error
    try:
        with writing(path.parent):
            _write(descriptor, content, SECRET_MODE)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def destroy_secret(path: Path) -> None:
    """Overwrite a secret once and remove it; one that is not there stays so.

    What it cannot promise is told by `LEFT_BEHIND`.
    """
    try:
        with path.open("r+b") as file:
            file.write(bytes(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink()
    sync_directory(path.parent)


LEFT_BEHIND = (
    "The file was overwritten and removed. This does not reach copies and backups of it, snapshots, blocks that the "
    "file system or the disk keeps although they were overwritten, swap space, and the memory of processes that run. "
    "Destroy the backups that hold it, by whatever procedure yours have, and restart what had read it."
)
"""What to say after `destroy_secret`."""


def replace(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` in place of whatever `path` holds, in one step that survives a power cut.

    Raises UppropError(DIRECTORY_UNWRITABLE).
    """
    # A name that no other process or thread has, and that nobody can have put a link at.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    with writing(path.parent):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with writing(path.parent):
            _write(descriptor, content, mode)
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def private_directory(path: Path) -> None:
    """Make a directory that is its owner's alone, where there is none. Raises UppropError(DIRECTORY_UNWRITABLE)."""
    with writing(path):
        path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)


@contextlib.contextmanager
def writing(directory: Path) -> Iterator[None]:
    """What goes wrong inside is that `directory` cannot be written: UppropError(DIRECTORY_UNWRITABLE)."""
    try:
        yield
    except FileExistsError:
        if directory.is_dir():
            raise
        raise _unwritable(directory, "it is a file") from None
    except OSError as error:
        raise _unwritable(directory, error.strerror or type(error).__name__) from error


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """No other process, and no other thread of this one, is inside at once for the same directory."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unwritable(directory: Path, why: str) -> UppropError:
    return UppropError(
        Code.DIRECTORY_UNWRITABLE,
        f"{directory} cannot be written: {why}. Make it a directory that belongs to the user whom this runs as, on a "
        "disk that has room and is not mounted read-only.",
    )


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever the file does; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _write(descriptor: int, content: bytes, mode: int) -> None:
    with os.fdopen(descriptor, "wb") as file:
        # The process's umask may have taken bits away.
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """A file whose name is not on the disk is lost with the power, whatever it holds."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
