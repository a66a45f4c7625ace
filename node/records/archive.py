"""The files of a delivery that comes as a directory or as a zip file; neither is trusted.

Invariants
    - Nothing is unpacked to disk, and a name inside an archive is only ever compared, never opened as a path.
    - Limits hold for what is actually read: what an archive says of its sizes is a claim.
    - A directory's files are opened only if they are regular files in it: no link leads elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from federation.errors import UppropError
from node.records.person import unreadable

MAX_ARCHIVE_BYTES = 1_000_000_000
MAX_MEMBERS = 100
"""OneRoster 1.2 knows 22 files."""
MAX_DIRECTORY_BYTES = 256 * 1024
"""Of a zip's list of members: a list of a hundred needs a tenth of it."""
MAX_FILE_BYTES = 1_000_000_000
MAX_TOTAL_BYTES = 2_000_000_000
"""A whole large city's delivery is some 200 MB: what is larger is none."""
MAX_RATIO = 200
"""Rosters shrink to a tenth or, where ids repeat, a fiftieth; deflate at its tightest makes a thousand of one."""
FREE_BYTES = 1_000_000
"""Up to so many bytes a file may shrink as it likes: a header and three rows prove nothing."""

ENCRYPTED = 0x1 | 0x40
"""Bits of a member's flags (APPNOTE.TXT 4.4.4): encryption, and strong encryption."""
COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

_END = b"PK\x05\x06"
_END_BYTES = 22
_END_64 = b"PK\x06\x07"
_LONGEST_COMMENT = 65_535
_PLAIN_NAME = re.compile(r"[^/\\:\x00-\x1f]+")

Seen = Callable[[int], None]
"""Called with the number of bytes read since it was last called."""


class _Source(Protocol):
    def names(self) -> frozenset[str]: ...
    def size(self, name: str) -> int: ...
    def open(self, name: str) -> tuple[BinaryIO, int]: ...
    def close(self) -> None: ...


class Archive:
    """The files named `wanted` of a directory or zip file. UppropError(EXPORT_UNREADABLE) where it breaks a rule."""

    def __init__(self, path: Path, wanted: Collection[str]) -> None:
        self._left = MAX_TOTAL_BYTES
        self._digests: dict[str, bytes] = {}
        try:
            self._source: _Source = _Directory(path, wanted) if path.is_dir() else _Zip(path)
        except OSError as error:
            raise unreadable(f"{path.name} cannot be read: {error.strerror}") from error
        self.names = self._source.names() & frozenset(wanted)

    def close(self) -> None:
        self._source.close()

    def size(self, name: str) -> int:
        """Bytes of the file, as far as the archive is to be believed; for progress alone."""
        return self._source.size(name)

    @property
    def digest(self) -> bytes:
        """SHA-256 over the names and contents of all files that were read to their end."""
        listed = (name.encode() + b"\0" + digest for name, digest in sorted(self._digests.items()))
        return hashlib.sha256(b"".join(listed)).digest()

    @contextmanager
    def open(self, name: str, seen: Seen) -> Iterator[BinaryIO]:
        """The file's bytes, from front to back."""
        try:
            source, limit = self._source.open(name)
            with source:
                reader = _Limited(source, min(limit, self._left), seen)
                yield io.BufferedReader(reader, 1 << 16)
        except OSError as error:
            raise unreadable(f"{name} cannot be read: {error.strerror}") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            # The library's words may hold a member's name.
            raise unreadable(f"{name} is damaged in the zip file") from error
        self._left -= reader.count
        self._digests[name] = reader.digest.digest()


class _Limited(io.RawIOBase):
    """Counts, digests and bounds what is read."""

    def __init__(self, source: BinaryIO, limit: int, seen: Seen) -> None:
        self._source = source
        self._limit = limit
        self._seen = seen
        self.count = 0
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._source.read(len(buffer))
        self.count += len(piece)
        if self.count > self._limit:
            raise unreadable("The delivery grows beyond all measure as it is unpacked: it is no roster")
        self.digest.update(piece)
        self._seen(len(piece))
        buffer[: len(piece)] = piece
        return len(piece)


