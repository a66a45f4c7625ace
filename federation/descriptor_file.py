"""The format of the descriptor's file: its parts, what they may hold, and how they are read and written.

Invariants: unknown keys are refused; what types cannot say is said by `check`; equal contents make equal bytes.
"""

from __future__ import annotations

import struct
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.errors import Code, UppropError
from federation.identity import MUNICIPALITY_ID, OPERATOR_ID, Identity, Kind
from federation.rules.vocabulary import MemberId, Policy, Retention

DEFAULT_CALENDAR = "default"

_EPOCH_CONTEXT = b"upprop/epoch/v1\x00"

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, msgspec.Meta(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):[0-9]{1,5}$")]
Key32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`join_address` is where parties that have no certificate yet ask for one; absent where another PKI gives them."""

    name: str
    address: Address
    key_sha256: Sha256 | None = None
    join_address: Address | None = None

    @property
    def identity(self) -> Identity:
        return Identity(Kind.REGISTRY, self.name)


class Evaluator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`signing_key` is the raw Ed25519 public key with which the evaluator signs epochs."""

    index: Annotated[int, msgspec.Meta(ge=1, le=255)]
    address: Address
    signing_key: Key32
    key_sha256: Sha256 | None = None

    @property
    def identity(self) -> Identity:
        return Identity(Kind.EVALUATOR, str(self.index))


class Epoch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One pseudonym key: `threshold` of `shares` evaluators answer for it.

    `public_key` is K and `commitments[i]` is Kᵢ, both encodings of 32 bytes; `signatures[i]` is evaluator i's signature
    over `signed_bytes()`.
    """

    epoch: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]
    threshold: Annotated[int, msgspec.Meta(ge=2, le=255)]
    shares: Annotated[int, msgspec.Meta(ge=2, le=255)]
    share_version: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)] = 1
    public_key: Key32
    commitments: dict[int, Key32]
    signatures: dict[int, bytes] = {}

    def signed_bytes(self) -> bytes:
        """What each evaluator signs: fixed-width fields and the commitments in the order of their indices."""
        parts = [
            _EPOCH_CONTEXT,
            struct.pack(">IHHI", self.epoch, self.threshold, self.shares, self.share_version),
            self.public_key,
        ]
        for index, commitment in sorted(self.commitments.items()):
            parts += [struct.pack(">H", index), commitment]
        return b"".join(parts)


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`key_sha256` is the SHA-256 of the SubjectPublicKeyInfo of the member's TLS key, in hex. `population` is how many
    pupils it has, as the official statistics count them: the quota follows from it.

    `home` is the municipality where an independent operator's schools stand, which answers for the duty to attend
    there; an operator has one, a municipality none. It need not be a member itself.
    """

    id: str
    name: str = ""
    kind: Literal["municipality", "operator"] = "municipality"
    population: Annotated[int, msgspec.Meta(ge=0)]
    key_sha256: Sha256
    home: str | None = None
    calendar: str = DEFAULT_CALENDAR

    @property
    def member_id(self) -> MemberId:
        return MemberId(self.id)

    @property
    def identity(self) -> Identity:
        return Identity(Kind.NODE, self.id)


class Reader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One who reads the statistics: `upprop://authority/NAME`, with the SHA-256 of its public key as members have it.

    `public` gets what everybody may see; `statistics` and `oversight` get the releases, and each role has a share of
    its own in what further questions may cost.
    """

    name: str
    role: Literal["statistics", "oversight", "public"]
    key_sha256: Sha256

    @property
    def identity(self) -> Identity:
        return Identity(Kind.AUTHORITY, self.name)


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    start: date
    end: date


_DEFAULTS = Policy()
_KEPT = Retention()

Days = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class RetentionValues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answered_pair_days: Annotated[int, msgspec.Meta(ge=60, le=10_000)] = _KEPT.answered_pair_days
    arrival_months: Annotated[int, msgspec.Meta(ge=13, le=120)] = _KEPT.arrival_months
    closed_case_days: Annotated[int, msgspec.Meta(ge=60, le=10_000)] = _KEPT.closed_case_days
    unanswered_years: Annotated[int, msgspec.Meta(ge=1, le=20)] = _KEPT.unanswered_years
    notice_days: Annotated[int, msgspec.Meta(ge=60, le=10_000)] = _KEPT.notice_days
    answer_days: Annotated[int, msgspec.Meta(ge=14, le=10_000)] = _KEPT.answer_days


class PolicyValues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a value left out stands for is what a federation in service should have; 0 or false switches off."""

    watch_school_days: Annotated[int, msgspec.Meta(ge=1, le=100)] = _DEFAULTS.watch_school_days
    silence_school_days: Annotated[int, msgspec.Meta(ge=1, le=100)] = _DEFAULTS.silence_school_days
    protected: Literal["local", "same"] = "local"
    backdating_days: Days = 120
    answer_kept_days: Days = 60
    monthly_openings: Days = 20
    monthly_openings_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 10
    second_person: bool = True
    overlap_school_days: Days = 10
    roll_call: bool = True
    statistics: Literal["standard", "strict"] = "standard"
    retention: RetentionValues = RetentionValues()

    @classmethod
    def of(cls, policy: Policy) -> PolicyValues:
        """The values that state this policy. What a node alone decides is no part of them."""
        named = {name: getattr(policy, name) for name in cls.__struct_fields__ if name != "retention"}
        return msgspec.convert({**named, "retention": asdict(policy.retention)}, cls)

    def policy(self) -> Policy:
        """The policy that these values state."""
        named = {name: getattr(self, name) for name in self.__struct_fields__ if name != "retention"}
        return Policy(**named, retention=Retention(**msgspec.structs.asdict(self.retention)))


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file as it is written; a draft is one without `serial` and `expires`, which signing sets.

    `ledger_key` is the raw Ed25519 public key with which the registry signs the checkpoints of its ledger.
    """

    serial: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    expires: datetime | None = None
    zone: str = "Europe/Stockholm"
    policy: PolicyValues = PolicyValues()
    calendars: dict[str, list[Pause]] = msgspec.field(default_factory=lambda: {DEFAULT_CALENDAR: []})
    ca_certificates: list[str] = []
    ledger_key: Key32 | None = None
    registries: list[Registry] = []
    evaluators: list[Evaluator] = []
    epochs: list[Epoch] = []
    members: list[Member] = []
    readers: list[Reader] = []


class InvalidDescriptorError(UppropError):
    """DESCRIPTOR_INVALID with its reason, for whoever can mend the descriptor."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            Code.DESCRIPTOR_INVALID, f"The descriptor is not valid: {reason}. Ask the authority for another."
        )
        self.reason = reason


