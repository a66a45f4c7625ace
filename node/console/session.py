"""Who sits before the browser, as pages are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request

from node.casework.actor import Actor


@dataclass(frozen=True, slots=True)
class Session:
    """One login. `csrf_token` stands in every form and comes back with it; `development`: nobody was really asked."""

    actor: Actor
    csrf_token: str = field(repr=False)
    development: bool = False


class Sessions(Protocol):
    """Finds the session of a request."""

    def of(self, request: Request) -> Session | None:
        """None where nobody has logged in, or did too long ago."""
        ...
