"""An evaluator's share of an epoch's key, its file, and how a whole epoch is dealt.

This module turns bytes into shares and back; reading files, and refusing ones that others can read, is the chassis'
work. The registry's key, which needs no group, has a module of its own (`registry_key`).

Invariants: a share that is too short, zero, or does not belong to the commitment beside it is refused here, before
anything starts; no `repr` tells a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privacy import group, oprf, threshold
from privacy.errors import PrivacyError, Reason
from privacy.group import Element, RandomBytes, Scalar
from privacy.key_file import read_fields
from privacy.registry_key import REGISTRY_KEY_BYTES, RegistryKey, serialise_registry_key

SHARE_KIND = "upprop-evaluator-share-v1"


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
    fields = read_fields(content, SHARE_KIND, {"epoch", "index", "version", "threshold"}, {"commitment", "secret"})
    if fields["index"] > threshold.MAX_SHARES:
        raise PrivacyError(Reason.FILE_MALFORMED, f"the index of a share is not between 1 and {threshold.MAX_SHARES}")
    if fields["threshold"] < 2:
        raise PrivacyError(Reason.FILE_MALFORMED, "a share needs a threshold of at least 2")
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
