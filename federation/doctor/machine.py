"""Secrets, the data directory and its disk. Whether something can be written is asked, not tried."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from federation import control
from federation.doctor.findings import Finding, Says, Topic, failed, refused, warning, well
from federation.errors import Code, UppropError
from federation.files import PRIVATE, read_secret

LEAST_FREE_BYTES = 1 << 30
LEAST_FREE_SHARE = 0.05
"""Less than either is short: a store that is copied while it is brought up to date takes its own size once more."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def secrets(paths: Sequence[Path]) -> Iterator[Finding]:
    """Whether the secret files that the settings name are there and nobody else's to read."""
    safe = 0
    for path in paths:
        try:
            read_secret(path)
        except UppropError as error:
            yield refused(Topic.SECRET, error, path.name)
        else:
            safe += 1
    if safe == len(paths):
        yield well(Topic.SECRET, Says.SECRET_SAFE, count=safe)


def data_directory(directory: Path, role: str | None) -> Iterator[Finding]:
    """`role` is of a party that keeps a store there, made by `upprop <role> migrate`."""
    if not directory.is_dir():
        place = next(each for each in (directory, *directory.parents) if os.path.lexists(each))
        if directory.exists() or not place.is_dir() or not _writable(place):
            yield _unwritable(directory)
        elif role is None:
            yield well(Topic.DIRECTORY, Says.DIRECTORY_TO_COME, path=directory)
        else:
            yield warning(Topic.DIRECTORY, Says.DIRECTORY_ABSENT, path=directory, role=role)
        return
    if not _writable(directory):
        yield _unwritable(directory)
    elif (mode := stat.S_IMODE(directory.stat().st_mode)) & ~PRIVATE:
        yield warning(Topic.DIRECTORY, Says.DIRECTORY_OPEN, path=directory, mode=f"{mode:04o}")
    else:
        yield well(Topic.DIRECTORY, Says.DIRECTORY_WRITABLE, path=directory)


def daemon(directory: Path, role: str | None) -> Iterator[Finding]:
    if role is None:
        return
    if control.answers(directory):
        yield well(Topic.DAEMON, Says.DAEMON_RUNS)
    else:
        yield well(Topic.DAEMON, Says.DAEMON_RESTS, role=role)


def disk(directory: Path) -> Iterator[Finding]:
    place = next(each for each in (directory, *directory.parents) if each.is_dir())
    usage = shutil.disk_usage(place)
    told = {"free": _bytes(usage.free), "size": _bytes(usage.total)}
    if usage.free < LEAST_FREE_BYTES or usage.free < LEAST_FREE_SHARE * usage.total:
        yield warning(Topic.DISK, Says.DISK_SHORT, **told)
    else:
        yield well(Topic.DISK, Says.DISK_ROOM, **told)


def _writable(directory: Path) -> bool:
    return os.access(directory, os.W_OK | os.X_OK) and not os.statvfs(directory).f_flag & os.ST_RDONLY


def _unwritable(directory: Path) -> Finding:
    return failed(Topic.DIRECTORY, Code.DIRECTORY_UNWRITABLE, Says.DIRECTORY_UNWRITABLE, path=directory)


def _bytes(number: float) -> str:
    for unit in _UNITS[:-1]:
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} {_UNITS[-1]}"
