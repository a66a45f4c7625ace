"""Complete throw-away federations for trials and tests: keys, certificates, descriptor and settings of every party.

Unsafe by design: every key of every party is made on one machine. Invariant: private keys are written once, mode 0600,
and never overwritten.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import identity as identities
from federation.clock import utc_now
from federation.descriptor import sign
from federation.descriptor_file import (
    DEFAULT_CALENDAR,
    Epoch,
    Evaluator,
    File,
    Member,
    Pause,
    PolicyValues,
    Reader,
    Registry,
    sign_epoch,
)
from federation.errors import Code, UppropError
from federation.files import write_secret
from federation.identity import Identity, Kind
from federation.pki import CertificateAuthority, certificate_pem, issue, make_ca, new_tls_key, private_pem, public_pem
from federation.rules.calendar import Break
from federation.rules.vocabulary import Policy
from federation.tls import public_key_sha256

RECORD_KEY_BYTES = 32


class DealtEpoch(Protocol):
    """An epoch's key, split. `shares[i]` is the content of evaluator i's file, `registry_key` of the registry's."""

    @property
    def public_key(self) -> bytes: ...
    @property
    def shares(self) -> Mapping[int, bytes]: ...
    @property
    def commitments(self) -> Mapping[int, bytes]: ...
    @property
    def registry_key(self) -> bytes: ...


class DealEpoch(Protocol):
    """`deal_epoch` of the layer that knows pseudonym keys, which this one does not import."""

    def __call__(
        self, epoch: int, threshold: int, shares: int, random_bytes: Callable[[int], bytes], /
    ) -> DealtEpoch: ...


@dataclass(frozen=True, slots=True)
class DevMember:
    """A member of a throw-away federation; `id` is of four digits, or with an operator's number after a dash.

    `home` of an operator; the municipality its id begins with where not given.
    """

    id: str
    name: str = ""
    population: int = 50_000
    calendar: str = DEFAULT_CALENDAR
    home: str | None = None


@dataclass(frozen=True, slots=True)
class DevReader:
    """One who reads the statistics of a throw-away federation."""

    name: str
    role: Literal["statistics", "oversight", "public"]


DEV_READERS = (
    DevReader("oversight", "oversight"),
    DevReader("public", "public"),
    DevReader("statistics", "statistics"),
)
"""One of each role, named as it."""


@dataclass(frozen=True, slots=True)
class DevFederation:
    """Where `dev` put things."""

    directory: Path
    ca: CertificateAuthority
    authority_key: Ed25519PrivateKey

    @property
    def descriptor(self) -> Path:
        return self.directory / "federation.toml"

    @property
    def registry(self) -> Path:
        return self.directory / "registry" / "config.toml"

    def evaluator(self, index: int) -> Path:
        """The settings of evaluator `index`."""
        return self.directory / f"evaluator-{index}" / "config.toml"

    def node(self, member: str) -> Path:
        """The settings of a member's node."""
        return self.directory / f"node-{member}" / "config.toml"

    def reader(self, name: str) -> Path:
        """The settings of a reader of the statistics."""
        return self.directory / f"reader-{name}" / "config.toml"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the servers of a throw-away federation listen on loopback."""

    registry: int
    evaluators: tuple[int, ...]
    replicas: tuple[int, ...] = ()
    """Of the registry's further replicas."""
    dashboards: int = 0
    """Of the first reader's dashboard, the others' after it; 0 where each takes a free one."""
    joining: int = 0
    """Of the first registry for parties without a certificate, its replicas' after it; 0 where it opens none."""

    @classmethod
    def from_base(cls, base: int, evaluators: int, registries: int = 1) -> Ports:
        """Evaluator i at base + i, the registry at base + 10 (or after the last evaluator), its replicas after it, the
        readers' dashboards from base + 20 (or after the last replica), the registries' ports for parties without a
        certificate ten further.
        """
        registry = base + max(10, evaluators + 1)
        replicas = tuple(registry + index for index in range(1, registries))
        dashboards = max(base + 20, registry + registries)
        indices = range(1, evaluators + 1)
        return cls(registry, tuple(base + index for index in indices), replicas, dashboards, dashboards + 10)

    @property
    def registries(self) -> dict[str, int]:
        """By the letter that names each replica."""
        return dict(zip(string.ascii_lowercase, (self.registry, *self.replicas), strict=False))

    def join(self, letter: str) -> str | None:
        """Where that replica listens for parties without a certificate."""
        return f"127.0.0.1:{self.joining + string.ascii_lowercase.index(letter)}" if self.joining else None


