"""The descriptor of a running party: read again when a file changes, brought by the registry when it has a newer one.

Two places hold it: the file that the settings name, which people put there, and `federation.toml` in the data
directory, which `receive` writes. The one with the higher serial counts. A party that must not take up by itself what
the registry brings (an evaluator) keeps it as an *offer* until its administrator accepts it; until then the offer only
denies: who is listed in the descriptor in force and no longer in the offer is refused.

Invariants: the highest serial ever accepted is on disk before the descriptor that bears it is used; a file that is
refused changes nothing, and the descriptor in force stays so until it expires; what is written was verified first, so
nothing is taken on a registry's word.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from federation import files
from federation.clock import utc_now
from federation.descriptor import Descriptor, check_expiry, check_serial, read, read_authority_key, verify
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log

if TYPE_CHECKING:
    from federation.settings import DaemonSettings

SEEN_NAME = "descriptor.seen"
RECEIVED_NAME = "federation.toml"
OFFERED_NAME = "federation.offered.toml"

ACCEPTED = Event("descriptor_accepted", ("serial", "expires", "members"))
REFUSED = Event("descriptor_refused", ("code",), Level.ERROR)
OFFERED = Event("descriptor_offered", ("serial",), Level.WARNING)

Check = Callable[[Descriptor], None]
"""What a party demands of a descriptor beyond its being in order; raises UppropError."""


def check_same(descriptor: Descriptor, content: bytes, serial: int, digest: str) -> None:
    """Raises UppropError(DESCRIPTOR_CHANGED) for another file with a serial that was seen before."""
    if descriptor.serial == serial and hashlib.sha256(content).hexdigest() != digest:
        raise UppropError(
            Code.DESCRIPTOR_CHANGED,
            f"Another descriptor with serial {serial} was seen here before. "
            "Ask the authority which one is right, and for one with a new serial.",
        )


class DescriptorStore:
    """The descriptor in force; safe to use from several threads.

    `seen_path` keeps the last accepted serial and the digest of its file: two files with one serial are refused, as
    only one of them can be what the authority meant (DESCRIPTOR_CHANGED). `directory` is where what was received is
    kept; without it nothing can be. `takes_up`: whether what was received counts at once, or is an offer. One that
    `looks_only` says what a party would have in force, and writes nothing: for whoever examines another's files.
    """

    def __init__(
        self,
        path: Path,
        authority_key: Ed25519PublicKey,
        seen_path: Path,
        *,
        directory: Path | None = None,
        takes_up: bool = True,
        check: Check = lambda _descriptor: None,
        looks_only: bool = False,
        now: Callable[[], datetime] = utc_now,
        log: Log | None = None,
    ) -> None:
        self._path = path
        self._authority_key = authority_key
        self._seen_path = seen_path
        self._received_path = None if directory is None else directory / RECEIVED_NAME
        self._offered_path = None if directory is None or takes_up else directory / OFFERED_NAME
        self._check = check
        self._looks_only = looks_only
        self._now = now
        self._log = log
        self._lock = threading.Lock()
        self._stamp: object = None
        self._current: Descriptor | None = None
        self._content = b""
        self._refusal: UppropError | None = None
        self._offer_stamp: object = None
        self._offer: Descriptor | None = None

    @classmethod
    def of(
        cls,
        settings: DaemonSettings,
        log: Log | None = None,
        *,
        takes_up: bool = True,
        check: Check = lambda _descriptor: None,
        looks_only: bool = False,
        now: Callable[[], datetime] = utc_now,
    ) -> DescriptorStore:
        """The store that a role's settings describe."""
        return cls(
            settings.descriptor,
            read_authority_key(settings.authority_key),
            settings.data_dir / SEEN_NAME,
            directory=settings.data_dir,
            takes_up=takes_up,
            check=check,
            looks_only=looks_only,
            now=now,
            log=log,
        )

    def current(self) -> Descriptor:
        """The descriptor in force. Raises UppropError as `descriptor.load` does, for the first file only, and
        DESCRIPTOR_EXPIRED whenever the one in force has expired.
        """
        with self._lock:
            self._look()
            assert self._current is not None
            check_expiry(self._current, self._now())
            return self._current

    def content(self) -> bytes:
        """The file of the descriptor in force, as the authority signed it, expired or not.

        Raises UppropError as `current` does for the first file, unless that counted here before it expired.
        """
        with self._lock:
            self._look()
            return self._content

    def last(self) -> Descriptor:
        """The last one accepted, expired or not: under an expired one no party is spoken to."""
        with self._lock:
            current = self._current
        return self.current() if current is None else current

    def newest(self) -> Descriptor:
        """The one in force, or the last that was: for what is shown rather than done."""
        try:
            return self.current()
        except UppropError:
            return self.last()

    def refusal(self) -> UppropError | None:
        """Why the file that lies there now was not taken up, while an earlier one stays in force; None where it was."""
        with self._lock:
            return self._refusal

    def receive(self, content: bytes) -> bool:
        """Keep a descriptor that somebody brought; False where it is not newer than what is known.

        Raises UppropError as `descriptor.load` does: who brings it is not trusted.
        """
        brought = verify(content, self._authority_key)
        check_expiry(brought, self._now())
        if self._received_path is None:
            return False
        files.private_directory(self._received_path.parent)
        # A command beside a daemon must not put an older one over what the daemon has just received.
        with self._lock, files.alone(self._received_path.parent):
            self._look_past_expiry()
            self._look_at_offer()
            newest = max(self._current.serial if self._current else 0, self._offer.serial if self._offer else 0)
            # Also of one older than the last that counted here: it would take the place of the file that holds that.
            if brought.serial <= newest or brought.serial < self._seen()[0]:
                return False
            files.replace(self._offered_path or self._received_path, content)
            if self._offered_path is not None and self._log is not None:
                self._log(OFFERED, serial=brought.serial)
            return True

    def offer(self) -> Descriptor | None:
        """A newer descriptor that waits for the administrator to accept it."""
        with self._lock:
            self._look_past_expiry()
            self._look_at_offer()
            return self._offer

    def offered_content(self) -> bytes:
        """The file of what is offered; empty where nothing is."""
        with self._lock:
            self._look_at_offer()
            return b"" if self._offer is None or self._offered_path is None else self._offered_path.read_bytes()

    def accept(self, content: bytes) -> Descriptor:
        """Take up what the administrator has been shown, which need not be what is offered by now; returns it.

        Raises UppropError as `descriptor.load` does, and DESCRIPTOR_OLDER where a newer one is in force.
        """
        shown = verify(content, self._authority_key)
        check_expiry(shown, self._now())
        if self._received_path is None:
            raise UppropError(Code.INPUT_REFUSED, "There is no directory here to keep a descriptor in.")
        files.private_directory(self._received_path.parent)
        with self._lock, files.alone(self._received_path.parent):
            self._look_past_expiry()
            if self._current is not None:
                check_serial(shown, self._current.serial)
                check_same(shown, content, self._current.serial, hashlib.sha256(self._content).hexdigest())
            self._check(shown)
            files.replace(self._received_path, content)
        return self.current()

    def _look_past_expiry(self) -> None:
        # Whoever comes back after long has an expired one, and must be able to take the next.
        try:
            self._look()
        except UppropError as error:
            if error.code is not Code.DESCRIPTOR_EXPIRED:
                raise

    def _look(self) -> None:
        stamp = files.stamp(self._path), self._received_path and files.stamp(self._received_path)
        if self._current is None:
            self._take_up()
        elif stamp != self._stamp:
            self._refusal = None
            try:
                self._take_up()
            except UppropError as error:
                self._refused(error)
        self._stamp = stamp

    def _refused(self, error: UppropError) -> None:
        self._refusal = error
        if self._log is not None:
            self._log(REFUSED, code=error.code)

    def _take_up(self) -> None:
        # In this order: what another process takes up meanwhile is then newer than what was seen, and not the reverse.
        serial, digest = self._seen()
        content, accepted = self._newest()
        own_digest = hashlib.sha256(content).hexdigest()
        # At a start the one that counted before stays what later ones are held against; `current` looks at its expiry.
        if self._current is not None or (serial, digest) != (accepted.serial, own_digest):
            check_expiry(accepted, self._now())
        check_serial(accepted, serial)
        check_same(accepted, content, serial, digest)
        if accepted.serial != serial:
            self._check(accepted)
        if accepted.serial != serial and not self._looks_only:
            files.private_directory(self._seen_path.parent)
            files.replace(self._seen_path, f"{accepted.serial} {own_digest}\n".encode())
            if self._log is not None:
                self._log(ACCEPTED, serial=accepted.serial, expires=accepted.expires, members=len(accepted.members))
        self._content, self._current = content, accepted

    def _newest(self) -> tuple[bytes, Descriptor]:
        """Of the file that people put there and the one that was received, the one with the higher serial."""
        received = self._received()
        try:
            content = read(self._path)
            stated = verify(content, self._authority_key)
        except UppropError as error:
            # At a start it stops the party. Later what was received before may be in order still.
            if self._current is None or received is None:
                raise
            self._refused(error)
            return received
        if received is not None and received[1].serial > stated.serial:
            return received
        return content, stated

    def _received(self) -> tuple[bytes, Descriptor] | None:
        if self._received_path is None:
            return None
        try:
            content = self._received_path.read_bytes()
            return content, verify(content, self._authority_key)
        except (OSError, UppropError):
            return None

    def _look_at_offer(self) -> None:
        if self._offered_path is None:
            return
        stamp = files.stamp(self._offered_path)
        if stamp != self._offer_stamp:
            self._offer_stamp = stamp
            try:
                self._offer = verify(self._offered_path.read_bytes(), self._authority_key)
            except (OSError, UppropError):
                self._offer = None
        if self._offer is not None and self._current is not None and self._offer.serial <= self._current.serial:
            self._offer = None

    def _seen(self) -> tuple[int, str]:
        try:
            text = self._seen_path.read_text(encoding="ascii")
        except (FileNotFoundError, NotADirectoryError):
            return 0, ""
        except (OSError, UnicodeDecodeError) as error:
            raise self._unreadable() from error
        serial, _, digest = text.strip().partition(" ")
        if not serial.isdigit() or len(digest) != 64:
            raise self._unreadable()
        return int(serial), digest

    def _unreadable(self) -> UppropError:
        # Starting from zero would accept an old descriptor.
        return UppropError(
            Code.CONFIG_INVALID,
            f"{self._seen_path} is damaged. Restore it from a backup, or remove it once you have made sure that the "
            "descriptor in place is the newest.",
        )
