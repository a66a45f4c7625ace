"""The API of one school system: its lists, page by page (SS 12000:2020).

Invariants: a `pageToken` is sent alone, as the standard demands; a token that ends amid a run is replaced once, and
the same page asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from federation.errors import Code, UppropError
from node.records.ss12000_api.pages import List, Page, PageError, read_page
from node.records.ss12000_api.settings import SchoolSystem
from node.records.ss12000_api.tokens import Tokens, tokens
from node.records.ss12000_api.transport import Answer, Transport

UNREADABLE_ATTEMPTS = 3
"""An answer that is whole but no page, such as that of a proxy in front, is asked for again this often."""

_FORBIDDEN = 403
_UNKNOWN = frozenset({400, 404, 410})
_UNSUPPORTED = frozenset({400, 404, 405, 422, 501})
"""Of a parameter, or of a list."""


class PageTokenError(Exception):
    """The school system does not know the pageToken (any more)."""


class UnsupportedError(Exception):
    """The school system does not have this list, lets the token not read it, or refuses every way of asking for it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status

    def as_failure(self, which: List) -> UppropError:
        """Where the list cannot be done without."""
        if self.status == _FORBIDDEN:
            return _forbidden(which)
        return UppropError(
            Code.CONFIG_INVALID,
            f"The school system has no /{which} at this address ({self.status}). Give the address under which "
            f"GET /{which} answers, such as https://host/ss12000/v2.",
        )


@dataclass(frozen=True, slots=True)
class Given:
    """A page, and the school system's clock."""

    page: Page
    date: datetime | None


class Api:
    """Asks one school system."""

    def __init__(self, source: SchoolSystem, transport: Transport) -> None:
        self._base = source.base
        self._transport = transport
        self._tokens: Tokens = tokens(source, transport)
        self._token: str | None = None

    def first(self, which: List, ways: Sequence[Mapping[str, str]], *, misread: str) -> Given:
        """The first page, asked for in the first of these ways that is not refused. Raises UnsupportedError.

        `misread` names a parameter that some servers take for another one, and then find nobody: an empty page is no
        answer to a way that has it.
        """
        status = 0
        for query in ways:
            answer = self._get(which, query)
            status = answer.status
            if status in _UNSUPPORTED:
                continue
            if status == _FORBIDDEN:
                break
            given = self._given(which, query, answer)
            if given.page.elements or given.page.token is not None or misread not in query:
                return given
        raise UnsupportedError(status)

    def next(self, which: List, token: str) -> Given:
        """A further page. Raises PageTokenError."""
        query = {"pageToken": token}
        answer = self._get(which, query)
        if answer.status in _UNKNOWN:
            raise PageTokenError
        return self._given(which, query, answer)

    def _get(self, which: List, query: Mapping[str, str]) -> Answer:
        if self._token is None:
            self._token = self._tokens.fetch(None)
        answer = self._ask(which, query)
        if answer.status == 401:
            self._token = self._tokens.fetch(self._token)
            answer = self._ask(which, query)
        if answer.status == 401:
            raise UppropError(
                Code.TOKEN_REFUSED,
                "The school system does not accept the token, nor a new one. Nothing was changed. Ask its supplier "
                "which rights the token needs.",
            )
        return answer

    def _ask(self, which: List, query: Mapping[str, str]) -> Answer:
        return self._transport.get(f"{self._base}/{which}", query, {"Authorization": f"Bearer {self._token}"})

    def _given(self, which: List, query: Mapping[str, str], answer: Answer) -> Given:
        for attempt in range(1, UNREADABLE_ATTEMPTS + 1):
            if answer.status == _FORBIDDEN:
                raise _forbidden(which)
            if answer.status != 200:
                raise UppropError(
                    Code.EXPORT_UNREADABLE,
                    f"The school system answers /{which} with status {answer.status}. Nothing was changed. Check the "
                    "address, and ask its supplier.",
                )
            try:
                return Given(read_page(answer.body, which), answer.date)
            except PageError as error:
                if attempt == UNREADABLE_ATTEMPTS:
                    raise UppropError(
                        Code.EXPORT_UNREADABLE,
                        f"The school system's answer to /{which} is no page of SS 12000: {error}. Nothing was changed. "
                        "Check the address; what was fetched is kept, and the next import goes on from there.",
                    ) from None
            answer = self._get(which, query)
        raise AssertionError("unreachable")


def _forbidden(which: List) -> UppropError:
    return UppropError(
        Code.TOKEN_REFUSED,
        f"The school system does not let the token read /{which} ({_FORBIDDEN}). Nothing was changed. Ask its supplier "
        "for that right.",
    )
