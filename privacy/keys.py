"""The two secret files of the pseudonyms: an evaluator's share and the registry's key, each of one epoch.

Both are small TOML texts with the secret in hexadecimal. This module turns bytes into keys and back; reading files, and
refusing ones that others can read, is the chassis' work.

Invariants: a key that is too short, zero, or does not belong to the commitment beside it is refused here, before
anything starts; no `repr` tells a secret.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacy import group, oprf, threshold
from privacy.errors import PrivacyError, Reason
from privacy.group import Element, RandomBytes, Scalar

SHARE_KIND = "upprop-evaluator-share-v1"
REGISTRY_KEY_KIND = "upprop-registry-key-v1"
REGISTRY_KEY_BYTES = 32
MAX_EPOCH = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Share:
    """One evaluator's share of the key of one epoch. `commitment` is secret · G, which the descriptor lists.

    `version` counts the refreshes of the shares: shares of different versions do not combine.
    """

    epoch: int
    index: int
    version: int
    threshold: int
    secret: Scalar
    commitment: Element

    def __repr__(self) -> str:
        return f"Share(epoch={self.epoch}, index={self.index}, version={self.version})"


@dataclass(frozen=True, slots=True)
class RegistryKey:
    """The registry's own key over the pseudonyms of one epoch: 32 bytes, kept outside database and backups."""

    epoch: int
    secret: bytes

    def __repr__(self) -> str:
        return f"RegistryKey(epoch={self.epoch})"


@dataclass(frozen=True, slots=True)
class DealtEpoch:
    """A new epoch from a dealer: what each party gets, as file contents, and what the descriptor says of it.

    `shares` maps a share index to the content of that evaluator's share file, `commitments` to its Kᵢ; `registry_key`
    is the content of the registry's key file. The whole key is not in here and was never written.
    """

    epoch: int
    threshold: int
    share_version: int
    public_key: Element
    commitments: Mapping[int, Element]
    shares: Mapping[int, bytes]
    registry_key: bytes

    def __repr__(self) -> str:
        return f"DealtEpoch(epoch={self.epoch}, threshold={self.threshold}, shares={len(self.shares)})"


def deal_epoch(
    epoch: int, threshold_: int, shares: int, random_bytes: RandomBytes, share_version: int = 1
) -> DealtEpoch:
    """Make an epoch's key, split it and forget it. The process that runs this knew the key: for demo and tests."""
    key = group.random_scalars(1, random_bytes)[0]
    dealt = threshold.deal(key, threshold_, shares, random_bytes)
    public_key = oprf.public_key(key)
    commitments = dict(zip(dealt, group.multiply_base(list(dealt.values())), strict=True))
    threshold.check_commitments(threshold_, commitments, public_key)
    files = {
        index: serialise_share(Share(epoch, index, share_version, threshold_, secret, commitments[index]))
        for index, secret in dealt.items()
    }
    registry_key = serialise_registry_key(RegistryKey(epoch, random_bytes(REGISTRY_KEY_BYTES)))
    return DealtEpoch(epoch, threshold_, share_version, public_key, commitments, files, registry_key)


def serialise_share(share: Share) -> bytes:
    """The content of a share file."""
    return (
        "# The share of an evaluator. Secret: only the evaluator may read it (mode 0600); keep no copy with another.\n"
        f'kind = "{SHARE_KIND}"\n'
        f"epoch = {share.epoch}\n"
        f"index = {share.index}\n"
        f"version = {share.version}\n"
        f"threshold = {share.threshold}\n"
        f'commitment = "{share.commitment.hex()}"\n'
        f'secret = "{share.secret.hex()}"\n'
    ).encode()


def parse_share(content: bytes) -> Share:
    """Read a share file's content. Raises `PrivacyError` where it is not a share, or the share is not sound."""
    fields = _fields(content, SHARE_KIND, {"epoch", "index", "version", "threshold"}, {"commitment", "secret"})
    if not 1 <= fields["index"] <= threshold.MAX_SHARES:
        raise PrivacyError(Reason.FILE_MALFORMED, f"the index of a share is not between 1 and {threshold.MAX_SHARES}")
    if fields["threshold"] < 2 or fields["version"] < 1:
        raise PrivacyError(Reason.FILE_MALFORMED, "a share needs a threshold of at least 2 and a version of at least 1")
    encoded = fields["secret"]
    if len(encoded) != group.SCALAR_BYTES:
        raise PrivacyError(Reason.KEY_LENGTH, "the secret of a share is not 32 bytes long")
    if not any(encoded):
        raise PrivacyError(Reason.KEY_ZERO, "the secret of a share is zero")
    secret = group.scalars([encoded])[0]
    commitment = group.elements([fields["commitment"]])[0]
    if oprf.public_key(secret) != commitment:
        raise PrivacyError(Reason.PUBLIC_KEY_WRONG, "the secret of a share does not belong to the commitment beside it")
    return Share(fields["epoch"], fields["index"], fields["version"], fields["threshold"], secret, commitment)


def serialise_registry_key(key: RegistryKey) -> bytes:
    """The content of a registry key file."""
    return (
        "# The registry's key over one epoch's pseudonyms. Secret (mode 0600); never backed up with the database.\n"
        f'kind = "{REGISTRY_KEY_KIND}"\n'
        f"epoch = {key.epoch}\n"
        f'secret = "{key.secret.hex()}"\n'
    ).encode()


def parse_registry_key(content: bytes) -> RegistryKey:
    """Read a registry key file's content. Raises `PrivacyError` where it is not one, too short, or zero."""
    fields = _fields(content, REGISTRY_KEY_KIND, {"epoch"}, {"secret"})
    if len(fields["secret"]) != REGISTRY_KEY_BYTES:
        raise PrivacyError(Reason.KEY_LENGTH, "the registry's key is not 32 bytes long")
    if not any(fields["secret"]):
        raise PrivacyError(Reason.KEY_ZERO, "the registry's key is zero")
    return RegistryKey(fields["epoch"], fields["secret"])


def _fields(content: bytes, kind: str, numbers: set[str], hexadecimal: set[str]) -> dict[str, Any]:
    # `from None` throughout: what the decoders quote in their messages may be the secret itself.
    try:
        document = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise PrivacyError(Reason.FILE_MALFORMED, f"this is not a file of kind {kind}: it is not TOML") from None
    if document.get("kind") != kind or set(document) != {"kind"} | numbers | hexadecimal:
        raise PrivacyError(Reason.FILE_MALFORMED, f"this is not a file of kind {kind}: other fields are expected")
    fields: dict[str, Any] = {}
    for name in numbers:
        if type(document[name]) is not int or not 0 <= document[name] <= MAX_EPOCH:
            raise PrivacyError(Reason.FILE_MALFORMED, f"{name} is not a number in range")
        fields[name] = document[name]
    for name in hexadecimal:
        try:
            fields[name] = bytes.fromhex(document[name])
        except (TypeError, ValueError):
            raise PrivacyError(Reason.FILE_MALFORMED, f"{name} is not hexadecimal") from None
    return fields
