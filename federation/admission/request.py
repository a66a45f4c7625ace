"""The admission request: the file in which a party says who it is and shows that it holds its key.

TOML, to be read by people before it is by programs. Invariants: nothing in it is secret or about a person; unknown keys
are refused; the party it names is the one that its signing request names. All of it is signed with the key that the
signing request is for, so that whoever compares the words of that key has compared everything in it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from federation import files, signing_request
from federation.descriptor_file import Address, Key32
from federation.errors import Code, UppropError
from federation.identity import Identity, Kind
from federation.signing_request import SigningRequest

REQUEST_NAME = "request.toml"
MAX_FILE_BYTES = 64 * 1024
MAX_NAME = 100

_CONTEXT = b"upprop/admission/v1\x00"

_HEAD = """\
# A request for admission to the federation. It holds no secret: send it to the authority as it is, and read the words
# of its key to it over the telephone.
"""


class AdmissionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`signing_request` is PKCS #10 (PEM), `signature` the ECDSA signature (SHA-256, DER) of its key over all the rest.

    An evaluator states its address and the public key (raw Ed25519) with which it signs epochs; a registry
    its addresses, and the public key (raw Ed25519) of its ledger.
    """

    identity: str
    name: str = ""
    home: str | None = None
    address: Address | None = None
    join_address: Address | None = None
    signing_key: Key32 | None = None
    ledger_key: Key32 | None = None
    signing_request: str
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        """What the signature is over: every field but itself, in a fixed order."""
        stated = {name: value for name, value in _plain(self).items() if name != "signature"}
        return _CONTEXT + msgspec.json.encode(stated, order="sorted")


def _plain(request: AdmissionRequest) -> dict[str, object]:
    return {name: value for name, value in msgspec.to_builtins(request).items() if value is not None}


def write(path: Path, request: AdmissionRequest, key: EllipticCurvePrivateKey) -> None:
    """Sign a request with the key that its signing request is for, and write it."""
    signed = msgspec.structs.replace(request, signature=key.sign(request.signed_bytes(), ECDSA(SHA256())))
    files.replace(path, _HEAD.encode() + msgspec.toml.encode(_plain(signed)))


def pem(request: bytes) -> str:
    """A signing request (DER) as PEM."""
    return x509.load_der_x509_csr(request).public_bytes(Encoding.PEM).decode()


def read(path: Path) -> tuple[AdmissionRequest, SigningRequest]:
    """A request and what its key has proved. Raises UppropError(ADMISSION_REFUSED) for one that is not in order."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UppropError(Code.INPUT_REFUSED, f"The request {path} cannot be read: {error.strerror}.") from error
    try:
        if len(content) > MAX_FILE_BYTES:
            raise ValueError("it is too large")  # noqa: TRY301 - one place says what is wrong with a request
        request = msgspec.toml.decode(content, type=AdmissionRequest)
        der = x509.load_pem_x509_csr(request.signing_request.encode()).public_bytes(Encoding.DER)
    except msgspec.ValidationError as error:
        raise refused(path, f"it is not understood ({f'{error}'[:200]})") from error
    except (msgspec.DecodeError, ValueError, UnicodeDecodeError) as error:
        raise refused(path, "it cannot be read") from error
    try:
        proved = signing_request.read(der)
        named = Identity.parse(request.identity)
    except UppropError as error:
        raise refused(path, error.sentence.rstrip(".")) from error
    if proved.identity != named:
        raise refused(path, f"it says that it is of {named}, and its key was made for {proved.identity}")
    if not (request.name.isprintable() and len(request.name) <= MAX_NAME):
        # It is shown on the authority's terminal, and in descriptors.
        raise refused(path, f"its name is longer than {MAX_NAME} characters, or has others than letters and signs")
    try:
        proved.public_key.verify(request.signature, request.signed_bytes(), ECDSA(SHA256()))
    except InvalidSignature as error:
        raise refused(path, "it is not signed with its own key as a whole, so something in it was changed") from error
    lacks = {
        Kind.EVALUATOR: request.address is None or request.signing_key is None,
        Kind.REGISTRY: request.address is None,
    }
    if lacks.get(named.kind):
        raise refused(path, "it lacks an address, or the key with which an evaluator signs")
    return request, proved


def refused(path: Path, reason: str) -> UppropError:
    return UppropError(
        Code.ADMISSION_REFUSED, f"The request {path} is refused: {reason}. Ask its sender for another one."
    )
