"""What members state and write to each other: nothing but what was signed, in its own place, opens."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.rules.contact import MAX_STATEMENT_BYTES, SEALED_BYTES
from node.casework.contact.model import MAX_NAME_BYTES, MAX_TEXT_BYTES, Ground, Pair, Side
from node.casework.contact.sealing import (
    FRESH,
    ForgedError,
    Place,
    Signer,
    make_acceptance,
    make_request,
    new_secret,
    open_sealed,
    public_of,
    read_acceptance,
    read_request,
    seal,
)

TODAY = date(2026, 9, 21)
REQUEST_ID, CONTACT_ID = bytes(16), b"\x01" * 16
PAIR = Pair(1, b"\x02" * 32)


def signer(member: str) -> Signer:
    key = generate_private_key(SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Signer(member, lambda content: key.sign(content, ECDSA(SHA256())), lambda: public)


def listed_of(*signers: Signer) -> dict[str, str]:
    return {each.member: hashlib.sha256(each.public_key()).hexdigest() for each in signers}


LEAD, OTHER, THIRD = signer("0180"), signer("1280"), signer("1480")
LISTED = listed_of(LEAD, OTHER, THIRD).get
SECRET = new_secret()
PLACE = Place("0180", "1280", CONTACT_ID, Side.ASKED, 3)


def test_a_request_says_who_asks_and_on_which_ground_and_nothing_else() -> None:
    made = make_request(LEAD, REQUEST_ID, SECRET, Ground.CHILD_AT_RISK, TODAY)
    assert len(made.content) <= MAX_STATEMENT_BYTES
    content, key = read_request(made, REQUEST_ID, TODAY, LISTED)
    assert (content.member, content.ground, key) == ("0180", Ground.CHILD_AT_RISK, public_of(SECRET))
    assert set(content.__struct_fields__) == {"what", "version", "member", "request_id", "key", "ground", "made_on"}


def test_a_request_that_was_changed_or_kept_is_no_request() -> None:
    made = make_request(LEAD, REQUEST_ID, SECRET, Ground.CHILD_AT_RISK, TODAY)
    other = make_request(OTHER, REQUEST_ID, SECRET, Ground.CHILD_AT_RISK, TODAY)
    for forged in (
        replace(made, content=made.content.replace(b"CHILD_AT_RISK", b"SECRECY_BALANCE")),
        replace(made, content=made.content.replace(b'"0180"', b'"1280"')),
        replace(made, signature=other.signature),
        # Signed by somebody, in another's name.
        replace(other, content=made.content),
        replace(made, public_key=other.public_key),
        replace(made, content=b"{}"),
        replace(made, content=made.content[:-1] + b',"name":"somebody"}'),
        replace(made, public_key=b"no key"),
    ):
        with pytest.raises(ForgedError):
            read_request(forged, REQUEST_ID, TODAY, LISTED)
    with pytest.raises(ForgedError):
        read_request(made, b"\x09" * 16, TODAY, LISTED)
    with pytest.raises(ForgedError):
        read_request(made, REQUEST_ID, TODAY + FRESH + timedelta(days=1), LISTED)
    # A member that the federation has no more.
    with pytest.raises(ForgedError):
        read_request(made, REQUEST_ID, TODAY, lambda _member: None)


def test_an_acceptance_is_of_one_request_of_one_member() -> None:
    made = make_request(LEAD, REQUEST_ID, SECRET, Ground.CHILD_AT_RISK, TODAY)
    _, _ = read_request(made, REQUEST_ID, TODAY, LISTED)
    secret = new_secret()
    digest = hashlib.sha256(made.content).digest()
    accepted = make_acceptance(OTHER, "0180", digest, secret, TODAY)
    content, key = read_acceptance(accepted, made.content, "0180", LISTED)
    assert (content.member, key) == ("1280", public_of(secret))
    another = make_request(LEAD, b"\x05" * 16, SECRET, Ground.CHILD_AT_RISK, TODAY)
    for statement, request, asking in (
        (accepted, another.content, "0180"),
        (accepted, made.content, "1480"),
        (make_acceptance(LEAD, "0180", digest, secret, TODAY), made.content, "0180"),
        (made, made.content, "0180"),
    ):
        with pytest.raises(ForgedError):
            read_acceptance(statement, request, asking, LISTED)


def test_a_message_opens_in_its_own_place_alone() -> None:
    [part] = seal(OTHER, PLACE, [PAIR], public_of(SECRET), "Hej", "Bo")
    payload, pair = open_sealed(SECRET, PLACE, [part], [Pair(2, PAIR.digest), PAIR], "1280", LISTED)
    assert (payload.text, payload.by, pair) == ("Hej", "Bo", PAIR)
    for place in (
        replace(PLACE, asking="1480"),
        replace(PLACE, asked="1480"),
        replace(PLACE, asking="1280", asked="0180"),
        replace(PLACE, contact_id=bytes(16)),
        replace(PLACE, sender=Side.ASKING),
        replace(PLACE, sequence=4),
    ):
        with pytest.raises(ForgedError):
            open_sealed(SECRET, place, [part], [PAIR], "1280", LISTED)
    flipped = replace(part, sealed=part.sealed[:-1] + bytes([part.sealed[-1] ^ 1]))
    for parts, pairs, sender, secret in (
        ([part], [Pair(1, bytes(32))], "1280", SECRET),
        ([part], [Pair(2, PAIR.digest)], "1280", SECRET),
        ([replace(part, epoch=2)], [Pair(2, PAIR.digest)], "1280", SECRET),
        ([part], [PAIR], "1480", SECRET),
        ([part], [PAIR], "1280", new_secret()),
        ([flipped], [PAIR], "1280", SECRET),
        ([replace(part, sealed=part.sealed[:100])], [PAIR], "1280", SECRET),
        ([], [PAIR], "1280", SECRET),
    ):
        with pytest.raises(ForgedError):
            open_sealed(secret, PLACE, parts, pairs, sender, LISTED)


def test_whoever_knows_the_readers_key_cannot_write_in_anothers_name() -> None:
    """The registry has seen every public key; what it seals itself bears no signature by the member's listed key."""
    forged = seal(replace(THIRD, member="1280"), PLACE, [PAIR], public_of(SECRET), "Hej", "Bo")
    with pytest.raises(ForgedError):
        open_sealed(SECRET, PLACE, forged, [PAIR], "1280", LISTED)


def test_a_message_cannot_be_handed_on_to_another_reader_in_the_senders_name() -> None:
    """The signature covers for whom it was sealed: a reader that opens it cannot seal it anew to somebody else."""
    [first] = seal(OTHER, PLACE, [PAIR], public_of(SECRET), "Hej", "Bo")
    payload, _ = open_sealed(SECRET, PLACE, [first], [PAIR], "1280", LISTED)
    elsewhere = new_secret()
    again = seal(replace(LEAD, member="1280"), PLACE, [PAIR], public_of(elsewhere), payload.text, payload.by)
    with pytest.raises(ForgedError):
        open_sealed(elsewhere, PLACE, again, [PAIR], "1280", LISTED)


def test_every_message_has_one_size() -> None:
    pairs = [Pair(epoch, bytes([epoch]) * 32) for epoch in range(1, 6)]
    sizes = set()
    for text in ("", "x", "å" * (MAX_TEXT_BYTES // 2), '"' * MAX_TEXT_BYTES):
        parts = seal(OTHER, PLACE, pairs, public_of(SECRET), text, "ö" * (MAX_NAME_BYTES // 2))
        assert len(parts) == 4
        sizes |= {len(part.sealed) for part in parts}
    assert sizes == {SEALED_BYTES}
