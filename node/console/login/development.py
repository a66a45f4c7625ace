"""The development login: anybody is whoever they say. On loopback only, and every page warns of it.

Unsafe by design, for trials with invented pupils: `federation.demo` and tests use it.
"""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from node.casework.actor import Actor, Role
from node.console.login.addresses import local
from node.console.login.stored import StoredSessions
from node.console.visit import Visit

MAX_NAME = 100


def show(visit: Visit) -> Response:
    return _form(visit, visit.asked("to"), "", [Role.CASEWORKER.value], flaw=False)


def log_in(visit: Visit, sessions: StoredSessions) -> Response:
    """Take the form; whoever sent it is whom it names."""
    name, chosen = " ".join(visit.field("name").split()), visit.fields("role")
    known = {role.value for role in Role}
    if not name or len(name) > MAX_NAME or not chosen or not set(chosen) <= known:
        return _form(visit, visit.field("to"), name[:MAX_NAME], chosen, flaw=True)
    response = RedirectResponse(local(visit.field("to"), visit.language), 303)
    actor = Actor(f"development|{name.casefold()}", name, frozenset(map(Role, chosen)))
    sessions.begin(response, actor, development=True)
    return response


def _form(visit: Visit, to: str, name: str, chosen: list[str], *, flaw: bool) -> Response:
    status = 400 if flaw else 200
    roles = [role.value for role in Role]
    return visit.show("login/development.html", status, to=to, name=name, chosen=chosen, roles=roles, flaw=flaw)
