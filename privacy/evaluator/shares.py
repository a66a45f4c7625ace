"""The shares this evaluator holds, and which of them it may use.

Invariants: a share file that others can read, that is not sound or belongs to another evaluator stops the start; a
share is used only while the descriptor in force lists its very commitment for its epoch and version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.files import read_secret
from privacy.errors import PrivacyError
from privacy.keys import Share, parse_share


class Shares:
    """The shares of one evaluator, by epoch and version."""

    def __init__(self, index: int, shares: Iterable[Share]) -> None:
        self.index = index
        self._shares: dict[tuple[int, int], Share] = {}
        for share in shares:
            if share.index != index:
                raise UppropError(
                    Code.CONFIG_INVALID,
                    f"A share file holds a share of evaluator {share.index}, but this is evaluator {index}. "
                    "No evaluator may hold another's share: find out how it came here.",
                )
            if (share.epoch, share.version) in self._shares:
                raise UppropError(
                    Code.CONFIG_INVALID,
                    f"Two share files hold a share of epoch {share.epoch}, version {share.version}. Remove one.",
                )
            self._shares[share.epoch, share.version] = share

    @classmethod
    def read(cls, index: int, files: Sequence[Path]) -> Shares:
        """Read the share files of evaluator `index`. Raises UppropError: CONFIG_INVALID, SECRET_MODE."""
        if not files:
            raise UppropError(Code.CONFIG_INVALID, "The settings name no share_files; an evaluator needs its share.")
        return cls(index, [_read(path) for path in files])

    def held(self) -> tuple[Share, ...]:
        return tuple(share for _, share in sorted(self._shares.items()))

    def usable(self, descriptor: Descriptor) -> tuple[Share, ...]:
        """The shares of the epochs in force, one per epoch, in their order."""
        epochs = [epoch.epoch for epoch in descriptor.epochs]
        return tuple(share for epoch in epochs if (share := self._find(epoch, descriptor)) is not None)

    def of_epoch(self, epoch: int, descriptor: Descriptor) -> Share:
        """The share to answer with; raises UppropError(EPOCH_UNKNOWN) where there is none."""
        share = self._find(epoch, descriptor)
        if share is None:
            raise UppropError(
                Code.EPOCH_UNKNOWN, f"Evaluator {self.index} holds no share that is in force for epoch {epoch}."
            )
        return share

    def check(self, descriptor: Descriptor) -> None:
        """Refuse to start with a share that contradicts the descriptor, or without any that is in force."""
        for epoch in descriptor.epochs:
            share = self._shares.get((epoch.epoch, epoch.share_version))
            if share is not None and share.commitment != epoch.commitments.get(self.index):
                raise UppropError(
                    Code.CONFIG_INVALID,
                    f"The share of epoch {epoch.epoch} does not belong to the commitment that the descriptor lists for "
                    f"evaluator {self.index}. Restore the right share file.",
                )
        if not self.usable(descriptor):
            raise UppropError(
                Code.CONFIG_INVALID,
                "The descriptor lists no epoch of which there is a share here. Check share_files and the descriptor.",
            )

    def _find(self, epoch: int, descriptor: Descriptor) -> Share | None:
        for listed in descriptor.epochs:
            if listed.epoch == epoch:
                share = self._shares.get((epoch, listed.share_version))
                if share is not None and share.commitment == listed.commitments.get(self.index):
                    return share
        return None


def _read(path: Path) -> Share:
    try:
        return parse_share(read_secret(path))
    except PrivacyError as refused:
        raise UppropError(Code.CONFIG_INVALID, f"{path} is not a sound share file: {refused}. Restore it.") from refused
