"""The lead on the page of a case file: offered by whoever has it, taken by another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from node.casework.files.filing import MayNotError, NoSuchFileError
from node.casework.files.showing import Shown
from node.casework.statuses.leading import LeadMovedError
from node.casework.statuses.model import Wishes
from node.console.case.visiting import file_id_of
from node.console.page import WORKERS, Page
from node.console.visit import NoSuchPageError, Visit
from node.store import Transaction


def part(visit: Visit, tx: Transaction, shown: Shown) -> Mapping[str, Any] | None:
    """Nothing where no other member has a gap of the pupil's, and where nothing may be said of the pupil."""
    leads = visit.desk.leading.led(tx, shown.file.file_id)
    if leads is None:
        return None
    return {
        "file": shown.file,
        "leads": leads,
        "wishes": visit.desk.leading.wishes(tx, shown.file.file_id),
        "works": visit.actor.works_cases,
    }


def show(visit: Visit) -> Response:
    """There is no page of its own: the case file's has it."""
    return visit.redirect("case", file=file_id_of(visit).hex())


def act(visit: Visit) -> Response:
    file_id = file_id_of(visit)
    wishes = Wishes(offers=visit.field("do") == "offer", takes=visit.field("do") == "take")
    try:
        visit.desk.leading.wish(file_id, wishes, visit.actor)
    except (NoSuchFileError, MayNotError):
        raise NoSuchPageError from None
    except LeadMovedError:
        return visit.redirect("case", "lead-moved", file=file_id.hex())
    return visit.redirect("case", "lead-saved", file=file_id.hex())


PAGES = (Page("lead", "arenden/{file}/ledning", "cases/{file}/lead", show, WORKERS, act=act),)
