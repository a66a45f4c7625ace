"""The shares this evaluator holds, and which of them it may use.

Share files stand where `share_files` names them, or with any name ending in `.share` in `share_dir`, which is looked
through again when the descriptor lists a share that is not held: so an evaluator takes up a new epoch, or a refreshed
share, without a restart.

Invariants: a share file that others can read, that is not sound or belongs to another evaluator stops the start, and is
left out where it appears later; a share is used only while the descriptor in force lists its very commitment for its
epoch and version, and never once it has been destroyed here, whatever a restored backup brings back.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from federation import files
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.observability import Event, Log
from privacy.errors import PrivacyError
from privacy.evaluator.observability import SHARE_REFUSED, SHARE_RETURNED
from privacy.keys import Share, parse_share

SHARE_SUFFIX = ".share"

ShareName = tuple[int, int, bytes]
"""Epoch, version and commitment: what tells one share from every other."""


class Shares:
    """The shares of one evaluator, by epoch and version, and the files they stand in."""

    def __init__(
        self, index: int, paths: Sequence[Path], directory: Path | None = None, log: Log | None = None
    ) -> None:
        """Raises UppropError: CONFIG_INVALID, SECRET_MODE."""
        self.index = index
        self._directory, self._log = directory, log
        self._shares: dict[tuple[int, int], tuple[Share, Path]] = {}
        self._destroyed: AbstractSet[ShareName] = frozenset()
        self._lock = threading.Lock()
        self._stamp = _stamp(directory)
        self._read_paths: set[Path] = set()
        for path in [*paths, *_in(directory)]:
            self._take(path)
        if not self._shares:
            raise UppropError(
                Code.CONFIG_INVALID,
                "The settings name no share_files and there is none in share_dir; an evaluator needs its share.",
            )

    def held(self) -> tuple[Share, ...]:
        """The shares that may come to be used."""
        return tuple(share for share in self.everything() if _name(share) not in self._destroyed)

    def everything(self) -> tuple[Share, ...]:
        """Those that were destroyed here and whose files are there all the same, too."""
        with self._lock:
            self._look_again()
            return tuple(share for _, (share, _path) in sorted(self._shares.items()))

    def path(self, share: Share) -> Path:
        """Where a share stands."""
        with self._lock:
            return self._shares[share.epoch, share.version][1]

    def leave_out(self, destroyed: Collection[ShareName]) -> None:
        """These were destroyed here: they are not used, should a crash have left them or a backup brought them back."""
        with self._lock:
            self._destroyed = frozenset(destroyed)
        for share in self.everything():
            if _name(share) in self._destroyed:
                self._say(SHARE_RETURNED, epoch=share.epoch, version=share.version)

    def forget(self, share: Share) -> None:
        """This one is destroyed now; another of its version may take its place."""
        with self._lock:
            self._destroyed |= {_name(share)}
            _, path = self._shares.pop((share.epoch, share.version))
            self._read_paths.discard(path)

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
            share, _ = self._shares.get((epoch.epoch, epoch.share_version), (None, None))
            if share is not None and share.commitment != epoch.commitments.get(self.index):
                raise UppropError(
                    Code.CONFIG_INVALID,
                    f"The share of epoch {epoch.epoch} does not belong to the commitment that the descriptor lists for "
                    f"evaluator {self.index}. Restore the right share file.",
                )
        if not self.usable(descriptor):
            raise UppropError(
                Code.CONFIG_INVALID,
                "The descriptor lists no epoch of which there is a share here. Check share_files, share_dir and the "
                "descriptor; a lost share is restored or made again (upprop evaluator share --help).",
            )

    def _find(self, epoch: int, descriptor: Descriptor) -> Share | None:
        for listed in descriptor.epochs:
            if listed.epoch == epoch:
                wanted = (epoch, listed.share_version)
                with self._lock:
                    if wanted not in self._shares:
                        self._look_again()
                    share, _ = self._shares.get(wanted, (None, None))
                if share is None or share.commitment != listed.commitments.get(self.index):
                    return None
                return None if _name(share) in self._destroyed else share
        return None

    def _look_again(self) -> None:
        """Take up what has come into the directory. A request must not fail for a file that is none of its business."""
        stamp = _stamp(self._directory)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        for path in _in(self._directory):
            if path in self._read_paths:
                continue
            try:
                self._take(path)
            except UppropError as refused:
                # Not looked at again until the directory changes.
                self._say(SHARE_REFUSED, code=refused.code)

    def _take(self, path: Path) -> None:
        try:
            share = parse_share(read_secret(path))
        except PrivacyError as refused:
            raise UppropError(
                Code.CONFIG_INVALID, f"{path} is not a sound share file: {refused}. Restore it."
            ) from refused
        if share.index != self.index:
            raise UppropError(
                Code.CONFIG_INVALID,
                f"A share file holds a share of evaluator {share.index}, but this is evaluator {self.index}. "
                "No evaluator may hold another's share: find out how it came here.",
            )
        key = (share.epoch, share.version)
        if key in self._shares:
            raise UppropError(
                Code.CONFIG_INVALID,
                f"Two share files hold a share of epoch {share.epoch}, version {share.version}. Remove one.",
            )
        self._read_paths.add(path)
        self._shares[key] = (share, path)

    def _say(self, event: Event, **fields: str | int) -> None:
        if self._log is not None:
            self._log(event, **fields)


def _name(share: Share) -> ShareName:
    return share.epoch, share.version, bytes(share.commitment)


def _in(directory: Path | None) -> list[Path]:
    return [] if directory is None else sorted(directory.glob(f"*{SHARE_SUFFIX}"))


def _stamp(directory: Path | None) -> tuple[int, int, int] | None:
    return None if directory is None else files.stamp(directory)
