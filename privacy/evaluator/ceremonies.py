"""Ceremonies of one evaluator, with files that people carry: shares refreshed, and a lost share made again.

    invite → (refresh) deal → finish
    invite → (re-making) give → add → take

State of a ceremony here: invited (the one-time key stands in the data directory, one per epoch) → finished (the new
share is kept and the key destroyed). It may be begun again at any time by a new invitation, after which nothing of the
earlier try is accepted. Invariants: the new share is on disk before the one-time key goes; a step run again gives the
same share, or refuses.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from federation import files
from federation.errors import Code, UppropError
from privacy import ceremony, group, refresh, remaking, threshold
from privacy.ceremony import Act, Ceremony
from privacy.errors import CeremonyError, PrivacyError, Reason
from privacy.evaluator.home import Home
from privacy.group import Scalar
from privacy.keys import Share

DEAL = "upprop-refresh-deal-v1"
PARTS = "upprop-remake-parts-v1"
SUM = "upprop-remake-sum-v1"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The new share, and the commitments that the descriptor is to list with it."""

    path: Path
    share: Share
    commitments: Mapping[int, bytes]
    dealers: tuple[int, ...]


def secret_path(home: Home, epoch: int) -> Path:
    """Where the one-time key of a ceremony about an epoch stands."""
    return home.settings.data_dir / f"ceremony-epoch-{epoch}.key"


def invite(home: Home, epoch: int, lost: int | None) -> bytes:
    """An invitation to refresh the shares of an epoch, or to make one again; an earlier one counts no more."""
    listed = home.epoch(epoch)
    if lost is not None and lost not in listed.commitments:
        raise UppropError(Code.INPUT_REFUSED, f"Epoch {epoch} has no share {lost}.")
    content, secret = ceremony.invite(
        Act(epoch, listed.share_version, lost), home.index, home.signing_key(), secrets.token_bytes
    )
    path = secret_path(home, epoch)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.destroy_secret(path)
    files.write_secret(path, secret)
    return content


