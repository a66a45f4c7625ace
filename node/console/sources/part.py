"""On the page of a case file: what was asked about the pupil, what somebody answered, and the days in school."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from node.casework.files.showing import Shown
from node.casework.tasks.model import TaskState
from node.console.visit import Visit
from node.store import Transaction

SHOWN_DAYS = 10


def part(visit: Visit, tx: Transaction, shown: Shown) -> Mapping[str, Any] | None:
    """None where nothing was asked about the pupil."""
    pupil_id = shown.file.pupil_id
    if pupil_id is None:
        return None
    tasks = [task for task in visit.desk.tasks.of_pupil(tx, pupil_id) if task.state is not TaskState.DROPPED]
    if not tasks:
        return None
    today: date = visit.desk.today()
    named = visit.desk.naming.named(tx, tasks, today)
    return {"tasks": named, "attended": named[0].attended[:SHOWN_DAYS]}