DEFAULT_BASE_PORT = 7440


def dev(
    directory: Path,
    members: Iterable[DevMember],
    *,
    deal_epoch: DealEpoch,
    ports: Ports,
    threshold: int = 2,
    breaks: Iterable[Break] = (),
    policy: Policy = Policy(),  # noqa: B008 - immutable
    clock: str = "manual",
    today: date | None = None,
    now: datetime | None = None,
    lifetime: timedelta = timedelta(days=90),
    zone: str = "Europe/Stockholm",
    metrics_listen: str = "127.0.0.1:0",
    epochs: int = 1,
    database_url: str | None = None,
    readers: Iterable[DevReader] = DEV_READERS,
) -> DevFederation:
    """Write a complete federation under `directory`: as many evaluators and registries as `ports` names, the members,
    the readers of its statistics.

    `database_url` is of the registry's PostgreSQL database, which several of them share; without it: SQLite. UNSAFE:
    all keys of all parties are made in one place. Raises UppropError(CONFIG_INVALID) where a federation is there
    already, or several registries have no database to share.
    """
    if ports.replicas and database_url is None:
        raise UppropError(
            Code.CONFIG_INVALID, "Several registries work on one PostgreSQL database. Name the file that holds its URL."
        )
    made_at = now or utc_now()
    if (directory / "federation.toml").exists():
        raise UppropError(Code.CONFIG_INVALID, f"{directory} holds a federation already; choose another directory.")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The CA outlasts what it issues, so that certificates can be renewed.
    federation = DevFederation(directory, make_ca("Upprop throw-away CA", made_at), Ed25519PrivateKey.generate())
    _write_authority(federation)
    every_key: dict[Identity, EllipticCurvePrivateKey] = {}
    common: dict[str, Any] = {"clock": clock, "metrics_listen": metrics_listen}
    if today is not None:
        common["today"] = today

    def party(identity: Identity, name: str, more: Mapping[str, Any]) -> Path:
        every_key[identity] = new_tls_key()
        return _write_party(federation, identity, every_key[identity], name, {**common, **more}, made_at, lifetime)

    listed = sorted(members, key=lambda member: member.id)
    signing_keys = {index: Ed25519PrivateKey.generate() for index in range(1, len(ports.evaluators) + 1)}
    epoch_list = []
    registry_keys: dict[int, bytes] = {}
    shares: dict[int, dict[str, bytes]] = {index: {} for index in signing_keys}
    for number in range(1, epochs + 1):
        dealt = deal_epoch(number, threshold, len(signing_keys), secrets.token_bytes)
        epoch_list.append(_signed_epoch(number, threshold, dealt, signing_keys))
        for index, content in dealt.shares.items():
            shares[index][f"epoch-{number}.share"] = content
        registry_keys[number] = dealt.registry_key
    for index, port in enumerate(ports.evaluators, start=1):
        home = party(
            identities.evaluator(index),
            f"evaluator-{index}",
            {
                "listen": f"127.0.0.1:{port}",
                "share_files": sorted(shares[index]),
                "share_dir": "shares",
                "signing_key": "signing.key",
                "published_pupils": max(1, sum(member.population for member in listed)),
            },
        )
        for name, content in shares[index].items():
            write_secret(home / name, content)
        write_secret(home / "signing.key", private_pem(signing_keys[index]))

    ledger_key = Ed25519PrivateKey.generate()
    # Nothing happens by itself under a manual clock: nobody asks there for a certificate.
    joining = {letter: ports.join(letter) if clock == "system" else None for letter in ports.registries}
    for letter, port in ports.registries.items():
        home = party(
            identities.registry(letter),
            registry_directory(letter),
            {
                "listen": f"127.0.0.1:{port}",
                "epoch_keys": {str(number): f"epoch-{number}.key" for number in registry_keys},
                "epoch_key_dir": "keys",
                "ledger_key": "ledger.key",
                **({} if clock == "manual" else {"ca_certificate": "../ca/ca.crt", "ca_key": "../ca/ca.key"}),
                **({} if joining[letter] is None else {"join_listen": joining[letter]}),
                **({} if database_url is None else {"database_url_file": "database.url"}),
            },
        )
        write_secret(home / "ledger.key", private_pem(ledger_key))
        for number, content in registry_keys.items():
            write_secret(home / f"epoch-{number}.key", content)
        if database_url is not None:
            write_secret(home / "database.url", database_url.encode())

    for member in listed:
        home = party(identities.node(member.id), f"node-{member.id}", {"record_key": "record.key"})
        write_secret(home / "record.key", secrets.token_bytes(RECORD_KEY_BYTES))

    reading = sorted(readers, key=lambda reader: reader.name)
    for index, reader in enumerate(reading):
        port = ports.dashboards + index if ports.dashboards else 0
        party(_reader(reader), f"reader-{reader.name}", {"http_listen": f"127.0.0.1:{port}"})

    fingerprints = {each: public_key_sha256(key.public_key()) for each, key in every_key.items()}
    pauses = [Pause(each.start, each.end) for each in breaks]
    file = File(
        serial=1,
        expires=(made_at + lifetime).replace(microsecond=0),
        zone=zone,
        ledger_key=ledger_key.public_key().public_bytes_raw(),
        policy=PolicyValues.of(policy),
        calendars={DEFAULT_CALENDAR: pauses, **{member.calendar: pauses for member in listed}},
        ca_certificates=[certificate_pem(federation.ca.certificate).decode()],
        registries=[
            Registry(
                name=letter,
                address=f"127.0.0.1:{port}",
                key_sha256=fingerprints[identities.registry(letter)],
                join_address=joining[letter],
            )
            for letter, port in ports.registries.items()
        ],
        evaluators=[
            Evaluator(
                index=index,
                address=f"127.0.0.1:{port}",
                signing_key=signing_keys[index].public_key().public_bytes_raw(),
                key_sha256=fingerprints[identities.evaluator(index)],
            )
            for index, port in enumerate(ports.evaluators, start=1)
        ],
        epochs=epoch_list,
        members=[_member(each, fingerprints[identities.node(each.id)]) for each in listed],
        readers=[Reader(name=each.name, role=each.role, key_sha256=fingerprints[_reader(each)]) for each in reading],
    )
    federation.descriptor.write_bytes(sign(file, federation.authority_key))
    return federation


