"""The page of duty, for the administrator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starlette.responses import Response

from node.casework.actor import Role
from node.casework.mailing.model import FIRST, MAILED_ROLES, MAX_NAME, SECOND, sound_address
from node.console.page import Page
from node.console.visit import Visit

_FIELDS = ("role", "place", "name", "address", "from", "until")
_PLACES = (FIRST, SECOND)


def show(visit: Visit) -> Response:
    return _page(visit, dict.fromkeys(_FIELDS, "") | {"from": visit.desk.today().isoformat()})


def act(visit: Visit) -> Response:
    """`end` takes a duty away; else the form puts somebody on duty."""
    mailing = visit.desk.mailing
    ended = visit.field("end")
    if ended:
        if ended.isascii() and ended.isdigit() and len(ended) < 10:
            mailing.end_duty(int(ended))
        return visit.redirect("duty", "duty-ended")
    typed = {name: visit.field(name) for name in _FIELDS}
    today = visit.desk.today()
    from_on, until_on = _day(typed["from"]), _day(typed["until"])
    flaws = {
        "role": typed["role"] not in MAILED_ROLES,
        "place": typed["place"] not in map(str, _PLACES),
        "name": not typed["name"].isprintable() or not 0 < len(typed["name"]) <= MAX_NAME,
        "address": not sound_address(typed["address"]),
        "from": from_on is None or from_on < today,
        "until": bool(typed["until"]) and (until_on is None or until_on < (from_on or today)),
    }
    if from_on is None or any(flaws.values()):
        return _page(visit, typed, [name for name, flawed in flaws.items() if flawed], 400)
    mailing.set_duty(
        Role(typed["role"]),
        int(typed["place"]),
        from_on,
        until_on,
        name=" ".join(typed["name"].split()),
        address=typed["address"],
    )
    return visit.redirect("duty", "duty-saved")


def _page(visit: Visit, typed: Mapping[str, str], flaws: list[str] | None = None, status: int = 200) -> Response:
    mailing = visit.desk.mailing
    return visit.show(
        "duty/duty.html",
        status,
        duties=mailing.duties(),
        sends=mailing.sends,
        minutes=mailing.second_after_minutes,
        lacking=mailing.lacking(),
        waiting_since=mailing.waiting_since(),
        roles=MAILED_ROLES,
        places=_PLACES,
        typed=typed,
        flaws=flaws or [],
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


PAGES = (Page("duty", "jour", "duty", show, frozenset({Role.ADMINISTRATOR}), act=act, menu=True),)
