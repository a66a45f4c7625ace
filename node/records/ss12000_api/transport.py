"""HTTP with patience: one request, tried again where trying again may help, answered whole or not at all.

Invariants
    - Certificates are verified. What is sent to one address is sent to no other: a redirection to another scheme, host
      or port is refused, and no proxy is taken from the environment.
    - An answer is whole: one that ends before its length, grows beyond MAX_BODY_BYTES or takes longer than
      ANSWER_SECONDS is none.
    - Nothing that came from the other side, and no query, enters an exception or a log: a `pageToken` may hold a
      person's id.
"""

from __future__ import annotations

import email.utils
import random
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry, Timeout

from federation.boundary import refuse_inside_transaction
from federation.errors import Code, UppropError
from federation.observability import version
from node.records.ss12000_api.settings import SchoolSystem

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
"""Without a byte."""
ANSWER_SECONDS = 300.0
MAX_BODY_BYTES = 256 * 1024 * 1024
"""Unpacked. Some servers know no pages: 100 000 persons are some 150 MB."""
MAX_REDIRECTS = 3

ATTEMPTS = 7
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
LONGEST_RETRY_AFTER = 300.0
"""Seconds. Whoever asks for a longer pause is left in peace: the run goes on from there another time."""

_CHUNK = 256 * 1024
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
_A_LONG_TIME = 10 * 365 * 86_400
_headers = Retry(retry_after_max=_A_LONG_TIME)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and its whole body. `date` is the server's clock, None where it does not show it."""

    status: int
    body: bytes = field(repr=False)
    date: datetime | None = None


class _Unanswered(Exception):  # noqa: N818 - a state, told apart from errors that end a run
    """No whole answer, or one that asks to come back. Holds no text from the other side."""

    def __init__(self, sentence: str, *, code: Code = Code.PEER_UNREACHABLE, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.retry_after = retry_after


class Transport:
    """Speaks to one school system."""

    def __init__(
        self,
        source: SchoolSystem,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises UppropError(CONFIG_INVALID) where the certificates of `ca_file` cannot be read."""
        self._sleep = sleep
        options = {
            "ssl_context": _tls(source),
            "timeout": Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            "retries": False,
        }
        self._pool: urllib3.PoolManager = (
            urllib3.PoolManager(**options)  # type: ignore[arg-type]  # keyword arguments of one kind each
            if source.proxy is None
            else urllib3.ProxyManager(source.proxy, **options)  # type: ignore[arg-type]  # as above
        )

    def close(self) -> None:
        self._pool.clear()

    def get(self, url: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Any answer but 429 and 5xx. Raises UppropError: PEER_UNREACHABLE, OVERLOADED."""
        return self._patiently("GET", f"{url}?{urllib.parse.urlencode(query)}" if query else url, headers, None)

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """As `get`, of a form."""
        body = urllib.parse.urlencode(form).encode()
        return self._patiently("POST", url, {**headers, "Content-Type": "application/x-www-form-urlencoded"}, body)

    def _patiently(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        refuse_inside_transaction()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._follow(method, url, headers, body)
            except _Unanswered as unanswered:
                pause = pause_before(attempt + 1, unanswered.retry_after, random.random())  # noqa: S311 - no secret
                if attempt == ATTEMPTS or pause is None:
                    # Libraries put the address, with its query, into their errors.
                    raise UppropError(unanswered.code, unanswered.sentence) from None
            self._sleep(pause)
        raise AssertionError("unreachable")

    def _follow(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer, location = self._once(method, url, headers, body)
            if location is None:
                return answer
            target = urllib.parse.urljoin(url, location)
            if method != "GET" or _origin(target) != _origin(url):
                raise UppropError(
                    Code.CONFIG_INVALID,
                    "The school system sends callers on to another address, which is not followed: the token is for "
                    "this one alone. Ask for the address that answers itself, and give that.",
                )
            url = target
        raise UppropError(Code.CONFIG_INVALID, "The school system sends callers on in a circle. Check the address.")

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[Answer, str | None]:
        """The answer, and where it sends the caller on to."""
        give_up = time.monotonic() + ANSWER_SECONDS
        sent = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": f"upprop/{version()}", **headers}
        try:
            response = self._pool.request(method, url, headers=sent, body=body, redirect=False, preload_content=False)
            try:
                content = self._read(response, give_up)
            except BaseException:
                # What is left of it must not be taken for the next answer.
                response.close()
                raise
            response.release_conn()
        except HTTPError as error:
            if (unverified := _unverified(error)) is not None:
                raise UppropError(Code.PEER_UNREACHABLE, unverified) from None
            raise _Unanswered(
                "The school system cannot be reached, or broke off its answer. Check the address and that it runs; "
                "what was fetched is kept, and the next import goes on from there."
            ) from None
        if response.status == 429 or (response.status >= 500 and response.status != 501):
            raise _Unanswered(
                f"The school system has no time ({response.status}). What was fetched is kept; try again later.",
                code=Code.OVERLOADED,
                retry_after=_retry_after(response),
            )
        location = response.headers.get("Location") if response.status in _REDIRECTIONS else None
        return Answer(response.status, content, _date(response)), location

    def _read(self, response: urllib3.BaseHTTPResponse, give_up: float) -> bytes:
        content = bytearray()
        for chunk in response.stream(_CHUNK, decode_content=True):
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                raise UppropError(
                    Code.EXPORT_UNREADABLE,
                    f"An answer of the school system is over {MAX_BODY_BYTES >> 20} MB. Nothing was changed. Set "
                    "a smaller limit.",
                )
            if time.monotonic() > give_up:
                raise _Unanswered(
                    f"The school system did not end an answer within {ANSWER_SECONDS:.0f} seconds. What was fetched is "
                    "kept; set a smaller limit, or try again later.",
                    code=Code.DEADLINE,
                )
        return bytes(content)


def pause_before(attempt: int, retry_after: float | None, jitter: float) -> float | None:
    """Seconds before attempt number `attempt` (from 2); None: not at all, it asks for too long a pause.

    `jitter` is between 0 and 1. Without a word of the server the longest pause doubles, and any part of its second
    half is waited: nodes that failed together do not come back together.
    """
    if retry_after is not None:
        return None if retry_after > LONGEST_RETRY_AFTER else retry_after + jitter
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 2))
    return longest * (0.5 + jitter / 2)


def _tls(source: SchoolSystem) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if source.ca_file is None else str(source.ca_file))
    except OSError as error:
        # ssl.SSLError is one: a file that holds no certificate.
        raise UppropError(
            Code.CONFIG_INVALID, f"{source.ca_file} holds no certificates (PEM) that could be trusted."
        ) from error


def _unverified(error: BaseException) -> str | None:
    """A sentence, where the other side is not who it was dialled as: that stays so, however often it is dialled."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"The school system's certificate is not trusted ({cause.verify_message}). Check the address; if it "
                "has a certificate authority of its own, give that by ca_file."
            )
        reason = getattr(cause, "reason", None)
        cause = (
            reason
            if isinstance(reason, BaseException)
            else cause.__cause__ or next((each for each in cause.args if isinstance(each, BaseException)), None)
        )
    return None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _retry_after(response: urllib3.BaseHTTPResponse) -> float | None:
    try:
        return _headers.get_retry_after(response)
    except (InvalidHeader, ValueError, OverflowError):
        return None


def _date(response: urllib3.BaseHTTPResponse) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
