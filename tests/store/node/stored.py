"""Pupils and versions to be kept, for the tests of the node's store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy import Connection

from federation.database import Database
from federation.migration import migrate
from federation.rules.vocabulary import Handle, Opening, OpeningKind, Presence, Signal
from node.identity import Identity, Route
from node.outbox import PseudonymRef, Version
from node.settings import STORE_PACKAGE
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupil, Pupils
from node.store.sealing import Sealer
from privacy.identifiers import CanonicalNumber, NumberKind, Sound

SEALER = Sealer(bytes(range(32)))
PUPILS = Pupils(SEALER)
OUTBOX = Outbox(SEALER)
PSEUDONYMS = Pseudonyms(SEALER)
MADE_ON = date(2026, 9, 7)


def pupil_id(place: int) -> bytes:
    return b"p" + place.to_bytes(15, "big")


def handle(place: int) -> Handle:
    return Handle(b"h" + place.to_bytes(15, "big"))


def number(place: int) -> Sound:
    """Not a sound number, but stored like one; its birth number is of those kept for tests."""
    return Sound(NumberKind.PERSONNUMMER, CanonicalNumber(f"20120101{9800 + place:04}"))


def number_index(place: int) -> bytes:
    return PUPILS.number_index(number(place))


def ref(place: int, epoch: int = 1) -> PseudonymRef:
    return PseudonymRef(epoch, number_index(place))


def pupil(place: int, route: Route = Route.REGISTRY, *, protected: bool = False) -> Pupil:
    identity = Identity((f"person-{place}",), (number(place),), "Förnamn", f"Efternamn{place}")
    return Pupil(pupil_id(place), handle(place), identity, (), route, protected=protected, dirty=False)


def version(place: int, count: int = 1, *, epochs: tuple[int, ...] = (1,), retracted: bool = False) -> Version:
    signal = Signal(
        handle(place),
        count,
        (),
        () if retracted else (Presence(date(2026, 8, 20), date(2026, 9, 5)),),
        None if retracted else Opening(1, OpeningKind.LEFT, date(2026, 9, 5)),
        retracted=retracted,
        nonce=count.to_bytes(16, "big"),
    )
    return Version(signal, tuple(ref(place, epoch) for epoch in epochs))


@contextmanager
def opened(database: Database, *pupils: Pupil) -> Iterator[Database]:
    """A migrated store that holds these pupils."""
    migrate(database, STORE_PACKAGE)

    def work(tx: Connection) -> None:
        PUPILS.add(tx, pupils)

    database.run("test_pupils", work)
    yield database
