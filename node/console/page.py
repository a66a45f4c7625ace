"""What a page of the console is: its addresses, who may come, who makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response

from federation.web.i18n import Language
from node.casework.actor import Role

if TYPE_CHECKING:
    from node.console.visit import Visit

Maker = Callable[["Visit"], Response]

EVERYBODY = frozenset(Role)
READERS = frozenset({Role.CASEWORKER, Role.PROTECTED, Role.AUDITOR})
WORKERS = frozenset({Role.CASEWORKER, Role.PROTECTED})


@dataclass(frozen=True, slots=True)
class Page:
    """`swedish` and `english` are the addresses after the language, such as `arenden/{file}`.

    `show` answers GET and changes nothing; `act` answers POST, after the form's token was checked, and ends in a
    redirect or in the page with what was wrong. `roles` may come (whether somebody may see one case file is asked of
    the case file); others get the page that says so. `menu`: it stands in the menu, in the order of the list.
    """

    name: str
    swedish: str
    english: str
    show: Maker
    roles: frozenset[Role]
    act: Maker | None = None
    act_roles: frozenset[Role] | None = None
    """Who may send the form; `roles` where left out."""
    menu: bool = False

    def pattern(self, language: Language) -> str:
        """For the router: `/sv/arenden/{file}`."""
        return f"/{language}/{self.swedish if language is Language.SWEDISH else self.english}"

    def path(self, language: Language, **parts: str) -> str:
        """For a link."""
        return self.pattern(language).format(**{name: quote(part, safe="") for name, part in parts.items()})
