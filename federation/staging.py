"""What a container does before its daemon starts: secrets and the certificate are put where the daemon takes them.

A platform mounts secrets as it likes: files of another user, readable by a group, behind symbolic links, in a
directory that cannot be written. `read_secret` takes nothing that others can read, and a certificate that is renewed by
itself has to stand where it can be written.

Invariants: a staged secret belongs to the user who runs and to nobody else, from its first byte on; a certificate that
was renewed since is never set back to the one that was mounted; run twice, it does the same.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from cryptography import x509

from federation import files
from federation.errors import Code, UppropError
from federation.tls import key_sha256

LARGEST_SECRET = 1 << 20
"""Bytes; no platform's secrets are larger."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def stage_secrets(source: Path, target: Path) -> int:
    """Copy each directory of secrets below `source` to the one of its name below `target`, and return how many files.

    What `target` held there before goes. Raises UppropError: SECRET_MISSING, DIRECTORY_UNWRITABLE.
    """
    try:
        mounted = sorted(each for each in source.iterdir() if each.is_dir() and not each.name.startswith("."))
    except OSError as error:
        raise UppropError(Code.SECRET_MISSING, f"The secrets {source} cannot be read: {error.strerror}.") from error
    staged = 0
    for directory in mounted:
        # A platform keeps versions of its own in directories that begin with two dots, and links to them.
        contents = {each.name: _read(each) for each in sorted(directory.iterdir()) if not each.name.startswith("..")}
        own = target / directory.name
        try:
            shutil.rmtree(own, ignore_errors=True)
            own.mkdir(mode=files.PRIVATE, parents=True)
            for name, content in contents.items():
                files.write_secret(own / name, content)
        except OSError as error:
            raise _unwritable(own, error) from error
        staged += len(contents)
    return staged


def seed_certificate(source: Path, target: Path) -> bool:
    """Copy the certificate `source` to `target` and return True, unless a later one of the same key stands there.

    Raises UppropError: CONFIG_INVALID where `source` holds none, DIRECTORY_UNWRITABLE.
    """
    mounted = _certificate(source)
    if mounted is None:
        raise UppropError(Code.CONFIG_INVALID, f"{source} does not hold a certificate (PEM).")
    standing = _certificate(target)
    if (
        standing is not None
        and key_sha256(standing) == key_sha256(mounted)
        and standing.not_valid_before_utc >= mounted.not_valid_before_utc
    ):
        return False
    try:
        target.parent.mkdir(mode=files.PRIVATE, parents=True, exist_ok=True)
        files.replace(target, source.read_bytes())
    except OSError as error:
        raise _unwritable(target.parent, error) from error
    return True


def make_private(directory: Path) -> int:
    """Take all access of group and others off a directory and what is in it, and return how much had any.

    A volume that is attached anew may get a group, which then can read every database and key below.
    """
    try:
        directory.mkdir(mode=files.PRIVATE, parents=True, exist_ok=True)
        changed = 0
        for place, _, names in os.walk(directory):
            for each in (Path(place), *(Path(place, name) for name in names)):
                mode = each.lstat().st_mode
                if mode & _OTHERS and not stat.S_ISLNK(mode):
                    each.chmod(stat.S_IMODE(mode) & files.PRIVATE)
                    changed += 1
    except OSError as error:
        raise _unwritable(directory, error) from error
    return changed


def _read(path: Path) -> bytes:
    try:
        # Links are a platform's way; what they lead to may be a pipe that never ends, or a file that grows.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UppropError(Code.SECRET_MISSING, f"The secret {path} is not a regular file.")
            content = file.read(LARGEST_SECRET + 1)
    except OSError as error:
        raise UppropError(Code.SECRET_MISSING, f"The secret {path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST_SECRET:
        raise UppropError(Code.SECRET_MISSING, f"The secret {path} is larger than any of ours.")
    return content


def _certificate(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError):
        return None


def _unwritable(directory: Path, error: OSError) -> UppropError:
    return UppropError(
        Code.DIRECTORY_UNWRITABLE,
        f"{directory} cannot be written: {error.strerror}. Mount a volume that the user {os.geteuid()} may write.",
    )
