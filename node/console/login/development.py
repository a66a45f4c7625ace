"""The development login: anybody is whoever they say. On loopback only, and every page warns of it.

Unsafe by design, for trials with invented pupils: `federation.demo` and tests use it. School units are chosen among
those that an export has named; others are written by their ids.
"""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from node.casework.actor import Actor, Role
from node.console.login.addresses import local
from node.console.login.stored import StoredSessions
from node.console.visit import Visit

MAX_NAME = 100
MAX_UNITS = 2_000


def show(visit: Visit) -> Response:
    return _form(visit, visit.asked("to"), "", [Role.CASEWORKER.value], flaw=False)


def log_in(visit: Visit, sessions: StoredSessions) -> Response:
    """Take the form; whoever sent it is whom it names."""
    name, chosen = " ".join(visit.field("name").split()), visit.fields("role")
    units = frozenset(visit.fields("unit")) | frozenset(visit.field("units")[:MAX_UNITS].split())
    known = {role.value for role in Role}
    if not name or len(name) > MAX_NAME or not chosen or not set(chosen) <= known:
        return _form(visit, visit.field("to"), name[:MAX_NAME], chosen, flaw=True)
    if Role.PRINCIPAL not in chosen:
        units = frozenset()
    response = RedirectResponse(local(visit.field("to"), visit.language), 303)
    actor = Actor(f"development|{name.casefold()}", name, frozenset(map(Role, chosen)), units)
    sessions.begin(response, actor, development=True)
    return response


def _form(visit: Visit, to: str, name: str, chosen: list[str], *, flaw: bool) -> Response:
    status = 400 if flaw else 200
    roles = [role.value for role in Role]
    units = visit.desk.database.view("console_units", visit.desk.holding.units)
    typed = {"unit": visit.fields("unit"), "units": visit.field("units")[:MAX_UNITS]}
    return visit.show(
        "login/development.html",
        status,
        to=to,
        name=name,
        chosen=chosen,
        roles=roles,
        units=units,
        typed=typed,
        flaw=flaw,
    )
