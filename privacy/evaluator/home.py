"""One evaluator's own things as its commands find them: settings, shares, signing key, and the epochs in force.

For commands that work on files beside a daemon that may be running: none of them writes to the evaluator's database.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.descriptor import Descriptor, Epoch
from federation.errors import Code, UppropError
from federation.files import write_secret
from federation.identity import Kind
from federation.observability import Log
from federation.pki import read_private_signing_key
from federation.settings import load
from federation.tls import OwnIdentity
from privacy.errors import PrivacyError
from privacy.evaluator.acceptance import open_descriptors
from privacy.evaluator.settings import EvaluatorSettings
from privacy.evaluator.shares import SHARE_SUFFIX, Shares
from privacy.keys import Share, serialise_share


@dataclass(frozen=True, slots=True)
class Home:
    """What the settings of evaluator `index` lead to."""

    settings: EvaluatorSettings
    index: int
    descriptor: Descriptor

    @classmethod
    def of(cls, config: Path) -> Home:
        """Raises UppropError: CONFIG_INVALID, or why the descriptor is not in force."""
        settings = load(config, EvaluatorSettings)
        descriptors = open_descriptors(settings, Log(level="error"))
        own = OwnIdentity.of(settings, descriptors, kind=Kind.EVALUATOR)
        return cls(settings, int(own.identity.name), descriptors.current())

    @property
    def share_dir(self) -> Path:
        if self.settings.share_dir is None:
            raise UppropError(
                Code.CONFIG_INVALID,
                'The settings name no share_dir. Add a line such as share_dir = "shares", and make that directory '
                "(mode 0700): new shares are put there, and a running evaluator takes them up.",
            )
        return self.settings.share_dir

    @property
    def signing_keys(self) -> dict[int, bytes]:
        """Of all evaluators, as the descriptor lists them."""
        return {each.index: each.signing_key for each in self.descriptor.evaluators}

    def signing_key(self) -> Ed25519PrivateKey:
        if self.settings.signing_key is None:
            raise UppropError(
                Code.CONFIG_INVALID, "The settings name no signing_key, with which what this evaluator gives is signed."
            )
        key = read_private_signing_key(self.settings.signing_key)
        if key.public_key().public_bytes_raw() != self.signing_keys[self.index]:
            raise UppropError(
                Code.CONFIG_INVALID, f"{self.settings.signing_key} is not the signing key that the descriptor lists."
            )
        return key

    def epoch(self, number: int) -> Epoch:
        """Raises UppropError(EPOCH_UNKNOWN) for an epoch that is not in force."""
        return self.descriptor.epoch(number)

    def share(self, epoch: int) -> Share:
        """The share in force of an epoch; UppropError(EPOCH_UNKNOWN) where there is none here."""
        return Shares(self.index, self.settings.share_files, self.settings.share_dir).of_epoch(epoch, self.descriptor)

    def commitments(self, epoch: int) -> dict[int, bytes]:
        return dict(self.epoch(epoch).commitments)

    def keep(self, share: Share) -> Path:
        """Put a new share into `share_dir`; one that is there already, the same, stays. Raises UppropError."""
        path = self.share_dir / f"epoch-{share.epoch}.{share.version}{SHARE_SUFFIX}"
        content = serialise_share(share)
        self.share_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (path.exists() and path.read_bytes() == content):
            write_secret(path, content)
        return path


def refused(error: PrivacyError) -> UppropError:
    """What the mathematics refuses, for the person at the keyboard."""
    sentence = str(error)
    return UppropError(Code.INPUT_REFUSED, f"{sentence[0].upper()}{sentence[1:]}.")
