"""What a registry and an evaluator make for themselves before they are listed: keys, a request, and settings.

Invariants: nothing that is there is overwritten; no key leaves the directory. The federation's descriptor and the
authority's key come from the authority and lie beside the settings.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import files, signing_request
from federation.admission import request as requests
from federation.admission import words
from federation.admission.request import REQUEST_NAME, AdmissionRequest
from federation.descriptor_file import Address
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.pki import new_tls_key, private_pem, public_pem
from federation.tls import public_key_sha256

CONFIG_NAME = "config.toml"


def begin(directory: Path, *addresses: str | None) -> None:
    """Make the directory. Raises UppropError: CONFIG_INVALID where a party has its settings already, INPUT_REFUSED
    for what is no address.
    """
    config = directory / CONFIG_NAME
    if config.exists():
        raise UppropError(Code.CONFIG_INVALID, f"{config} exists already and is not overwritten; move it away first.")
    for address in addresses:
        try:
            msgspec.convert(address, Address | None)
        except msgspec.ValidationError as error:
            raise UppropError(
                Code.INPUT_REFUSED, f"{address!r} is no address. State host and port, such as upprop.example.se:7450."
            ) from error
    files.private_directory(directory)


def signing_key(directory: Path, name: str) -> bytes:
    """Make an Ed25519 key `name`.key with its public half beside it; returns that (raw)."""
    key = Ed25519PrivateKey.generate()
    files.write_secret(directory / f"{name}.key", private_pem(key))
    files.replace(directory / f"{name}.pub", public_pem(key.public_key()))
    return key.public_key().public_bytes_raw()


def found(directory: Path, identity: Identity, config: str, **stated: object) -> str:
    """Make the TLS key and the request, then write the settings; returns what to do next."""
    key = new_tls_key()
    files.write_secret(directory / "tls.key", private_pem(key))
    pem = requests.pem(signing_request.make(identity, key))
    requests.write(
        directory / REQUEST_NAME,
        AdmissionRequest(identity=identity.uri, signing_request=pem, **stated),  # type: ignore[arg-type]
        key,
    )
    files.replace(directory / CONFIG_NAME, config.encode())
    lines = words.in_lines(words.words_of(public_key_sha256(key.public_key())))
    told = "".join(f"  {line}\n" for line in lines)
    return (
        f"Keys and settings are in {directory}. Send {directory / REQUEST_NAME} to the authority, and read it the "
        f"words of your key over the telephone:\n\n{told}\n"
        "Put what it sends back beside the settings: federation.toml, authority.pub and tls.crt (from the federation's "
        "CA; later certificates come by themselves)."
    )
