"""The board's page."""

from __future__ import annotations

from starlette.responses import Response

from node.casework.actor import Role
from node.console.page import READERS, Page
from node.console.visit import Visit


def show(visit: Visit) -> Response:
    protected = visit.actor.has(Role.PROTECTED)
    gaps = visit.desk.gaps
    cases = visit.desk.database.view("console_board", lambda tx: gaps.list_cases(tx, protected=protected))
    return visit.show("board/board.html", cases=cases)


PAGES = (Page("board", "", "", show, READERS, menu=True),)
