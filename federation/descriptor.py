"""The federation descriptor: who belongs, who serves, which keys count. The one root of trust.

One TOML file (`descriptor_file`). Its last line is the comment `# upprop-signature: <base64>`, the authority's Ed25519
signature over every byte before that line. Invariants: nothing of a file is parsed before its signature has been
verified; a descriptor that is unsigned, expired or older than the last seen is refused, each with its own code; every
epoch in it is signed by all evaluators. What a running party has in force is `descriptor_store`'s.
"""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from federation.descriptor_file import (
    Epoch,
    Evaluator,
    File,
    InvalidDescriptorError,
    Member,
    Reader,
    Registry,
    check,
    parse_file,
    serialise_file,
    sign_epoch,
)
from federation.errors import Code, UppropError
from federation.identity import Identity, Kind
from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import MemberId, Policy

__all__ = [
    "Descriptor",
    "Epoch",
    "Evaluator",
    "File",
    "Member",
    "Quota",
    "Reader",
    "Registry",
    "load",
    "parse_file",
    "serialise_file",
    "sign",
    "sign_epoch",
    "verify",
]

SIGNATURE_PREFIX = b"# upprop-signature: "
MAX_FILE_BYTES = 16 * 1024 * 1024
"""Some 1 500 members with long names take under one MiB."""

MIN_YEAR_QUOTA = 1_000
"""Evaluations a year that the smallest member may ask for (design §7)."""


