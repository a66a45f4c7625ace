"""Checkpoints of the ledger: signed notes of C2SP tlog-checkpoint, co-signed as C2SP tlog-cosignature v1 has it.

    upprop/ledger
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — upprop/ledger Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
    — upprop/evaluator/1 …

Invariants
    - Nothing of a note is believed before the ledger's own signature over it holds; verification raises and says which
      flaw it found.
    - One text has one meaning: no leading zeros, no unpadded or non-canonical base64, no extension lines, no byte after
      the last signature.
    - A signature by a key nobody asked about is skipped (the format grows that way); one that bears the name and id of
      a key asked about and does not hold refuses the whole note.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation.descriptor_file import Evaluator
from federation.errors import Code, UppropError
from federation.rules.merkle import HASH_BYTES, MAX_SIZE

ORIGIN = "upprop/ledger"
"""The log's name and that of its key. Federations differ by the key, which each descriptor lists."""

MAX_NOTE_BYTES = 16 * 1024
"""Some eighty witnesses."""

_DASH = "\N{EM DASH} "
_ED25519 = 0x01
_COSIGNATURE = 0x04
_KEY_ID_BYTES = 4
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8


class CheckpointFlaw(enum.StrEnum):
    """Why a checkpoint is refused."""

    NOT_A_NOTE = "it is no signed note"
    OTHER_ORIGIN = "it is of another log"
    MALFORMED_SIZE = "its tree size is not a plain decimal number"
    MALFORMED_ROOT = "its root is not the base64 of 32 bytes"
    EXTENDED = "it has lines that are not known here"
    MALFORMED_SIGNATURE = "a signature line is not readable"
    UNSIGNED = "it has no signature of the ledger"
    OTHER_KEY = "it is signed with another key than the descriptor lists"
    SIGNATURE_WRONG = "its signature does not fit"
    COSIGNATURE_WRONG = "a witness's signature does not fit"


class CheckpointError(UppropError):
    """A checkpoint that is refused (LEDGER_CHECKPOINT_REFUSED)."""

    def __init__(self, flaw: CheckpointFlaw) -> None:
        super().__init__(
            Code.LEDGER_CHECKPOINT_REFUSED,
            f"The ledger's checkpoint is refused: {flaw.value}. Keep it as evidence and tell the authority.",
        )
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a ledger: how many leaves, and the root over them (32 bytes)."""

    size: int
    root: bytes
    origin: str = ORIGIN

    @property
    def text(self) -> str:
        """The note's text, which is what is signed; ends in a newline."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class _Line(NamedTuple):
    """One signature line, taken apart."""

    name: str
    key_id: bytes
    signature: bytes


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey, name: str = ORIGIN) -> bytes:
    """The note with the ledger's signature; `name` is that of the key, by the format the origin."""
    text = checkpoint.text
    key_id = _key_id(name, _ED25519, key.public_key().public_bytes_raw())
    return f"{text}\n".encode() + _line(name, key_id, key.sign(text.encode()))


def verify(note: bytes, public_key: bytes, name: str = ORIGIN) -> Checkpoint:
    """The checkpoint that the key (raw Ed25519) of that name signed. Raises CheckpointError. In this order:

    1. the note is of the format,
    2. the ledger signed it with the key asked for (UNSIGNED, OTHER_KEY, SIGNATURE_WRONG),
    3. its text is a checkpoint of that origin, in the one form there is.
    """
    text, lines = _split(note)
    named = [line for line in lines if line.name == name]
    if not named:
        raise CheckpointError(CheckpointFlaw.UNSIGNED)
    key_id = _key_id(name, _ED25519, public_key)
    own = [line for line in named if line.key_id == key_id]
    if not own:
        raise CheckpointError(CheckpointFlaw.OTHER_KEY)
    for line in own:
        _check(public_key, line.signature, text.encode(), CheckpointFlaw.SIGNATURE_WRONG)
    return _parse(text, name)


def cosigner_name(index: int) -> str:
    """The name of the key with which an evaluator co-signs as a witness."""
    return f"upprop/evaluator/{index}"


