"""The registry's own key over the pseudonyms of one epoch, and its file.

Stands apart from the evaluators' shares so that a registry runs without libsodium: it has no part in computing
pseudonyms.

Invariants: a key that is not 32 bytes, or zero, is refused before anything starts; no `repr` tells it.
"""

from __future__ import annotations

from dataclasses import dataclass

from privacy.errors import PrivacyError, Reason
from privacy.key_file import read_fields

REGISTRY_KEY_KIND = "upprop-registry-key-v1"
REGISTRY_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class RegistryKey:
    """The registry's own key over the pseudonyms of one epoch: 32 bytes, kept outside database and backups."""

    epoch: int
    secret: bytes

    def __repr__(self) -> str:
        return f"RegistryKey(epoch={self.epoch})"


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
    fields = read_fields(content, REGISTRY_KEY_KIND, {"epoch"}, {"secret"})
    if len(fields["secret"]) != REGISTRY_KEY_BYTES:
        raise PrivacyError(Reason.KEY_LENGTH, "the registry's key is not 32 bytes long")
    if not any(fields["secret"]):
        raise PrivacyError(Reason.KEY_ZERO, "the registry's key is zero")
    return RegistryKey(fields["epoch"], fields["secret"])