def registry_directory(letter: str) -> str:
    """Where a replica of the registry has its settings, within the federation's directory."""
    return "registry" if letter == "a" else f"registry-{letter}"


def _reader(reader: DevReader) -> Identity:
    return Identity(Kind.AUTHORITY, reader.name)


def _member(member: DevMember, fingerprint: str) -> Member:
    return Member(
        id=member.id,
        name=member.name,
        kind="operator" if "-" in member.id else "municipality",
        population=member.population,
        key_sha256=fingerprint,
        home=member.home or (member.id[:4] if "-" in member.id else None),
        calendar=member.calendar,
    )


def _signed_epoch(
    number: int, threshold: int, dealt: DealtEpoch, signing_keys: Mapping[int, Ed25519PrivateKey]
) -> Epoch:
    epoch = Epoch(
        epoch=number,
        threshold=threshold,
        shares=len(signing_keys),
        public_key=dealt.public_key,
        commitments=dict(dealt.commitments),
    )
    for index, key in signing_keys.items():
        epoch = sign_epoch(epoch, index, key)
    return epoch


def _write_authority(federation: DevFederation) -> None:
    authority, ca = federation.directory / "authority", federation.directory / "ca"
    for directory in (authority, ca):
        directory.mkdir(mode=0o700)
    write_secret(authority / "authority.key", private_pem(federation.authority_key))
    (authority / "authority.pub").write_bytes(public_pem(federation.authority_key.public_key()))
    write_secret(ca / "ca.key", private_pem(federation.ca.key))
    (ca / "ca.crt").write_bytes(certificate_pem(federation.ca.certificate))


def _write_party(
    federation: DevFederation,
    identity: Identity,
    key: EllipticCurvePrivateKey,
    name: str,
    more: Mapping[str, Any],
    now: datetime,
    lifetime: timedelta,
) -> Path:
    home = federation.directory / name
    home.mkdir(mode=0o700)
    write_secret(home / "tls.key", private_pem(key))
    certificate = issue(federation.ca, identity, key.public_key(), now, lifetime)
    (home / "tls.crt").write_bytes(certificate_pem(certificate))
    settings = {
        "data_dir": "data",
        "descriptor": "../federation.toml",
        "authority_key": "../authority/authority.pub",
        "certificate": "tls.crt",
        "private_key": "tls.key",
        **more,
    }
    header = f"# {identity} of a throw-away federation: its keys are NOT secret. Never use it for real pupils.\n"
    (home / "config.toml").write_bytes(header.encode() + msgspec.toml.encode(settings))
    return home
