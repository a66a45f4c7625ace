"""What a request says and proves, how its key is read aloud, and what the authority makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey, generate_private_key

from federation import descriptor_draft, identity, pki, signing_request
from federation.admission import authority, request, words
from federation.admission.authority import Terms
from federation.admission.request import AdmissionRequest
from federation.descriptor import serialise_file
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.signing_request import SigningRequest
from tests.unit.chassis.test_descriptor import file

KEY = pki.new_tls_key()
OTHER = pki.new_tls_key()
NODE = identity.node("0180")

# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entropy", "said"),
    [
        # The vectors of BIP-39.
        ("00" * 16, "abandon " * 11 + "about"),
        ("7f" * 16, "legal winner thank year wave sausage worth useful legal winner thank yellow"),
        ("80" * 16, "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"),
        ("ff" * 16, "zoo " * 11 + "wrong"),
        (
            "9e885d952ad362caeb4efe34a8e91bd2",
            "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
        ),
    ],
)
def test_words_are_those_of_the_published_list(entropy: str, said: str) -> None:
    key = entropy + "5a" * 16
    assert words.words_of(key) == said
    assert words.agree(said, key)


def test_words_may_be_read_with_their_places_and_breaths() -> None:
    key = hashlib.sha256(b"a key").hexdigest()
    lines = words.in_lines(words.words_of(key))
    assert [len(line.split()) for line in lines] == [8, 8, 8]
    for heard in ("\n".join(lines), ", ".join(words.words_of(key).upper().split()), f"  {words.words_of(key)}\n"):
        assert words.agree(heard, key)


def test_a_word_misheard_left_out_or_exchanged_shows() -> None:
    key = hashlib.sha256(b"a key").hexdigest()
    said = words.words_of(key).split()
    for place in range(12):
        another = "zoo" if said[place] != "zoo" else "zone"
        assert not words.agree(" ".join([*said[:place], another, *said[place + 1 :]]), key)
        assert not words.agree(" ".join([*said[:place], *said[place + 1 :]]), key)
    assert not words.agree(" ".join([said[1], said[0], *said[2:]]), key)
    assert not words.agree(" ".join([*said, "zoo"]), key)
    assert not words.agree("", key)


# --- the request ---------------------------------------------------------------------------------------------------


def asked(
    who: Identity = NODE, key: EllipticCurvePrivateKey = KEY, csr_of: Identity | None = None, **stated: Any
) -> AdmissionRequest:
    pem = request.pem(signing_request.make(csr_of or who, key))
    return AdmissionRequest(identity=who.uri, **{"signing_request": pem, **stated})


def written(directory: Path, made: AdmissionRequest, key: EllipticCurvePrivateKey = KEY, **changes: Any) -> Path:
    """`changes` are made by hand, after the request was signed."""
    path = directory / "request.toml"
    request.write(path, made, key)
    if changes:
        stated = msgspec.toml.decode(path.read_bytes()) | changes
        path.write_bytes(msgspec.toml.encode(stated))
    return path


def refused(path: Path) -> UppropError:
    with pytest.raises(UppropError) as error:
        request.read(path)
    assert "\n" not in error.value.sentence
    return error.value


def test_a_request_says_who_asks_and_proves_the_key(tmp_path: Path) -> None:
    made = asked(name="Stockholm", home="0180")
    path = written(tmp_path, made)
    read, proved = request.read(path)
    assert (read.name, read.home) == ("Stockholm", "0180")
    assert (proved.identity, proved.public_key) == (NODE, KEY.public_key())
    # Comments and order are people's to change; what it says is not.
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(["# From Stockholm", *lines]), encoding="utf-8")
    assert request.read(path)[0] == read


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Göteborg"},
        {"name": ""},
        {"home": "1480"},
        {"address": "evil.example.se:443"},
        {"signature": ""},
        {"signature": "AAAA"},
        {"signing_key": "AA" * 16},
        {"more": "than is known"},
        {"identity": "upprop://node/1480"},
        {"identity": "upprop://nobody/0180"},
        {"identity": 180},
        {"signing_request": "no PEM"},
        {"signing_request": request.pem(signing_request.make(NODE, OTHER))},
    ],
    ids=lambda changes: "-".join(f"{name}-{value}"[:24] for name, value in changes.items()),
)
def test_nothing_in_a_request_can_be_changed(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = written(tmp_path, asked(name="Stockholm"), **changes)
    error = refused(path)
    assert error.code is Code.ADMISSION_REFUSED
    assert "Ask its sender for another one" in error.sentence


def _broken(csr: bytes) -> str:
    return request.pem(csr[:-1] + bytes([csr[-1] ^ 1]))


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (lambda: asked(csr_of=identity.node("1480")), KEY),
        (asked, OTHER),
        (lambda: asked(name="a" * 101), KEY),
        (lambda: asked(name="Stock\x1b[2Jholm"), KEY),
        (lambda: asked(name="Stock\nholm"), KEY),
        (lambda: asked(signing_request=_broken(signing_request.make(NODE, KEY))), KEY),
        (lambda: asked(key=generate_private_key(SECP384R1())), KEY),
        (lambda: asked(identity.evaluator(1), signing_key=bytes(32)), KEY),
        (lambda: asked(identity.evaluator(1), address="127.0.0.1:7441"), KEY),
        (lambda: asked(identity.registry("a"), join_address="127.0.0.1:7451"), KEY),
    ],
    ids=[
        *("another party's key", "signed by another", "long", "terminal", "two lines"),
        *("broken proof", "P-384", "no address", "no signing key", "registry without address"),
    ],
)
def test_a_request_that_is_not_in_order_is_refused(
    tmp_path: Path, made: Callable[[], AdmissionRequest], key: EllipticCurvePrivateKey
) -> None:
    assert refused(written(tmp_path, made(), key)).code is Code.ADMISSION_REFUSED


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"identity = ", bytes(65 * 1024), b"a = 1\n" * 20_000])
def test_what_is_no_request_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "request.toml"
    path.write_bytes(content)
    assert refused(path).code is Code.ADMISSION_REFUSED


def test_a_request_that_cannot_be_read_is_told_by_its_name(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.toml"):
        error = refused(path)
        assert error.code is Code.INPUT_REFUSED
        assert str(path) in error.sentence


# --- the authority -------------------------------------------------------------------------------------------------


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.toml"
    path.write_bytes(serialise_file(file()))
    return path


def admit(draft: Path, made: AdmissionRequest, key: EllipticCurvePrivateKey = KEY, **terms: Any) -> None:
    who = Identity.parse(made.identity)
    authority.admit(draft, made, SigningRequest(who, key.public_key()), Terms(**terms))


def key_sha256(key: EllipticCurvePrivateKey = KEY) -> str:
    return SigningRequest(NODE, key.public_key()).key_sha256


def test_each_kind_of_party_is_listed_with_its_key(draft: Path) -> None:
    third = pki.new_tls_key()
    admit(draft, asked(identity.node("2480"), name="Umeå"), population=9_000, calendar="north")
    admit(draft, asked(identity.node("0180-5561234567"), OTHER, name="Skolan"), OTHER, population=100)
    admit(draft, asked(identity.node("0180-5561234568"), third, home="1480"), third, population=100)
    admit(draft, asked(identity.evaluator(4), address="e4.example.se:7440", signing_key=bytes(range(32))))
    stated: dict[str, Any] = {
        "address": "b.example.se:7450",
        "join_address": "b.example.se:7451",
        "ledger_key": bytes(range(32)),
    }
    admit(draft, asked(identity.registry("b"), **stated))
    fourth = pki.new_tls_key()
    admit(draft, asked(Identity.parse("upprop://authority/statistics"), fourth), fourth, role="statistics")
    made = descriptor_draft.read(draft)
    members = {each.id: each for each in made.members}
    umea, one, two = (members[each] for each in ("2480", "0180-5561234567", "0180-5561234568"))
    assert (umea.name, umea.kind, umea.population, umea.calendar) == ("Umeå", "municipality", 9_000, "north")
    assert (one.kind, one.home, two.home, umea.home) == ("operator", "0180", "1480", None)
    assert made.evaluators[-1].address == "e4.example.se:7440"
    assert (made.registries[-1].join_address, made.ledger_key) == ("b.example.se:7451", bytes(range(32)))
    assert made.readers[-1].role == "statistics"
    assert (one.key_sha256, two.key_sha256) == (key_sha256(OTHER), key_sha256(third))
    assert made.readers[-1].key_sha256 == key_sha256(fourth)
    listed = (umea, made.evaluators[-1], made.registries[-1])
    assert {each.key_sha256 for each in listed} == {key_sha256()}


@pytest.mark.parametrize(
    ("who", "stated", "terms"),
    [
        (identity.node("2480"), {}, {"population": 9_000}),
        (identity.evaluator(4), {"address": "e4.example.se:7440", "signing_key": bytes(range(32))}, {}),
        (identity.registry("b"), {"address": "b.example.se:7450"}, {}),
        (Identity.parse("upprop://authority/statistics"), {}, {"role": "statistics"}),
    ],
    ids=["node", "evaluator", "registry", "reader"],
)
def test_another_key_takes_the_place_of_the_listed_one_only_when_told(
    draft: Path, who: Identity, stated: dict[str, Any], terms: dict[str, Any]
) -> None:
    admit(draft, asked(who, **stated), **terms)
    before = draft.read_bytes()
    # The same request again changes nothing.
    admit(draft, asked(who, **stated), **terms)
    assert draft.read_bytes() == before
    with pytest.raises(UppropError) as error:
        admit(draft, asked(who, OTHER, **stated), OTHER, **terms)
    assert error.value.code is Code.ADMISSION_REFUSED
    assert draft.read_bytes() == before
    admit(draft, asked(who, OTHER, **stated), OTHER, replace=True, **terms)
    assert draft.read_bytes() == before.replace(key_sha256().encode(), key_sha256(OTHER).encode())


def test_a_member_that_is_admitted_anew_keeps_its_calendar(draft: Path) -> None:
    admit(draft, asked(identity.node("2480")), population=9_000, calendar="north")
    admit(draft, asked(identity.node("2480"), OTHER), OTHER, population=9_500, replace=True)
    [listed] = [each for each in descriptor_draft.read(draft).members if each.id == "2480"]
    assert (listed.population, listed.calendar) == (9_500, "north")


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (asked(identity.node("2480")), Code.INPUT_REFUSED),
        (asked(Identity.parse("upprop://authority/statistics")), Code.INPUT_REFUSED),
        (asked(Identity.parse("upprop://operator/ops")), Code.ADMISSION_REFUSED),
    ],
    ids=["no population", "no role", "operator"],
)
def test_what_is_refused_leaves_the_draft_as_it_was(draft: Path, made: AdmissionRequest, code: Code) -> None:
    before = draft.read_bytes()
    with pytest.raises(UppropError) as error:
        admit(draft, made)
    assert error.value.code is code
    assert draft.read_bytes() == before


def test_one_key_is_one_members_alone(draft: Path) -> None:
    admit(draft, asked(identity.node("2480")), population=9_000)
    before = draft.read_bytes()
    with pytest.raises(UppropError) as error:
        admit(draft, asked(identity.node("2481")), population=9_000)
    assert error.value.code is Code.INPUT_REFUSED
    assert draft.read_bytes() == before


def test_registries_sign_one_ledger(draft: Path) -> None:
    admit(draft, asked(identity.registry("b"), address="b.example.se:7450", ledger_key=bytes(range(32))))
    before = draft.read_bytes()
    with pytest.raises(UppropError) as error:
        admit(draft, asked(identity.registry("c"), address="c.example.se:7450", ledger_key=bytes(range(1, 33))))
    assert error.value.code is Code.ADMISSION_REFUSED
    assert draft.read_bytes() == before
