"""Bearer tokens: from a file that somebody renews, or from an OAuth 2.0 token endpoint (RFC 6749 §4.4).

Invariant: a token lives in this process's memory alone, and is shown by no `repr`, error or log.
"""

from __future__ import annotations

import base64
import urllib.parse
from typing import Protocol

import msgspec

from federation.errors import Code, UppropError
from federation.files import read_secret
from node.records.ss12000_api.settings import SchoolSystem
from node.records.ss12000_api.transport import Answer, Transport


class Tokens(Protocol):
    """Where tokens come from."""

    def fetch(self, refused: str | None) -> str:
        """A token; `refused` is one that the school system no longer takes. UppropError where there is no other."""
        ...


def tokens(source: SchoolSystem, transport: Transport) -> Tokens:
    return _File(source) if source.token_file is not None else _Endpoint(source, transport)


class _File:
    def __init__(self, source: SchoolSystem) -> None:
        assert source.token_file is not None
        self._path = source.token_file

    def fetch(self, refused: str | None) -> str:
        token = _sound(read_secret(self._path), str(self._path))
        if token == refused:
            raise UppropError(
                Code.TOKEN_REFUSED,
                f"The school system does not accept the token in {self._path}; it may have expired. Nothing was "
                "changed. Put a new one there; what was fetched is kept.",
            )
        return token


class _Grant(msgspec.Struct):
    access_token: str


_decode = msgspec.json.Decoder(_Grant).decode


class _Endpoint:
    def __init__(self, source: SchoolSystem, transport: Transport) -> None:
        self._source = source
        self._transport = transport

    def fetch(self, refused: str | None) -> str:
        source = self._source
        assert source.token_url is not None
        assert source.client_id is not None
        assert source.client_secret_file is not None
        secret = _sound(read_secret(source.client_secret_file), str(source.client_secret_file))
        form = {"grant_type": "client_credentials", **({} if source.scope is None else {"scope": source.scope})}
        # RFC 6749 §2.3.1: every server takes the client's secret in the header, except for those that do not.
        quoted = ":".join(urllib.parse.quote_plus(part) for part in (source.client_id, secret))
        basic = base64.b64encode(quoted.encode()).decode()
        answer = self._transport.post(source.token_url, form, {"Authorization": f"Basic {basic}"})
        if answer.status in (400, 401, 422):
            form |= {"client_id": source.client_id, "client_secret": secret}
            answer = self._transport.post(source.token_url, form, {})
        token = _granted(answer)
        if token == refused:
            raise UppropError(
                Code.TOKEN_REFUSED,
                "The school system does not accept the token that token_url gives. Nothing was changed. Ask its "
                "supplier which rights the client has.",
            )
        return token


def _granted(answer: Answer) -> str:
    if answer.status != 200:
        raise UppropError(
            Code.TOKEN_REFUSED,
            f"token_url gives no token ({answer.status}). Nothing was changed. Check client_id, client_secret_file and "
            "scope.",
        )
    try:
        return _sound(_decode(answer.body).access_token.encode(), "what token_url gives")
    except msgspec.DecodeError:
        raise UppropError(
            Code.TOKEN_REFUSED, "token_url does not answer with a token. Nothing was changed. Check the address."
        ) from None


def _sound(content: bytes, where: str) -> str:
    """Text that may stand in a header: a line break in it would be the beginning of another one."""
    text = content.decode("ascii", "replace").strip().removeprefix("Bearer ")
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise UppropError(Code.CONFIG_INVALID, f"There is no token in {where}: it must be one line of ASCII.")
    return text
