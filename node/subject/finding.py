"""Whom a request is about: a pupil, or a child of the list of residents who never was a pupil here.

Of such a child there is what was asked about it, a task; nothing of it is at the registry.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from federation.errors import Code, UppropError
from node.casework.persons import find_person
from node.casework.tasks.model import Task, TaskState
from node.gaps import SECRET_ROUTES
from node.store import Transaction
from node.store.imports import Imports
from node.store.pupils import Pupil, Pupils
from node.store.tasks import Tasks
from privacy.identifiers import Sound, parse


def find_subject(
    tx: Transaction, person: str, today: date, pupils: Pupils, imports: Imports, tasks: Tasks, *, protected: bool
) -> Pupil | Task:
    """UppropError(INPUT_REFUSED) where nothing is kept of the person, or the asker may not see it."""
    found: Pupil | Task | None
    pupil_id = find_person(tx, person, today, pupils, imports)
    if pupil_id is None:
        found = _resident(tx, person, today, tasks)
        hidden = found is not None and found.protected
    else:
        found = pupil = pupils.load(tx, pupil_id)
        hidden = pupil.protected or pupil.route in SECRET_ROUTES
        if pupil.identity.drill:
            found = None
    if found is None or (hidden and not protected):
        raise UppropError(
            Code.INPUT_REFUSED,
            "Nothing is kept here of this person, or it is not yours to see. Check the number; for the "
            "protected-identity role: --protected.",
        )
    return found


def asked_before(tx: Transaction, pupil: Pupil, tasks: Tasks) -> tuple[Task, ...]:
    """What was asked about a pupil before it was one, as a child of the list of residents."""
    return tasks.of_residents(tx, [number.number for number in pupil.identity.numbers])


def with_tasks(rows: Mapping[str, int], more: Collection[Task]) -> dict[str, int]:
    """Rows by table, with those of further tasks."""
    return {**rows, "tasks": rows.get("tasks", 0) + len(more)} if more else dict(rows)


def _resident(tx: Transaction, person: str, today: date, tasks: Tasks) -> Task | None:
    parsed = parse(person, today)
    found = tasks.of_residents(tx, [parsed.number]) if isinstance(parsed, Sound) else ()
    return next(iter(found), None)


def refuse_if_followed_up(task: Task, today: date) -> None:
    """UppropError(INPUT_REFUSED) while the municipality has to know of the child."""
    if task.state is TaskState.OPEN:
        raise UppropError(
            Code.INPUT_REFUSED,
            "The list of residents shows this child, and nobody has said yet where it goes to school: the municipality "
            "has a duty to find out, which comes before erasure (GDPR art. 17(3)(b)). Answer the task first, on its "
            "page.",
        )
    if task.again_on is not None and task.again_on > today:
        raise UppropError(
            Code.INPUT_REFUSED,
            f"Where this child goes to school is looked at again on {task.again_on}: until then the municipality needs "
            "to know what was answered (GDPR art. 17(3)(b)).",
        )