class Assembly:
    """A ceremony that this evaluator takes part in, as the invitations of all make it. Raises UppropError."""

    def __init__(self, home: Home, invitations: Sequence[bytes]) -> None:
        self.home = home
        self.ceremony = Ceremony.of(invitations, home.signing_keys)
        act = self.ceremony.act
        self.epoch = home.epoch(act.epoch)
        if act.version != self.epoch.share_version:
            raise UppropError(
                Code.INPUT_REFUSED,
                f"The invitations are about share version {act.version}, but version {self.epoch.share_version} is in "
                "force. Begin again with new invitations.",
            )
        if home.index not in self.ceremony.keys:
            raise UppropError(Code.INPUT_REFUSED, "This evaluator's own invitation is missing.")

    # -- refresh ----------------------------------------------------------------------------------------------------

    def deal(self) -> bytes:
        """This evaluator's deal: a sharing of zero, a value for each evaluator."""
        self._need_refresh()
        home, act = self.home, self.ceremony.act
        home.share(act.epoch)
        dealt = refresh.deal_zero(self.epoch.threshold, self.epoch.shares, secrets.token_bytes)
        fields = {
            "commitments": [commitment.hex() for commitment in dealt.commitments],
            "values": {
                str(taker): self.ceremony.seal(DEAL, home.index, taker, value) for taker, value in dealt.values.items()
            },
        }
        return self.ceremony.write(DEAL, home.index, fields, home.signing_key())

    def finish(self, deals: Sequence[bytes]) -> Refreshed:
        """The new share from the deals; every evaluator must be given the same ones."""
        self._need_refresh()
        share, secret = self.home.share(self.ceremony.act.epoch), self._secret()
        dealt: dict[int, list[bytes]] = {}
        values: dict[int, Scalar] = {}
        for dealer, fields in self._read(deals, DEAL).items():
            with_commitments = _hexes(dealer, fields.get("commitments"))
            value = self.ceremony.open(DEAL, dealer, share.index, _of(fields, "values", share.index), secret)
            _named(dealer, lambda: refresh.check_value(with_commitments, share.index, value, share.threshold))  # noqa: B023 - called at once
            dealt[dealer], values[dealer] = with_commitments, value
        before = {index: group.elements([each])[0] for index, each in self.epoch.commitments.items()}
        commitments = refresh.refreshed_commitments(before, dealt, share.threshold)
        threshold.check_commitments(share.threshold, commitments, group.elements([self.epoch.public_key])[0])
        new = refresh.refreshed_share(share, values)
        path = self.home.keep(new)
        files.destroy_secret(secret_path(self.home, share.epoch))
        return Refreshed(path, new, commitments, tuple(sorted(dealt)))

    def _need_refresh(self) -> None:
        if self.ceremony.act.lost is not None:
            raise UppropError(Code.INPUT_REFUSED, "The invitations are to make a lost share again, not to a refresh.")
        missing = sorted(set(self.epoch.commitments) - self.ceremony.keys.keys())
        if missing:
            raise UppropError(
                Code.INPUT_REFUSED,
                f"The invitation of evaluator {missing[0]} is missing. All have to take part: one with an old share "
                "could serve no more.",
            )

    # -- a lost share made again --------------------------------------------------------------------------------------

    def give(self) -> bytes:
        """This helper's parts, one for each helper."""
        lost, helpers = self._need_helpers()
        own = self.home.share(self.ceremony.act.epoch)
        parts = remaking.split(own, helpers, lost, secrets.token_bytes)
        fields = {
            "commitments": {str(taker): each.hex() for taker, each in parts.commitments.items()},
            "values": {str(taker): self.ceremony.seal(PARTS, own.index, taker, v) for taker, v in parts.values.items()},
        }
        return self.ceremony.write(PARTS, own.index, fields, self.home.signing_key())

    def add(self, given: Sequence[bytes]) -> bytes:
        """The sum of the parts that this helper was given, for the evaluator that lost its share."""
        lost, helpers = self._need_helpers()
        own, secret = self.home.index, self._secret()
        parts = []
        for giver, fields in self._parts(given, lost, helpers).items():
            part = self.ceremony.open(PARTS, giver, own, _of(fields, "values", own), secret)
            _named(giver, lambda: remaking.check_part(_committed(giver, fields)[own], part))  # noqa: B023 - called at once
            parts.append(part)
        fields = {"value": self.ceremony.seal(SUM, own, lost, remaking.added(parts))}
        return self.ceremony.write(SUM, own, fields, self.home.signing_key())

    def take(self, given: Sequence[bytes], sums: Sequence[bytes]) -> tuple[Path, Share]:
        """The share, made again, from the parts' commitments and the sums of all helpers."""
        lost, helpers = self._need_helpers()
        if lost != self.home.index:
            raise UppropError(Code.INPUT_REFUSED, f"These files make the share of evaluator {lost}, not of this one.")
        secret = self._secret()
        parts = self._parts(given, lost, helpers)
        values = []
        found = self._read(sums, SUM)
        self._need_all(found, helpers, "sum")
        for helper, fields in found.items():
            value = self.ceremony.open(SUM, helper, lost, fields.get("value"), secret)
            committed = [_committed(giver, each)[helper] for giver, each in parts.items()]
            _named(helper, lambda: remaking.check_sum(committed, value))  # noqa: B023 - called at once
            values.append(value)
        act = self.ceremony.act
        share = remaking.remade(act.epoch, lost, act.version, values, group.elements([self.epoch.commitments[lost]])[0])
        path = self.home.keep(share)
        files.destroy_secret(secret_path(self.home, act.epoch))
        return path, share

    def _parts(self, given: Sequence[bytes], lost: int, helpers: Sequence[int]) -> dict[int, dict[str, Any]]:
        found = self._read(given, PARTS)
        self._need_all(found, helpers, "parts")
        for giver, fields in found.items():
            own = group.elements([self.epoch.commitments[giver]])[0]
            _named(giver, lambda: remaking.check_parts(_committed(giver, fields), helpers, lost, giver, own))  # noqa: B023 - called at once
        return found

    def _need_helpers(self) -> tuple[int, list[int]]:
        lost = self.ceremony.act.lost
        if lost is None:
            raise UppropError(Code.INPUT_REFUSED, "The invitations are to a refresh, not to make a lost share again.")
        helpers = sorted(self.ceremony.keys.keys() - {lost})
        if lost not in self.ceremony.keys or len(helpers) != self.epoch.threshold:
            raise UppropError(
                Code.INPUT_REFUSED,
                f"Give the invitations of evaluator {lost} and of exactly {self.epoch.threshold} others.",
            )
        return lost, helpers

    # -- common -------------------------------------------------------------------------------------------------------

    def _need_all(self, found: Mapping[int, object], helpers: Sequence[int], what: str) -> None:
        for helper in helpers:
            if helper not in found:
                raise UppropError(Code.INPUT_REFUSED, f"The {what} of evaluator {helper} are missing.")
        if len(found) != len(helpers):
            raise UppropError(Code.INPUT_REFUSED, f"There are {what} of an evaluator that did not invite.")

    def _read(self, contents: Sequence[bytes], kind: str) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for content in contents:
            index, fields = self.ceremony.read(content, kind, self.home.signing_keys)
            if found.setdefault(index, fields) != fields:
                raise CeremonyError(
                    Reason.EVALUATOR_REPEATED, index, "it gave two that differ; all must use the same one"
                )
        return dict(sorted(found.items()))

    def _secret(self) -> X25519PrivateKey:
        path = secret_path(self.home, self.ceremony.act.epoch)
        if not path.exists():
            raise UppropError(
                Code.INPUT_REFUSED,
                "The one-time key of this ceremony is not here: it is finished, or was never begun on this machine. "
                "Begin again with new invitations of all.",
            )
        secret = ceremony.read_secret(files.read_secret(path))
        if secret.public_key().public_bytes_raw() != self.ceremony.keys[self.home.index]:
            raise UppropError(
                Code.INPUT_REFUSED,
                "This evaluator has made a newer invitation than the one among these files. Use one set of the newest.",
            )
        return secret


def _named(index: int, check: Callable[[], None]) -> None:
    """Run a check; what it refuses is said of that evaluator."""
    try:
        check()
    except CeremonyError:
        raise
    except PrivacyError as error:
        raise CeremonyError(error.reason, index, str(error)) from error


def _of(fields: Mapping[str, Any], name: str, index: int) -> object:
    found = fields.get(name)
    return found.get(str(index)) if isinstance(found, dict) else None


def _hexes(index: int, values: object) -> list[bytes]:
    try:
        return [bytes.fromhex(value) for value in values]  # type: ignore[attr-defined]  # whatever else it is, is refused
    except (TypeError, ValueError) as error:
        raise CeremonyError(Reason.FILE_MALFORMED, index, "its commitments are not hexadecimal") from error


def _committed(index: int, fields: Mapping[str, Any]) -> dict[int, bytes]:
    stated = fields.get("commitments")
    if not isinstance(stated, dict) or not all(key.isdigit() for key in stated):
        raise CeremonyError(Reason.FILE_MALFORMED, index, "it states no commitments")
    return dict(zip(map(int, stated), _hexes(index, stated.values()), strict=True))
