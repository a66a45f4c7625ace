"""A registry whose members sign what they send, and whose ledger is compared with its database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.checkpoint import Checkpoint
from federation.database import Database
from federation.rules.canonical import batch_signed_bytes, blinded_batch_digest
from federation.rules.merkle import Frontier
from federation.rules.vocabulary import MemberId, Signal
from registry.intake import Taken
from registry.ledger.checking import compare
from registry.ledger.claims import SignedBatch
from registry.ledger.hours import Hours
from registry.ledger.proofs import Proofs
from registry.model import Rejection
from registry.store import ledger
from tests.store.registry.scene import DUE, SINCE, A, B, C, Scene, again, arrival, leaving, pupil, shown

MEMBER_KEY = generate_private_key(SECP256R1())
_PUBLIC = MEMBER_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
ZONE = ZoneInfo("Europe/Stockholm")
NOON = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)


def signed(member: MemberId, batch_id: bytes, batch: Sequence[Signal | Rejection]) -> SignedBatch:
    stated = [entry for entry in batch if isinstance(entry, Signal)]
    digest = blinded_batch_digest(member, batch_id, stated, secrets.token_bytes(32))
    return SignedBatch(digest, MEMBER_KEY.sign(batch_signed_bytes(digest), ECDSA(SHA256())), _PUBLIC)


class LedgerScene(Scene):
    """Every batch is signed."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.hours, self.proofs = Hours(database), Proofs(database)

    def take(
        self, member: MemberId, *batch: Signal | Rejection, batch_id: bytes | None = None, on: date = SINCE
    ) -> Taken:
        name = batch_id or secrets.token_bytes(16)
        claim = signed(member, name, batch)
        return self.intake.submit(member, name, batch, on, self.descriptor.serial, claim)

    def submit(
        self,
        member: MemberId,
        *batch: Signal | Rejection,
        batch_id: bytes | None = None,
        serial: int | None = None,
        on: date = SINCE,
    ) -> list[str]:
        return [shown(disposition) for disposition in self.take(member, *batch, batch_id=batch_id, on=on).answer]

    def seal(self, hours_on: int = 0) -> Frontier:
        """Seal an hour of the scene's day."""
        sealed = self.hours.seal_due(NOON + timedelta(hours=hours_on))
        assert sealed is not None
        return sealed

    def head(self) -> Frontier:
        return self.database.view("test", ledger.head)

    def flaws(self, *kept: Checkpoint) -> list[tuple[str, int | None]]:
        """What a comparison finds, by kind and leaf."""
        found = compare(self.database, kept, lambda _step, _done, _total: None)
        return [(flaw.kind.value, flaw.leaf_index) for flaw in found.flaws]


def lived(scene: LedgerScene) -> LedgerScene:
    """Some weeks: leavings and arrivals that meet, new versions, a linked case, closes, and hours between them.

    Leaves: 0–3 batches, 4 an hour; 5 a batch, 6 an hour with transitions, cases and notices; 7 an empty hour.
    """
    gone = leaving(pupil("answered"))
    scene.submit(A, gone, leaving(pupil("missing")), leaving(pupil("shared")))
    scene.submit(B, arrival(pupil("answered")), leaving(pupil("shared")))
    scene.submit(C, arrival(pupil("elsewhere")))
    scene.submit(A, again(gone))
    scene.close(SINCE)
    scene.seal()
    scene.submit(C, arrival(pupil("late")))
    scene.close(DUE)
    scene.seal(1)
    scene.seal(2)
    return scene
