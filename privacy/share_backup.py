"""A share under a passphrase, to be kept apart from the evaluator that holds it.

AES-256-GCM under a key that scrypt derives from the passphrase (RFC 7914); the file's header is authenticated too.

Invariants: a passphrase has at least `MIN_PASSPHRASE` characters, for a backup can be tried against at leisure; nothing
of a share comes out of a file that was changed or opened with another passphrase.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from privacy.errors import PrivacyError, Reason
from privacy.group import RandomBytes
from privacy.key_file import read_fields
from privacy.keys import Share, parse_share, serialise_share

BACKUP_KIND = "upprop-share-backup-v1"
MIN_PASSPHRASE = 20
"""Characters: five random words, or as many random letters and digits."""

_SCRYPT_COST = 2**17
"""With r = 8: 128 MiB and a third of a second for each guess (OWASP's first recommendation for scrypt)."""
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_NUMBERS = ("epoch", "index", "version")


def sealed(share: Share, passphrase: bytes, random_bytes: RandomBytes) -> bytes:
    """The content of a backup file. Raises `PrivacyError` for a passphrase that is too short."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise PrivacyError(Reason.KEY_LENGTH, f"a passphrase for a share has at least {MIN_PASSPHRASE} characters")
    salt, nonce = random_bytes(_SALT_BYTES), random_bytes(_NONCE_BYTES)
    header = {"epoch": share.epoch, "index": share.index, "version": share.version}
    content = AESGCM(_key(passphrase, salt)).encrypt(nonce, serialise_share(share), _bound(header))
    numbers = "".join(f"{name} = {value}\n" for name, value in header.items())
    return (
        "# A share of an evaluator, encrypted. Keep the passphrase elsewhere.\n"
        f'kind = "{BACKUP_KIND}"\n{numbers}'
        f'salt = "{salt.hex()}"\nnonce = "{nonce.hex()}"\ncontent = "{content.hex()}"\n'
    ).encode()


def opened(content: bytes, passphrase: bytes) -> Share:
    """The share in a backup file. Raises `PrivacyError`: FILE_MALFORMED, PASSPHRASE_WRONG (or the file was changed)."""
    fields = read_fields(content, BACKUP_KIND, set(_NUMBERS), {"salt", "nonce", "content"})
    if (len(fields["salt"]), len(fields["nonce"])) != (_SALT_BYTES, _NONCE_BYTES):
        raise PrivacyError(Reason.FILE_MALFORMED, "salt or nonce of the backup has another length")
    header = {name: fields[name] for name in _NUMBERS}
    try:
        plain = AESGCM(_key(passphrase, fields["salt"])).decrypt(fields["nonce"], fields["content"], _bound(header))
    except InvalidTag as error:
        raise PrivacyError(
            Reason.PASSPHRASE_WRONG, "the backup does not open: the passphrase is another, or the file was changed"
        ) from error
    return parse_share(plain)


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=_KEY_BYTES, n=_SCRYPT_COST, r=8, p=1).derive(passphrase)


def _bound(header: dict[str, int]) -> bytes:
    return BACKUP_KIND.encode() + b"".join(header[name].to_bytes(4, "big") for name in _NUMBERS)
