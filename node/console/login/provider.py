"""An OpenID provider as the console asks it: its metadata and keys, the address of its login, and who has logged in.

The steps are those of OpenID Connect Core 1.0, section 3.1 (code flow), with PKCE (RFC 7636, S256) and the issuer in
the answer (RFC 9207).

Invariants
    - Certificates are verified; no redirection is followed; an answer is bounded in size and time.
    - An ID token is believed only with a signature by the provider's keys and an algorithm of `ALGORITHMS`, for this
      client, this login (nonce) and now. The `none` algorithm and those with a shared secret are not among them.
    - No exception holds text from the other side.
"""

from __future__ import annotations

import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from federation.boundary import refuse_inside_transaction
from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.observability import version
from node.console.settings import OpenId

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 60
"""By so much two clocks may differ."""
METADATA_SECONDS = 3600
"""So long metadata and keys are kept; a key that is not known is asked for at once."""
KEYS_PAUSE_SECONDS = 30
"""Not more often than this: anybody may send a token with an unknown key."""
TIMEOUT = Timeout(connect=5, read=10)
MAX_BODY_BYTES = 1 << 20


class RefusedLoginError(Exception):
    """A login that is not taken. `reason` is a word of ours, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a login was refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login on its way: what goes out with it and has to come back."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Who has logged in, as the provider says. `subject` is stable and unique within the issuer."""

    subject: str = field(repr=False)
    name: str = field(repr=False)
    groups: tuple[str, ...] = field(repr=False)
    id_token: str = field(repr=False)
    units: tuple[str, ...] = field(default=(), repr=False)


