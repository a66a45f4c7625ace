"""The board's page: the first that somebody sees."""

from __future__ import annotations

from starlette.responses import Response

from node.console.page import READERS, Page
from node.console.visit import Visit


def show(visit: Visit) -> Response:
    visit.desk.case_files.begin_missing()
    named = visit.desk.database.view("console_board", lambda tx: visit.desk.showing.board(tx, visit.actor))
    return visit.show(
        "board/board.html",
        open_files=[each for each in named if each.line.file is not None],
        watched=[each for each in named if each.line.file is None],
    )


PAGES = (Page("board", "", "", show, READERS, menu=True),)
