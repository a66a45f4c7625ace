"""The board's page: the first that somebody sees."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from starlette.responses import Response

from node.casework.files.showing import Named
from node.console.page import READERS, Page
from node.console.visit import Visit


def show(visit: Visit) -> Response:
    visit.desk.case_files.begin_missing()
    named = visit.desk.database.view("console_board", lambda tx: visit.desk.showing.board(tx, visit.actor))
    state = _state(named)
    if visit.partial:
        # The page that is open asks whether it still shows what is.
        changed = visit.asked("state") != state
        return visit.show("board/changed.html") if changed else Response(status_code=204)
    return visit.show(
        "board/board.html",
        state=state,
        open_files=[each for each in named if each.line.file is not None],
        watched=[each for each in named if each.line.file is None],
    )


def _state(named: Sequence[Named]) -> str:
    """Another one whenever the board shows anything else; tells nothing of what."""
    shown = [
        (
            None if line.file is None else (line.file.file_id, line.file.revision),
            None if line.gap is None else (line.gap.handle, line.gap.state, line.gap.lead, line.gap.linked),
            None if line.clock is None else (line.clock.due_on, line.clock.what),
            line.left,
            line.day,
        )
        for line in (each.line for each in named)
    ]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


PAGES = (Page("board", "", "", show, READERS, menu=True),)
