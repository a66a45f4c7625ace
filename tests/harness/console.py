"""The console's pages before a client that follows no network: whoever sits there is told by the test."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request
from starlette.testclient import TestClient

from federation.observability import Log
from node.casework.actor import Actor, Role
from node.console.app import build
from node.console.desk import Desk
from node.console.session import Session
from tests.unit.node.exports import UNIT

TOKEN = "token-of-a-test"


def actor(*roles: Role, name: str = "Kim Handläggare", units: Collection[str] = (UNIT,)) -> Actor:
    """`units`: a principal's; the one at which `tests.unit.node.exports` has pupils where none is said."""
    return Actor(f"test|{name}", name, frozenset(roles or (Role.CASEWORKER,)), frozenset(units))


class Seated:
    """Sessions in which always the same person sits."""

    def __init__(self, who: Actor) -> None:
        self.who = who

    def of(self, request: Request) -> Session | None:
        return Session(self.who, TOKEN)


def client(desk: Desk, who: Actor, log: Log | None = None) -> TestClient:
    """Asks the pages as this person. `.post(path, data={"csrf_token": TOKEN, …})` sends a form."""
    app = build(desk, Seated(who), log=log or Log())
    return TestClient(app, base_url="http://localhost", follow_redirects=False, raise_server_exceptions=True)
