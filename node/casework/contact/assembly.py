"""Contacts put together: what people do, and what each sync carries."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.clock import Clock
from federation.database import Database
from federation.tls import OwnIdentity
from node.casework.contact.binding import Binding
from node.casework.contact.contacting import Contacting
from node.casework.contact.exchanging import Exchange, OnNews
from node.casework.contact.sealing import Signer
from node.store.case_keys import CaseKeys
from node.store.contacts import Contacts
from node.store.files import Files
from node.store.gaps import Gaps
from node.store.journal import Journal
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupils
from node.store.sealing import Sealer


def signer_of(own: OwnIdentity) -> Signer:
    """Signs in this member's name, with the key that the descriptor lists for it."""

    def public_key() -> bytes:
        return own.key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    return Signer(own.identity.member, own.sign, public_key)


def build(
    *,
    database: Database,
    sealer: Sealer,
    keys: CaseKeys,
    files: Files,
    journal: Journal,
    own: OwnIdentity,
    clock: Clock,
    name_of: Callable[[str], str],
    on_news: OnNews,
) -> tuple[Contacting, Exchange]:
    """`name_of`: the name of a member, its id where it has none. `on_news`: another member asked, accepted or wrote."""
    contacts, signer, pupils = Contacts(keys), signer_of(own), Pupils(sealer)
    binding = Binding(pupils, Gaps(pupils), Outbox(sealer), Pseudonyms(sealer))
    contacting = Contacting(database, contacts, files, journal, binding, signer, clock, secrets.token_bytes, name_of)
    return contacting, Exchange(database, contacts, files, journal, binding, signer, clock, on_news, name_of)