def cosign(note: bytes, index: int, signing_key: Ed25519PrivateKey, at: datetime) -> bytes:
    """Evaluator `index`'s signature line over the note's text at the instant `at`, to the second; ends in a newline.

    The caller has verified the note, and that it continues what was co-signed before.
    """
    text, _ = _split(note)
    seconds = int(at.timestamp())
    name = cosigner_name(index)
    signature = signing_key.sign(_cosigned(text, seconds))
    key_id = _key_id(name, _COSIGNATURE, signing_key.public_key().public_bytes_raw())
    return _line(name, key_id, seconds.to_bytes(_TIME_BYTES, "big") + signature)


def with_cosignatures(note: bytes, lines: Iterable[bytes]) -> bytes:
    """The note with further signature lines."""
    return note + b"".join(lines)


def verify_cosignatures(note: bytes, evaluators: Iterable[Evaluator]) -> dict[int, datetime]:
    """When each of these evaluators co-signed the note; those that did not are absent.

    The caller has verified the note itself. Raises CheckpointError for a co-signature that does not hold.
    """
    text, lines = _split(note)
    found: dict[int, datetime] = {}
    for each in evaluators:
        name = cosigner_name(each.index)
        key_id = _key_id(name, _COSIGNATURE, each.signing_key)
        for line in lines:
            if (line.name, line.key_id) != (name, key_id):
                continue
            seconds = int.from_bytes(line.signature[:_TIME_BYTES], "big")
            signature = line.signature[_TIME_BYTES:]
            _check(each.signing_key, signature, _cosigned(text, seconds), CheckpointFlaw.COSIGNATURE_WRONG)
            try:
                found[each.index] = datetime.fromtimestamp(seconds, UTC)
            except (OverflowError, ValueError, OSError) as error:
                raise CheckpointError(CheckpointFlaw.COSIGNATURE_WRONG) from error
    return found


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public_key).digest()[:_KEY_ID_BYTES]


def _line(name: str, key_id: bytes, signature: bytes) -> bytes:
    return f"{_DASH}{name} {base64.b64encode(key_id + signature).decode()}\n".encode()


def _check(public_key: bytes, signature: bytes, message: bytes, flaw: CheckpointFlaw) -> None:
    if len(signature) != _SIGNATURE_BYTES:
        raise CheckpointError(flaw)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature as error:
        raise CheckpointError(flaw) from error


def _split(note: bytes) -> tuple[str, list[_Line]]:
    """The note's text and its signature lines."""
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(CheckpointFlaw.NOT_A_NOTE) from error
    text, separator, signatures = whole.rpartition("\n\n")
    if len(note) > MAX_NOTE_BYTES or not separator or not signatures.endswith("\n"):
        raise CheckpointError(CheckpointFlaw.NOT_A_NOTE)
    return text + "\n", list(_lines(signatures))


def _lines(signatures: str) -> Iterator[_Line]:
    for line in signatures[:-1].split("\n"):
        name, separator, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not separator or not name:
            raise CheckpointError(CheckpointFlaw.MALFORMED_SIGNATURE)
        content = _decode(encoded, CheckpointFlaw.MALFORMED_SIGNATURE)
        if len(content) <= _KEY_ID_BYTES:
            raise CheckpointError(CheckpointFlaw.MALFORMED_SIGNATURE)
        yield _Line(name, content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:])


def _parse(text: str, origin: str) -> Checkpoint:
    stated, *rest = text[:-1].split("\n")
    if stated != origin:
        raise CheckpointError(CheckpointFlaw.OTHER_ORIGIN)
    if len(rest) > 2:
        raise CheckpointError(CheckpointFlaw.EXTENDED)
    if len(rest) < 2:
        raise CheckpointError(CheckpointFlaw.NOT_A_NOTE)
    size, encoded = rest
    if not (size.isascii() and size.isdigit()) or len(size) > len(str(MAX_SIZE)) or str(int(size)) != size:
        raise CheckpointError(CheckpointFlaw.MALFORMED_SIZE)
    if int(size) > MAX_SIZE:
        raise CheckpointError(CheckpointFlaw.MALFORMED_SIZE)
    root = _decode(encoded, CheckpointFlaw.MALFORMED_ROOT)
    if len(root) != HASH_BYTES:
        raise CheckpointError(CheckpointFlaw.MALFORMED_ROOT)
    return Checkpoint(int(size), root, stated)


def _decode(encoded: str, flaw: CheckpointFlaw) -> bytes:
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointError(flaw) from error
    # Bits left over after the last byte could be set: two texts of one meaning.
    if base64.b64encode(content).decode() != encoded:
        raise CheckpointError(flaw)
    return content
