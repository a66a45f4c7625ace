"""Telling a school system what became of a withdrawal it asked for: a POST of the request's id and its state.

Invariants
    - Nothing about the pupil is sent, nor where the pupil is: an id that the school system chose, a state, a day.
    - The body is signed (HMAC-SHA-256 under a shared secret), so that a school system takes it from nobody else.
    - A state is told until it is taken, ever less often, and given up after `MAX_ATTEMPTS`; `GetWithdrawal` tells it
      still. No transaction is open while the school system answers.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.observability import Event, Level, Log
from node.casework.holds.settings import WebhookSettings
from node.store.holds import Holds, Untold
from node.store.sealing import Sealer

LOOK_SECONDS = 60.0
DEADLINE = 10.0
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=12)
MAX_ATTEMPTS = 20
MIN_SECRET_BYTES = 16
SIGNATURE = "Upprop-Signature"

FAILED = Event("webhook_failed", ("system", "attempts"), Level.WARNING)
GIVEN_UP = Event("webhook_given_up", ("system",), Level.ERROR)


class Webhooks:
    """Tells the school systems that have a webhook."""

    def __init__(
        self, database: Database, sealer: Sealer, settings: Mapping[str, WebhookSettings], clock: Clock, log: Log
    ) -> None:
        self._database, self._clock, self._log = database, clock, log
        self._settings = settings
        for name, each in settings.items():
            _secret(name, each)
        self._holds = Holds(sealer)
        self._http = urllib3.PoolManager(retries=False, timeout=DEADLINE)

    def run(self) -> int:
        """Tell what is due; returns how many were taken."""
        taken = 0
        now = self._clock.now()
        for untold in self._database.view("webhooks_due", lambda tx: self._holds.untold(tx, now)):
            settings = self._settings.get(untold.system)
            if settings is None:
                # It asks by GetWithdrawal.
                self._later(untold, None)
            elif self._tell(settings, untold):
                self._told(untold)
                taken += 1
            else:
                self._failed(untold)
        return taken

    def _told(self, untold: Untold) -> None:
        self._database.run("webhook_told", lambda tx: self._holds.told(tx, untold))

    def _later(self, untold: Untold, delay: timedelta | None) -> None:
        at = None if delay is None else self._clock.now() + delay
        self._database.run("webhook_later", lambda tx: self._holds.tell_later(tx, untold, at))

    def _failed(self, untold: Untold) -> None:
        attempts = untold.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            self._log(GIVEN_UP, system=untold.system)
            self._later(untold, None)
            return
        self._log(FAILED, system=untold.system, attempts=attempts)
        self._later(untold, min(FIRST_DELAY * 2**untold.attempts, LONGEST_DELAY))

    def _tell(self, settings: WebhookSettings, untold: Untold) -> bool:
        body = msgspec.json.encode(
            {
                "request_id": untold.hold_id.hex(),
                "state": untold.state.value,
                "state_since": untold.state_since.isoformat(),
            }
        )
        try:
            signed = hmac.new(_secret(untold.system, settings), body, hashlib.sha256).hexdigest()
            headers = {"Content-Type": "application/json", SIGNATURE: f"sha256={signed}"}
            answer = self._http.request("POST", settings.url, body=body, headers=headers, redirect=False)
        except (HTTPError, UppropError):
            # A secret that cannot be read is one school system's trouble, not the others'.
            return False
        return 200 <= answer.status < 300


def _secret(system: str, settings: WebhookSettings) -> bytes:
    """Read anew each time, so that it can be changed. Raises UppropError."""
    secret = read_secret(settings.secret_file).strip()
    if len(secret) < MIN_SECRET_BYTES:
        raise UppropError(
            Code.CONFIG_INVALID,
            f"The secret of the webhook {system} has fewer than {MIN_SECRET_BYTES} bytes. Draw a new one, for instance "
            "by: openssl rand -hex 32",
        )
    return secret
