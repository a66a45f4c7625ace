"""What a party that joins does with its directory, step by step; each may be done again.

Invariants: nothing is written before the descriptor has been verified with the key that the party was given, and the
party may still join; what is there already is never overwritten, but for a newer descriptor and a certificate; a
certificate is kept only when it is of a CA of the descriptor, for this party and this key.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from federation import descriptor as descriptors
from federation import files, renewal, signing_request
from federation.admission.request import REQUEST_NAME
from federation.clock import utc_now
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.pki import new_tls_key, private_pem, public_pem, tls_key
from federation.rpc.admission import certify, fetch_descriptor
from federation.tls import CLOCK_TOLERANCE, public_key_sha256

URL_SECONDS = 20.0
_SCHEMES = ("https://", "http://")


def obtained(source: str) -> bytes:
    """The content of a descriptor: of a file, or of an http(s) address. Who gives it is not trusted.

    Raises UppropError: CONFIG_INVALID, PEER_UNREACHABLE, DESCRIPTOR_INVALID where it is too large.
    """
    if not source.startswith(_SCHEMES):
        return descriptors.read(Path(source))
    import urllib3  # no other command of any role needs it

    try:
        with urllib3.PoolManager() as pool:
            answer = pool.request("GET", source, timeout=URL_SECONDS, retries=2, preload_content=False)
            content = answer.read(descriptors.MAX_FILE_BYTES + 1)
            status = answer.status
            answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise _unfetched(source, "it does not answer") from error
    if status != 200:
        raise _unfetched(source, f"it answers {status}")
    return content


def _unfetched(source: str, why: str) -> UppropError:
    return UppropError(
        Code.PEER_UNREACHABLE,
        f"The descriptor cannot be fetched from {source}: {why}. Check the address, or fetch the file and name that.",
    )


class Joining:
    """The files of a party that joins: keys, request, descriptor, certificate."""

    def __init__(
        self,
        directory: Path,
        identity: Identity,
        authority_key: Ed25519PublicKey,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.directory = directory
        self.identity = identity
        self._authority_key = authority_key
        self._now = now
        self.descriptor_path = directory / "federation.toml"
        self.authority_path = directory / "authority.pub"
        self.key_path = directory / "tls.key"
        self.certificate_path = directory / "tls.crt"
        self.signing_request_path = directory / "tls.csr"
        self.unreached: UppropError | None = None
        self.can_ask = False

    @property
    def has_asked(self) -> bool:
        """Whether a request was made here before."""
        return (self.directory / REQUEST_NAME).exists()

    def key(self) -> EllipticCurvePrivateKey | None:
        """The TLS key that was made here before."""
        if not self.key_path.exists():
            return None
        return tls_key(files.read_secret(self.key_path), self.key_path)

    def verified(self, content: bytes) -> Descriptor:
        """A descriptor that may be joined by. Raises UppropError as `descriptor.load` does, and CONFIG_INVALID where
        another authority was pinned here before.
        """
        if self.authority_path.exists():
            pinned = descriptors.read_authority_key(self.authority_path)
            if pinned.public_bytes_raw() != self._authority_key.public_bytes_raw():
                raise UppropError(
                    Code.CONFIG_INVALID,
                    f"Another authority's key is pinned in {self.authority_path}. Join with that one, or in another "
                    "directory.",
                )
        found = descriptors.verify(content, self._authority_key)
        descriptors.check_expiry(found, self._now())
        if self.descriptor_path.exists():
            before = descriptors.verify(descriptors.read(self.descriptor_path), self._authority_key)
            descriptors.check_serial(found, before.serial)
        return found

    def check_open(self, descriptor: Descriptor, *, new_key: bool) -> None:
        """Whether the party's name is free, or listed with the key that is here, or is to get a new one.

        Raises UppropError(ADMISSION_REFUSED).
        """
        listed, key = self.listed(descriptor), self.key()
        if listed is None or new_key or (key is not None and public_key_sha256(key.public_key()) == listed):
            return
        raise UppropError(
            Code.ADMISSION_REFUSED,
            f"{self.identity} is listed already, with another key than is here. Join in the directory that has the "
            "key; or, where it is lost, ask for a new one with --new-key.",
        )

    def listed(self, descriptor: Descriptor) -> str | None:
        """The key that the descriptor lists for this party."""
        try:
            return descriptor.listed_key(self.identity)
        except UppropError:
            return None

    def begin(self) -> EllipticCurvePrivateKey:
        """Pin the authority's key and make the party's own, where they are not there yet."""
        files.private_directory(self.directory)
        if not self.authority_path.exists():
            files.replace(self.authority_path, public_pem(self._authority_key))
        key = self.key()
        if key is None:
            key = new_tls_key()
            files.write_secret(self.key_path, private_pem(key))
        return key

    def keep(self, content: bytes) -> None:
        """Put a verified descriptor in its place."""
        if not self.descriptor_path.exists() or self.descriptor_path.read_bytes() != content:
            files.replace(self.descriptor_path, content)

    def newest(self, descriptor: Descriptor) -> tuple[Descriptor, bytes | None]:
        """The newest that any registry has, verified; the descriptor itself and None where none has a newer one.

        `unreached` is why the last of them that gave nothing did so.

        Raises UppropError(CLOCK_WRONG) where a registry's clock and this machine's differ by more than five minutes.
        """
        newest, content = descriptor, None
        self.unreached = None
        self.can_ask = any(each.join_address is not None for each in descriptor.registries)
        for registry in descriptor.registries:
            if registry.join_address is None:
                continue
            try:
                answer = fetch_descriptor(
                    registry.join_address, registry.identity, descriptor.roots_pem, descriptor.serial
                )
                found = descriptor if answer.content is None else self.verified(answer.content)
            except UppropError as error:
                # One that withholds, or gives what is not the authority's, must not stand before the others.
                self.unreached = UppropError(error.code, f"At {registry.join_address}: {error.sentence}")
                continue
            self._check_clock(answer.now)
            if found.serial > newest.serial:
                newest, content = found, answer.content
        return newest, content

    def _check_clock(self, theirs: datetime) -> None:
        skew = self._now() - theirs
        if abs(skew) > CLOCK_TOLERANCE:
            minutes = round(abs(skew) / timedelta(minutes=1))
            late = "behind" if skew < timedelta(0) else "ahead of"
            raise UppropError(
                Code.CLOCK_WRONG,
                f"This machine's clock is {minutes} minutes {late} the registry's. Set it (NTP) and join again.",
            )

    def certificate(self, descriptor: Descriptor, key: EllipticCurvePrivateKey) -> bool:
        """Whether a certificate in order lies here, after asking a registry for one where none does.

        False where the federation gives certificates by another way than its registries. Raises UppropError:
        ADMISSION_PENDING where no registry lists the party yet, PEER_UNREACHABLE and so on where none answers.
        """
        if self._has_certificate(descriptor, key):
            return True
        failure = None
        for registry in descriptor.registries:
            if registry.join_address is None:
                continue
            try:
                answer = certify(
                    registry.join_address,
                    registry.identity,
                    descriptor.roots_pem,
                    signing_request.make(self.identity, key),
                )
                renewal.write(
                    self.certificate_path, renewal.checked(answer, self.identity, key, descriptor, self._now())
                )
            except UppropError as error:
                failure = error
            else:
                return True
        if failure is not None:
            raise failure
        return False

    def _has_certificate(self, descriptor: Descriptor, key: EllipticCurvePrivateKey) -> bool:
        if not self.certificate_path.exists():
            return False
        try:
            renewal.checked(self.certificate_path.read_bytes(), self.identity, key, descriptor, self._now())
        except UppropError:
            return False
        return True