class _Directory:
    def __init__(self, path: Path, wanted: Collection[str]) -> None:
        self._path = path
        self._sizes: dict[str, int] = {}
        for name in wanted:
            try:
                found = (path / name).lstat()
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(found.st_mode):
                raise unreadable(f"{name} is not a plain file: links and devices are not followed")
            self._sizes[name] = found.st_size

    def names(self) -> frozenset[str]:
        return frozenset(self._sizes)

    def size(self, name: str) -> int:
        return self._sizes[name]

    def open(self, name: str) -> tuple[BinaryIO, int]:
        # Between the look above and now a link or a pipe may have taken the file's place.
        descriptor = os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        stream = os.fdopen(descriptor, "rb")
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            stream.close()
            raise unreadable(f"{name} is not a plain file: links and devices are not followed")
        return stream, MAX_FILE_BYTES

    def close(self) -> None:
        pass


class _Zip:
    def __init__(self, path: Path) -> None:
        stream = path.open("rb")
        try:
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_ARCHIVE_BYTES:
                raise unreadable("The zip file is too large to be a roster")
            _check_end(stream, size)
            self._file = zipfile.ZipFile(stream)
            self._members = _checked(self._file.infolist(), size)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            stream.close()
            raise unreadable(f"{path.name} is neither a directory nor a whole zip file") from error
        except UppropError:
            stream.close()
            raise
        self._stream = stream

    def names(self) -> frozenset[str]:
        return frozenset(self._members)

    def size(self, name: str) -> int:
        return self._members[name].file_size

    def open(self, name: str) -> tuple[BinaryIO, int]:
        member = self._members[name]
        limit = max(FREE_BYTES, member.compress_size * MAX_RATIO)
        return self._file.open(member), min(limit, MAX_FILE_BYTES)  # type: ignore[return-value]

    def close(self) -> None:
        self._file.close()
        self._stream.close()


def _check_end(stream: BinaryIO, size: int) -> None:
    """Bound the list of members before the library reads it whole; it stands at the end of the file."""
    stream.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT))
    tail = stream.read()
    # Where the library looks, in its order: without a comment, then wherever the mark stands last.
    bare = len(tail) - _END_BYTES
    at = bare if tail[bare:].startswith(_END) and tail.endswith(b"\0\0") else tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise zipfile.BadZipFile
    if tail[max(0, at - 20) : at].startswith(_END_64):
        raise unreadable("The zip file has the form for archives of over 4 GB, which no roster needs")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > MAX_DIRECTORY_BYTES:
        raise unreadable(f"The zip file holds more than {MAX_MEMBERS} files")


def _checked(members: list[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    """Every member, by name. One that breaks a rule condemns the archive, whether it is wanted or not."""
    if len(members) > MAX_MEMBERS:
        raise unreadable(f"The zip file holds more than {MAX_MEMBERS} files")
    known: dict[str, zipfile.ZipInfo] = {}
    folded: set[str] = set()
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        # The library shortens a name at a NUL and turns separators; the name as written is what counts.
        name = member.orig_filename
        if not _PLAIN_NAME.fullmatch(name) or name in (".", ".."):
            raise unreadable(
                "The zip file holds a folder, or a file named like a path: its files must stand at the top, not in a "
                "folder"
            )
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise unreadable("The zip file holds a link, or something else that is no plain file")
        if name.casefold() in folded:
            raise unreadable("The zip file holds two files of the same name")
        if member.flag_bits & ENCRYPTED:
            raise unreadable("The zip file is encrypted; it must come without a password")
        if member.compress_type not in COMPRESSIONS:
            raise unreadable("The zip file is compressed in a way that is not read here; use plain zip (deflate)")
        if member.header_offset < end:
            raise unreadable("The zip file's members overlap: it was made to deceive")
        end = member.header_offset + member.compress_size
        folded.add(name.casefold())
        known[name] = member
    if end > size:
        raise unreadable("The zip file is cut off")
    return known
