"""Which school systems may push, by the word of the node's administrator.

Invariants: a key is recorded before its certificate is given out; a revocation is durable before it is answered, and
holds from the next call on. A revoked client's roster stays as it was last said: its pupils are in force here until
the administrator retires that school system, and until then the day up to which this member is heard stands still.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.tls import public_key_sha256
from node.push.certificates import EnrolmentCa
from node.records.person import check_system
from node.store import Transaction
from node.store.clients import ClientKey, Clients
from node.store.imports import Imports
from node.store.pushes import Pushes
from node.store.sealing import Sealer

CLIENT_ADDED = Event("push_client_added", ("client", "expires"), Level.WARNING)
CLIENT_REVOKED = Event("push_client_revoked", ("client", "keys"), Level.WARNING)


class State(enum.Enum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ClientLine:
    """A client as its administrator sees it; dates of its newest key.

    `as_of` is the day up to which its school system has been heard, `refused_as_of` that of a whole roster that came
    and was refused; None where there is none. `last_push_at` is None where nothing was taken for two months.
    """

    name: str
    state: State
    added_on: date
    expires_on: date
    last_push_at: datetime | None
    as_of: date | None
    refused_as_of: date | None

    @property
    def sentence(self) -> str:
        """How it stands, in a line of a status."""
        heard = "nothing heard yet" if self.as_of is None else f"heard as of {self.as_of}"
        refused = "" if self.refused_as_of is None else f"; a whole roster of {self.refused_as_of} was refused"
        return f"{self.state.value}, {heard}{refused}"


class PushClients:
    """Adds, revokes and lists clients."""

    def __init__(self, database: Database, sealer: Sealer, ca: EnrolmentCa, clock: Clock, log: Log) -> None:
        self._database = database
        self._ca = ca
        self._clock = clock
        self._log = log
        self._clients = Clients()
        self._imports = Imports(sealer)
        self._pushes = Pushes(sealer)

    def add(self, name: str, key: EllipticCurvePublicKey, *, renew: bool) -> x509.Certificate:
        """Let a key push for the school system `name`, and return its certificate.

        Raises UppropError(INPUT_REFUSED): a name of another form, a key that was used before, a client that has a key
        already (without `renew`).
        """
        check_system(name)
        now = self._clock.now()
        certificate = self._ca.issue(name, key)
        made = ClientKey(name, bytes.fromhex(public_key_sha256(key)), now, certificate.not_valid_after_utc)

        def work(tx: Transaction) -> None:
            if self._clients.by_key(tx, made.key_sha256) is not None:
                raise _refused("This key was given a certificate before. Make a new key for each one.")
            if not renew and any(_is_let_in(other, now) for other in self._clients.of(tx, name)):
                raise _refused(
                    f"{name} has a certificate already. Give it a further one with --renew, or revoke it first."
                )
            self._clients.add(tx, made)

        self._database.run("client_add", work)
        self._log(CLIENT_ADDED, client=name, expires=made.expires_at)
        return certificate

    def revoke(self, name: str) -> int:
        """Let in none of the client's keys from now on; returns how many were. Twice does no harm."""
        now = self._clock.now()

        def work(tx: Transaction) -> int:
            if not self._clients.of(tx, name):
                raise _refused(f"There is no client {name}. See them with: upprop node client list")
            return self._clients.revoke(tx, name, now)

        revoked = self._database.run("client_revoke", work)
        self._log(CLIENT_REVOKED, client=name, keys=revoked)
        return revoked

    def lines(self) -> tuple[ClientLine, ...]:
        """All clients, by name."""
        return self._database.view("client_list", self.lines_in)

    def lines_in(self, tx: Transaction) -> tuple[ClientLine, ...]:
        now = self._clock.now()
        pushed = self._clients.last_pushes(tx)
        heard = {system: newest.as_of for system, newest in self._imports.newest_of_each(tx).items()}
        return tuple(
            self._line(tx, name, tuple(keys), now, pushed.get(name), heard.get(name))
            for name, keys in groupby(self._clients.all(tx), key=lambda key: key.name)
        )

    def _line(
        self,
        tx: Transaction,
        name: str,
        keys: tuple[ClientKey, ...],
        now: datetime,
        last_push_at: datetime | None,
        as_of: date | None,
    ) -> ClientLine:
        staged = self._pushes.staged(tx, name)
        if any(_is_let_in(key, now) for key in keys):
            state = State.ACTIVE
        else:
            state = State.EXPIRED if any(key.revoked_at is None for key in keys) else State.REVOKED
        return ClientLine(
            name=name,
            state=state,
            added_on=keys[-1].added_at.date(),
            expires_on=keys[-1].expires_at.date(),
            last_push_at=last_push_at,
            as_of=as_of,
            # Whole and still there: it was refused.
            refused_as_of=staged[0].as_of if staged and len(staged) == staged[0].parts else None,
        )


def _is_let_in(key: ClientKey, now: datetime) -> bool:
    return key.revoked_at is None and now < key.expires_at


def _refused(sentence: str) -> UppropError:
    return UppropError(Code.INPUT_REFUSED, sentence)