class Provider:
    """One issuer. Safe to use from several threads."""

    def __init__(self, settings: OpenId, redirect_uri: str, *, now: Callable[[], float] = time.time) -> None:
        """Raises UppropError(CONFIG_INVALID) where secret or certificates cannot be read."""
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._now = now
        self._secret = (
            None if settings.client_secret_file is None else read_secret(settings.client_secret_file).decode().strip()
        )
        self._pool = urllib3.PoolManager(ssl_context=_tls(settings), timeout=TIMEOUT, retries=False)
        self._lock = threading.Lock()
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def look(self) -> None:
        """Ask for what the provider tells everybody. Raises RefusedLoginError."""
        self._known_keys(self._known())

    def login_address(self, attempt: Attempt, language: str) -> str:
        """Where the browser goes to log in. Raises RefusedLoginError where the provider does not answer."""
        address: str = prepare_grant_uri(
            self._known()["authorization_endpoint"],
            self._settings.client_id,
            "code",
            self._redirect_uri,
            self._settings.scope,
            attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
            ui_locales=language,
        )
        return address

    def logout_address(self, id_token: str, back: str) -> str | None:
        """Where the browser goes to log out there too, and comes back from; None: the provider has no such place."""
        try:
            endpoint = self._known().get("end_session_endpoint")
        except RefusedLoginError:
            return None
        if not isinstance(endpoint, str):
            return None
        told = {"client_id": self._settings.client_id, "post_logout_redirect_uri": back}
        if id_token:
            told["id_token_hint"] = id_token
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(told)}"

    def person(self, answer: Mapping[str, str], attempt: Attempt) -> Person:
        """Who has logged in, by what the browser came back with. Raises RefusedLoginError."""
        # 1. The answer belongs to this browser's login, and comes from this provider.
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise RefusedLoginError("state")
        metadata = self._known()
        named = answer.get("iss")
        if named is None and metadata.get("authorization_response_iss_parameter_supported"):
            raise RefusedLoginError("issuer")
        if named is not None and named != self._settings.issuer:
            raise RefusedLoginError("issuer")
        if "error" in answer or not answer.get("code"):
            raise RefusedLoginError("denied")
        # 2. The code is worth a token, once, to whoever holds the verifier.
        token = self._token(metadata, answer["code"], attempt)
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not isinstance(id_token, str):
            raise RefusedLoginError("token")
        # 3. The token is this provider's, for us, for this login, and in time.
        claims = self._claims(metadata, id_token, attempt, access_token)
        # 4. Roles come from groups, and a principal's school units stand beside them; some providers tell them only
        #    when asked.
        groups_claim, units_claim = self._settings.groups_claim, self._settings.units_claim
        lacking = {groups_claim, units_claim or groups_claim} - claims.keys()
        if lacking and isinstance(access_token, str):
            claims = {**self._asked(metadata, access_token, str(claims["sub"])), **claims}
        groups, units = _values(claims, groups_claim), _values(claims, units_claim) if units_claim else ()
        return Person(str(claims["sub"]), _name(claims), groups, id_token, units)

    def _token(self, metadata: Mapping[str, Any], code: str, attempt: Attempt) -> Mapping[str, Any]:
        body = prepare_token_request(
            "authorization_code", redirect_uri=self._redirect_uri, code=code, code_verifier=attempt.verifier
        )
        offered = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        post = "client_secret_basic" not in offered and "client_secret_post" in offered
        method = "none" if self._secret is None else "client_secret_post" if post else "client_secret_basic"
        uri, headers, body = ClientAuth(self._settings.client_id, self._secret, method).prepare(
            "POST", metadata["token_endpoint"], {"Content-Type": "application/x-www-form-urlencoded"}, body
        )
        return self._ask("POST", uri, headers, body, refused="code")

    def _claims(
        self, metadata: Mapping[str, Any], id_token: str, attempt: Attempt, access_token: object
    ) -> Mapping[str, Any]:
        try:
            token = self._verified(metadata, id_token)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self._settings.issuer},
                    "aud": {"essential": True, "value": self._settings.client_id},
                    "sub": {"essential": True},
                },
                params={
                    "nonce": attempt.nonce,
                    "client_id": self._settings.client_id,
                    "access_token": access_token if isinstance(access_token, str) else None,
                },
            )
            claims.validate(now=int(self._now()), leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError):
            # What they say may quote the token.
            raise RefusedLoginError("token") from None
        return dict(claims)

    def _verified(self, metadata: Mapping[str, Any], id_token: str) -> jwt.Token:
        keys = self._known_keys(metadata)
        try:
            return jwt.decode(id_token, keys, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            # The provider may have a new key since.
            again = self._known_keys(metadata, renew=True)
            if again is keys:
                raise
            return jwt.decode(id_token, again, algorithms=list(ALGORITHMS))

    def _asked(self, metadata: Mapping[str, Any], access_token: str, subject: str) -> Mapping[str, Any]:
        endpoint = metadata.get("userinfo_endpoint")
        if not isinstance(endpoint, str):
            return {}
        told = self._ask("GET", endpoint, {"Authorization": f"Bearer {access_token}"}, None, refused="userinfo")
        # OpenID Connect Core 5.3.2: the sub of the answer MUST be that of the ID token.
        if told.get("sub") != subject:
            raise RefusedLoginError("userinfo")
        return told

    def _known(self) -> Mapping[str, Any]:
        with self._lock:
            found = self._metadata
        if found is not None and self._now() - found[0] < METADATA_SECONDS:
            return found[1]
        address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        told = self._ask("GET", address, {}, None, refused="metadata")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        # OpenID Connect Discovery 4.3: the issuer MUST be exactly the one that was asked.
        if told.get("issuer") != self._settings.issuer or not all(isinstance(told.get(each), str) for each in needed):
            raise RefusedLoginError("metadata")
        with self._lock:
            self._metadata = (self._now(), told)
        return told

    def _known_keys(self, metadata: Mapping[str, Any], *, renew: bool = False) -> KeySet:
        with self._lock:
            found = self._keys
        if found is not None and self._now() - found[0] < (KEYS_PAUSE_SECONDS if renew else METADATA_SECONDS):
            return found[1]
        told = self._ask("GET", metadata["jwks_uri"], {}, None, refused="keys")
        try:
            keys = KeySet.import_key_set(told)  # type: ignore[arg-type]  # verified by what it is asked to read
        except (JoseError, ValueError, KeyError, TypeError):
            raise RefusedLoginError("keys") from None
        with self._lock:
            self._keys = (self._now(), keys)
        return keys

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, *, refused: str
    ) -> Mapping[str, Any]:
        refuse_inside_transaction()
        sent = {"Accept": "application/json", "User-Agent": f"upprop/{version()}", **headers}
        try:
            response = self._pool.request(
                method, url, body=body, headers=sent, redirect=False, preload_content=False, decode_content=True
            )
            try:
                content = response.read(MAX_BODY_BYTES + 1)
                answered = response.status
            finally:
                response.close()
        except HTTPError:
            raise RefusedLoginError("unreachable") from None
        if answered != 200 or len(content) > MAX_BODY_BYTES:
            raise RefusedLoginError(refused)
        try:
            told = json.loads(content)
        except ValueError:
            raise RefusedLoginError(refused) from None
        if not isinstance(told, dict):
            raise RefusedLoginError(refused)
        return told


def _name(claims: Mapping[str, Any]) -> str:
    """As colleagues read it beside what the person did."""
    for each in (claims.get("name"), " ".join(str(claims.get(part, "")) for part in ("given_name", "family_name"))):
        if isinstance(each, str) and each.strip():
            return " ".join(each.split())[:200]
    return str(claims.get("preferred_username") or claims.get("email") or claims["sub"])[:200]


def _values(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    told = claims.get(name, ())
    if isinstance(told, str):
        return (told,)
    return tuple(each for each in told if isinstance(each, str)) if isinstance(told, list | tuple) else ()


def _tls(settings: OpenId) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
    except OSError as error:
        raise UppropError(
            Code.CONFIG_INVALID, f"{settings.ca_file} holds no certificates (PEM) that could be trusted."
        ) from error
