"""What a lying OpenID provider, or whoever stands before it, can send: none of it logs anybody in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from node.console.login.provider import Attempt, Provider, RefusedLoginError
from node.console.settings import OpenId
from tests.harness.lying_provider import NONCE, OTHER_KEY, OWN_KEY, Liar, lying

ATTEMPT = Attempt("state-of-this-login", NONCE, "v" * 43)
SOUND = {"state": ATTEMPT.state, "code": "a-code"}


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying() as told:
        yield told


def provider(liar: Liar) -> Provider:
    return Provider(OpenId(issuer=liar.issuer, client_id="upprop"), "http://127.0.0.1:1/login/answer")


def test_a_sound_answer_names_the_person_and_the_groups(liar: Liar) -> None:
    person = provider(liar).person(SOUND, ATTEMPT)
    assert (person.subject, person.name, person.groups) == ("someone", "Någon", ("a-group",))
    assert "someone" not in repr(person)


def test_school_units_are_taken_from_their_claim_alone_and_asked_for_where_the_token_lacks_them(liar: Liar) -> None:
    settings = OpenId(issuer=liar.issuer, client_id="upprop", units_claim="school_units")
    asked = Provider(settings, "http://127.0.0.1:1/login/answer")
    liar.claims.update(groups=["a-group"])
    assert asked.person(SOUND, ATTEMPT).units == ()
    liar.userinfo.update(school_units=["a", 7, "b"])
    assert asked.person(SOUND, ATTEMPT).units == ("a", "b")
    liar.claims.update(school_units="c")
    assert asked.person(SOUND, ATTEMPT).units == ("c",)
    assert provider(liar).person(SOUND, ATTEMPT).units == ()


def no_signature(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), algorithms=["none"])


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    # The old confusion of RS256 with HS256: what everybody may know is taken for a shared secret.
    public = OctKey.import_key(OWN_KEY.as_pem(private=False) + b" " * 64)
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, public, algorithms=["HS256"])


LIES: dict[str, Callable[[Liar], None]] = {
    "another login's nonce": lambda liar: liar.claims.update(nonce="another"),
    "no nonce": lambda liar: liar.claims.update(nonce=None),
    "another client": lambda liar: liar.claims.update(aud="another"),
    "several clients, another the one": lambda liar: liar.claims.update(aud=["upprop", "b"], azp="b"),
    "another issuer": lambda liar: liar.claims.update(iss="https://elsewhere.example"),
    "out of date": lambda liar: liar.claims.update(exp=int(time.time()) - 3600),
    "not yet in force": lambda liar: liar.claims.update(nbf=int(time.time()) + 3600),
    "no end": lambda liar: liar.claims.update(exp=None),
    "nobody": lambda liar: liar.claims.update(sub=None),
    "another access token": lambda liar: liar.claims.update(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "another key": lambda liar: setattr(liar, "key", OTHER_KEY),
    "no signature": lambda liar: setattr(liar, "sign", no_signature),
    "signed with the public key": lambda liar: setattr(liar, "sign", signed_with_the_public_key),
    "no token": lambda liar: setattr(liar, "sign", lambda _claims: "not.a.token"),
    "what is asked for afterwards is of somebody else": lambda liar: liar.userinfo.update(sub="another"),
    "metadata of another issuer": lambda liar: liar.metadata.update(issuer="https://elsewhere.example"),
}


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_logs_anybody_in(lie: str, liar: Liar) -> None:
    LIES[lie](liar)
    with pytest.raises(RefusedLoginError) as refused:
        provider(liar).person(SOUND, ATTEMPT)
    assert refused.value.__cause__ is None
    assert "someone" not in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"state": "another", "code": "a-code"},
        {"code": "a-code"},
        {"state": ATTEMPT.state},
        {**SOUND, "error": "access_denied"},
        {**SOUND, "iss": "https://elsewhere.example"},
    ],
    ids=str,
)
def test_an_answer_of_another_login_or_issuer_asks_for_no_token(answer: dict[str, str], liar: Liar) -> None:
    with pytest.raises(RefusedLoginError):
        provider(liar).person(answer, ATTEMPT)
    assert "/token" not in liar.asked


def test_an_issuer_that_names_itself_in_answers_has_to(liar: Liar) -> None:
    liar.metadata["authorization_response_iss_parameter_supported"] = True
    asked = provider(liar)
    with pytest.raises(RefusedLoginError):
        asked.person(SOUND, ATTEMPT)
    assert asked.person({**SOUND, "iss": liar.issuer}, ATTEMPT).subject == "someone"


def test_keys_are_not_asked_for_at_every_lie(liar: Liar) -> None:
    asked = provider(liar)
    liar.key = OTHER_KEY
    for _ in range(5):
        with pytest.raises(RefusedLoginError):
            asked.person(SOUND, ATTEMPT)
    assert liar.asked.count("/keys") == 1


def test_the_login_goes_out_with_state_nonce_and_a_hashed_verifier(liar: Liar) -> None:
    address = provider(liar).login_address(ATTEMPT, "sv")
    assert f"state={ATTEMPT.state}" in address
    assert f"nonce={ATTEMPT.nonce}" in address
    assert "code_challenge_method=S256" in address
    assert ATTEMPT.verifier not in address