def check(file: File) -> None:
    """Whatever types cannot say. Raises UppropError(DESCRIPTOR_INVALID)."""
    try:
        ZoneInfo(file.zone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidDescriptorError(f"there is no time zone {file.zone!r}") from error
    for name, breaks in file.calendars.items():
        if any(each.end < each.start for each in breaks):
            raise InvalidDescriptorError(f"calendar {name!r} has a break that ends before it starts")
    stated = [
        *file.calendars,
        *(each.name for each in file.members),
        *(each.address for each in file.evaluators),
        *(address for each in file.registries for address in (each.address, each.join_address or "")),
    ]
    if not all(map(str.isprintable, stated)):
        # Whoever looks at what a descriptor changes must see all of it.
        raise InvalidDescriptorError("a name or an address in it has others than letters and signs")
    _unique("registry", [each.name for each in file.registries])
    _unique("evaluator", [each.index for each in file.evaluators])
    _unique("epoch", [each.epoch for each in file.epochs])
    _unique("member", [each.id for each in file.members])
    _unique("reader", [each.name for each in file.readers])
    _unique("key", [*(each.key_sha256 for each in file.members), *(each.key_sha256 for each in file.readers)])
    for kind, name in (
        *((Kind.REGISTRY, each.name) for each in file.registries),
        *((Kind.AUTHORITY, each.name) for each in file.readers),
    ):
        try:
            Identity(kind, name)
        except UppropError as error:
            raise InvalidDescriptorError(f"{name!r} is no name of a party of kind {kind}") from error
    for member in file.members:
        _check_member(member, file)
    for epoch in file.epochs:
        indices = set(range(1, epoch.shares + 1))
        if epoch.threshold > epoch.shares or set(epoch.commitments) != indices:
            raise InvalidDescriptorError(f"epoch {epoch.epoch} does not state one commitment for each of its shares")


def _check_member(member: Member, file: File) -> None:
    pattern = OPERATOR_ID if member.kind == "operator" else MUNICIPALITY_ID
    if not pattern.fullmatch(member.id):
        raise InvalidDescriptorError(f"{member.id!r} is no id of a member of kind {member.kind}")
    if (member.home is not None) != (member.kind == "operator"):
        lack = "has no home municipality" if member.home is None else "is a municipality and has a home municipality"
        raise InvalidDescriptorError(f"member {member.id} {lack}")
    if member.home is not None and not MUNICIPALITY_ID.fullmatch(member.home):
        raise InvalidDescriptorError(f"the home of member {member.id} is no municipality")
    if member.calendar not in file.calendars:
        raise InvalidDescriptorError(f"member {member.id} follows a calendar that is not there: {member.calendar!r}")


def _unique(what: str, values: list[str] | list[int]) -> None:
    if len(set(values)) != len(values):
        raise InvalidDescriptorError(f"it lists the same {what} twice")


def sign_epoch(epoch: Epoch, index: int, signing_key: Ed25519PrivateKey) -> Epoch:
    """The epoch with evaluator `index`'s signature added."""
    signatures = {**epoch.signatures, index: signing_key.sign(epoch.signed_bytes())}
    return msgspec.structs.replace(epoch, signatures=dict(sorted(signatures.items())))


def parse_file(body: bytes) -> File:
    """Parse a draft or the body of a signed descriptor; unknown keys are refused (DESCRIPTOR_INVALID)."""
    try:
        return msgspec.toml.decode(body, type=File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidDescriptorError(f"{error}".rstrip(".")) from error


def serialise_file(file: File) -> bytes:
    """The file as TOML, deterministic."""
    plain = msgspec.to_builtins(file, builtin_types=(datetime, date), str_keys=True)
    for name in ("expires", "ledger_key"):
        if plain[name] is None:
            # TOML has no null.
            del plain[name]
    return msgspec.toml.encode(plain)
