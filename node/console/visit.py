"""One request of one page: who asks, in which language, what the form says.

Invariants
    - What stands in a page is text; markup is the templates' alone, and none of them holds a script or a style.
    - A form's token was checked before a page's `act` is asked.
    - No address holds a number, a name or a school system's id: pages name case files by their random ids.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from federation.web.assets import Assets
from federation.web.i18n import Language, Texts
from federation.web.templates import environment
from node.casework.actor import Actor
from node.console.desk import Desk
from node.console.page import Page
from node.console.session import Session
from node.console.wording import texts

ASSETS = Assets("node.console")

PARTIAL = "HX-Request"
"""htmx asks for a part of a page with this header."""


MAX_DIGITS = 10
"""Of a number in a form, with one to spare: what a column of the store holds."""

LEAVE = {Language.SWEDISH: "/sv/utloggning", Language.ENGLISH: "/en/logout"}


class NoSuchPageError(Exception):
    """There is nothing here, or nothing that this person may know of: both look alike."""


class Visit:
    """What a page's maker is given."""

    def __init__(
        self,
        desk: Desk,
        pages: Mapping[str, Page],
        request: Request,
        language: Language,
        page: str,
        session: Session | None,
        form: FormData | None = None,
    ) -> None:
        self.desk = desk
        self.request = request
        self.language = language
        self.page = page
        self.words: Texts = texts(language)
        self.partial = request.headers.get(PARTIAL) == "true"
        self._pages = pages
        self._session = session
        self._form = form

    @property
    def session(self) -> Session:
        """Of a page that asks for roles there always is one."""
        assert self._session is not None
        return self._session

    @property
    def actor(self) -> Actor:
        return self.session.actor

    def link(self, page: str, **parts: str) -> str:
        return self._pages[page].path(self.language, **parts)

    def part(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    def asked(self, name: str) -> str:
        """What the address's query says; empty where it does not."""
        return self.request.query_params.get(name, "")

    def field(self, name: str) -> str:
        """What the form says, without blanks around it; empty where it does not."""
        value = self._form.get(name) if self._form is not None else None
        return value.strip() if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """A count that the form says; 0 where it says none, or one that no form of ours would send."""
        text = self.field(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < MAX_DIGITS else 0

    def fields(self, name: str) -> list[str]:
        """All that the form says under a name that stands in it several times."""
        values = self._form.getlist(name) if self._form is not None else []
        return [value.strip() for value in values if isinstance(value, str)]

    def upload(self, name: str) -> UploadFile | None:
        """A file that came with the form."""
        value = self._form.get(name) if self._form is not None else None
        return value if isinstance(value, UploadFile) and value.filename else None

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """The page. `values` are the template's own names beside those of every page (`templates/layout.html`)."""
        names: dict[str, Any] = {
            "t": self.words,
            "language": self.language,
            "page": self.page,
            "partial": self.partial,
            "link": self.link,
            "asset": ASSETS.path,
            "member_name": self.desk.member_name,
            "today": self.desk.today(),
            "local": self._local,
            "actor": None if self._session is None else self._session.actor,
            "development": self._session is not None and self._session.development,
            "csrf_token": "" if self._session is None else self._session.csrf_token,
            "menu": self.menu(),
            "other_link": self._other_link(),
            "leave_link": LEAVE[self.language],
            "said": self.asked("said"),
        }
        clash = names.keys() & values.keys()
        assert not clash, clash
        return HTMLResponse(_templates().get_template(template).render(**names, **values), status)

    def redirect(self, page: str, said: str = "", **parts: str) -> Response:
        """After a form was taken: to another page, with a sentence of the texts' `said.…` shown on it once."""
        address = self.link(page, **parts)
        return RedirectResponse(f"{address}?said={said}" if said else address, 303)

    def menu(self) -> list[Page]:
        """The pages that stand in this person's menu, in its order."""
        if self._session is None:
            return []
        return [page for page in self._pages.values() if page.menu and self.actor.has(*page.roles)]

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.desk.zone())

    def _other_link(self) -> str:
        page = self._pages.get(self.page)
        if page is None or self.request.method != "GET":
            return f"/{self.language.other}/"
        parts = {name: str(value) for name, value in self.request.path_params.items()}
        return page.path(self.language.other, **parts)


@functools.cache
def _templates() -> Any:
    return environment("node.console")