class Quota(NamedTuple):
    """Evaluations a member may ask of each evaluator."""

    year: int
    day: int


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A descriptor in force; equal to what the authority signed. Use `load` or `DescriptorStore` to get one."""

    serial: int
    expires: datetime
    zone: str
    policy: Policy
    calendars: Mapping[str, tuple[Break, ...]]
    ledger_key: bytes | None
    registries: tuple[Registry, ...]
    evaluators: tuple[Evaluator, ...]
    epochs: tuple[Epoch, ...]
    ca_certificates: tuple[str, ...]
    members: tuple[Member, ...]
    readers: tuple[Reader, ...]
    _by_id: Mapping[str, Member] = field(repr=False, compare=False)
    _school_calendars: Mapping[str, SchoolCalendar] = field(repr=False, compare=False)

    @classmethod
    def of(cls, file: File) -> Descriptor:
        """The descriptor that a file states; raises UppropError(DESCRIPTOR_INVALID) for one that contradicts itself."""
        check(file)
        if file.expires is None or file.expires.tzinfo is None:
            raise InvalidDescriptorError("it states no time of expiry with a UTC offset")
        calendars = {name: tuple(Break(b.start, b.end) for b in breaks) for name, breaks in file.calendars.items()}
        return cls(
            serial=file.serial,
            expires=file.expires.astimezone(UTC),
            zone=file.zone,
            policy=file.policy.policy(),
            calendars=MappingProxyType(calendars),
            ledger_key=file.ledger_key,
            registries=tuple(file.registries),
            evaluators=tuple(sorted(file.evaluators, key=lambda each: each.index)),
            epochs=tuple(sorted(file.epochs, key=lambda each: each.epoch)),
            ca_certificates=tuple(file.ca_certificates),
            members=tuple(sorted(file.members, key=lambda each: each.id)),
            readers=tuple(sorted(file.readers, key=lambda each: each.name)),
            _by_id=MappingProxyType({each.id: each for each in file.members}),
            _school_calendars=MappingProxyType({name: SchoolCalendar(breaks) for name, breaks in calendars.items()}),
        )

    @property
    def roots_pem(self) -> bytes:
        """The federation's CAs, as TLS takes them."""
        return "\n".join(self.ca_certificates).encode()

    def has_member(self, member: MemberId | str) -> bool:
        return member in self._by_id

    def member(self, member: MemberId | str) -> Member:
        """Raises UppropError(IDENTITY_UNLISTED) for a member that is not listed."""
        found = self._by_id.get(member)
        if found is None:
            raise UppropError(Code.IDENTITY_UNLISTED, f"{member} is not a member of the federation.")
        return found

    def calendar(self, member: MemberId | str) -> SchoolCalendar:
        return self._school_calendars[self.member(member).calendar]

    def quota(self, member: MemberId | str) -> Quota:
        """max(1 000, 1.5 × population) evaluations a year, a third of that a day (design §7)."""
        year = max(MIN_YEAR_QUOTA, -(-3 * self.member(member).population // 2))
        return Quota(year, year // 3)

    def evaluator(self, index: int) -> Evaluator:
        """Raises UppropError(IDENTITY_UNLISTED) for an index that is not listed."""
        for each in self.evaluators:
            if each.index == index:
                return each
        raise UppropError(Code.IDENTITY_UNLISTED, f"The federation has no evaluator {index}.")

    def registry(self, name: str) -> Registry:
        """Raises UppropError(IDENTITY_UNLISTED) for a name that is not listed."""
        for each in self.registries:
            if each.name == name:
                return each
        raise UppropError(Code.IDENTITY_UNLISTED, f"The federation has no registry {name}.")

    def reader(self, name: str) -> Reader:
        """Raises UppropError(IDENTITY_UNLISTED) for a name that is not listed."""
        for each in self.readers:
            if each.name == name:
                return each
        raise UppropError(Code.IDENTITY_UNLISTED, f"The descriptor lists no reader {name} of the statistics.")

    def epoch(self, epoch: int) -> Epoch:
        """Raises UppropError(EPOCH_UNKNOWN) for an epoch that is not listed."""
        for each in self.epochs:
            if each.epoch == epoch:
                return each
        raise UppropError(Code.EPOCH_UNKNOWN, f"Epoch {epoch} is not in the descriptor; fetch the newest descriptor.")

    def listed_key(self, identity: Identity) -> str | None:
        """The SHA-256 (hex) of the public key listed for a party, None where none is pinned.

        Raises UppropError(IDENTITY_UNLISTED) for a party that the descriptor does not name.
        """
        match identity.kind:
            case Kind.NODE:
                return self.member(identity.name).key_sha256
            case Kind.EVALUATOR:
                return self.evaluator(int(identity.name)).key_sha256
            case Kind.REGISTRY:
                return self.registry(identity.name).key_sha256
            case Kind.AUTHORITY:
                return self.reader(identity.name).key_sha256
            case _:
                raise UppropError(Code.IDENTITY_UNLISTED, f"The descriptor lists no {identity.kind.value}.")

    def verify_epochs(self) -> None:
        """Every epoch bears the signature of every evaluator; raises UppropError(EPOCH_UNSIGNED) otherwise."""
        for each in self.epochs:
            _verify_epoch(each, {evaluator.index: evaluator.signing_key for evaluator in self.evaluators})


def _verify_epoch(epoch: Epoch, signing_keys: Mapping[int, bytes]) -> None:
    signed = epoch.signed_bytes()
    for index in range(1, epoch.shares + 1):
        key, signature = signing_keys.get(index), epoch.signatures.get(index)
        sentence = f"Epoch {epoch.epoch} is not signed by evaluator {index}. Ask the authority for another descriptor."
        if key is None or signature is None:
            raise UppropError(Code.EPOCH_UNSIGNED, sentence)
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
        except InvalidSignature as error:
            raise UppropError(Code.EPOCH_UNSIGNED, sentence) from error


def sign(file: File, authority_key: Ed25519PrivateKey) -> bytes:
    """The bytes of a signed descriptor; refuses one that `load` would refuse for its content."""
    Descriptor.of(file).verify_epochs()
    body = serialise_file(file)
    if not body.endswith(b"\n"):
        body += b"\n"
    return body + SIGNATURE_PREFIX + base64.b64encode(authority_key.sign(body)) + b"\n"


def split(content: bytes) -> tuple[bytes, bytes]:
    """Body and signature of a signed file; raises UppropError(DESCRIPTOR_UNSIGNED) for one without."""
    position = content.rfind(b"\n" + SIGNATURE_PREFIX) + 1
    line = content[position:]
    if position == 0 or not line.endswith(b"\n") or line.count(b"\n") != 1:
        raise _unsigned("its last line is no signature")
    try:
        signature = base64.b64decode(line[len(SIGNATURE_PREFIX) : -1], validate=True)
    except binascii.Error as error:
        raise _unsigned("its signature is not readable") from error
    return content[:position], signature


def _unsigned(reason: str) -> UppropError:
    return UppropError(
        Code.DESCRIPTOR_UNSIGNED,
        f"The descriptor is not signed by the authority whose key is pinned here: {reason}. "
        "Fetch it again from the authority.",
    )


@functools.lru_cache(maxsize=8)
def _verified(content: bytes, authority_key: bytes) -> Descriptor:
    # Cached by content, so that a process that hosts hundreds of nodes parses one file once.
    body, signature = split(content)
    try:
        Ed25519PublicKey.from_public_bytes(authority_key).verify(signature, body)
    except InvalidSignature as error:
        raise _unsigned("the signature does not fit") from error
    descriptor = Descriptor.of(parse_file(body))
    descriptor.verify_epochs()
    return descriptor


def verify(content: bytes, authority_key: Ed25519PublicKey) -> Descriptor:
    """Steps 1–3 of `load`: signature, content, epochs. Neither expiry nor serial."""
    if len(content) > MAX_FILE_BYTES:
        raise InvalidDescriptorError("it is too large")
    return _verified(content, authority_key.public_bytes_raw())


def check_expiry(descriptor: Descriptor, now: datetime) -> None:
    if now >= descriptor.expires:
        raise UppropError(
            Code.DESCRIPTOR_EXPIRED,
            f"The descriptor (serial {descriptor.serial}) expired on {descriptor.expires:%Y-%m-%d}. "
            "Fetch the newest one from the authority.",
        )


def check_serial(descriptor: Descriptor, last_seen_serial: int) -> None:
    if descriptor.serial < last_seen_serial:
        raise UppropError(
            Code.DESCRIPTOR_OLDER,
            f"The descriptor has serial {descriptor.serial}, but serial {last_seen_serial} was seen here before. "
            "Fetch the newest one from the authority.",
        )


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UppropError(Code.CONFIG_INVALID, f"The descriptor {path} cannot be read: {error.strerror}.") from error


def load(path: Path, authority_public_key: Ed25519PublicKey, now: datetime, last_seen_serial: int = 0) -> Descriptor:
    """Read a descriptor and refuse it unless, in this order,

    1. the authority signed it (DESCRIPTOR_UNSIGNED),
    2. its content is understood and consistent (DESCRIPTOR_INVALID),
    3. every evaluator signed every epoch (EPOCH_UNSIGNED),
    4. it has not expired (DESCRIPTOR_EXPIRED),
    5. it is not older than the last seen (DESCRIPTOR_OLDER).
    """
    descriptor = verify(read(path), authority_public_key)
    check_expiry(descriptor, now)
    check_serial(descriptor, last_seen_serial)
    return descriptor


def read_authority_key(path: Path) -> Ed25519PublicKey:
    """The pinned public key of the authority: PEM, Ed25519. Raises UppropError(CONFIG_INVALID)."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise UppropError(
            Code.CONFIG_INVALID, f"{path} does not hold the authority's public key (PEM, Ed25519)."
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UppropError(Code.CONFIG_INVALID, f"{path} holds a key of another kind than Ed25519.")
    return key
