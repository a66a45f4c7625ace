"""Opening a case file by hand. Whom it is about comes in the form, never in an address."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date

from starlette.responses import Response

from federation.errors import UppropError
from node.casework.files.by_hand import MAX_WHY, TELLERS, NobodyKnownError, Told
from node.console.page import Page
from node.console.visit import Visit


def show(visit: Visit) -> Response:
    return _page(visit, ())


def act(visit: Visit) -> Response:
    person, what, why = visit.field("person"), visit.field("what"), visit.field("why")
    since = _day(visit.field("since"))
    flaws = [
        name
        for name, flawed in {
            "person": not person,
            "what": what not in list(Told),
            "since": bool(visit.field("since")) and (since is None or since > visit.desk.today()),
            "why": not 0 < len(why) <= MAX_WHY,
        }.items()
        if flawed
    ]
    if flaws:
        return _page(visit, flaws)
    try:
        visit.desk.by_hand.tell(person, Told(what), why, visit.actor, since=since, form_id=visit.field("form"))
    except NobodyKnownError:
        return _page(visit, ["person"])
    except UppropError:
        return _page(visit, ["said"])
    return visit.redirect("worry", "worry-told")


def _page(visit: Visit, flaws: Sequence[str]) -> Response:
    typed = {name: visit.field(name) for name in ("person", "what", "since", "why")}
    form = visit.field("form") or secrets.token_hex(16)
    return visit.show("worry/worry.html", 400 if flaws else 200, flaws=flaws, typed=typed, kinds=list(Told), form=form)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


PAGES = (Page("worry", "oro", "worry", show, TELLERS, act=act, menu=True),)
