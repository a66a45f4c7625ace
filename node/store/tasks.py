"""The aggregate "task": asked once for each subject, answered by a person, dropped where it is no more.

Invariant: a subject has one task. Asked again while its task is open nothing happens; asked again after it was dropped
the task is open anew; an answer stands until `again_on`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, or_, select, update

from node.casework.tasks.model import TASK_ID_BYTES, About, Answered, Task, TaskId, TaskKind, TaskState
from node.store.bulk import chunks
from node.store.schema import pupils
from node.store.schema_sources import tasks
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class New:
    """A task to be asked. `subject` is what it is about, as bytes that are the same whenever it is asked."""

    kind: TaskKind
    subject: bytes
    about: About
    due_on: date
    pupil_id: bytes | None = None
    protected: bool = False

    def __repr__(self) -> str:
        return f"New(kind={self.kind.value})"


class Tasks:
    """The tasks of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._sealer, self._token = sealer, token

    # -- finding ----------------------------------------------------------------------------------------------------

    def due(self, tx: Connection, today: date, *, protected: bool) -> tuple[Task, ...]:
        """What is open and due, or overdue, oldest due first. `protected`: those of that role, as well."""
        return self._all(tx, _open(protected=protected).where(tasks.c.due_on <= today))

    def open(
        self, tx: Connection, *, protected: bool, kinds: Collection[TaskKind] = tuple(TaskKind)
    ) -> tuple[Task, ...]:
        """All that is open, of these kinds, oldest due first."""
        return self._all(tx, _open(protected=protected).where(tasks.c.kind.in_([kind.value for kind in kinds])))

    def counts(self, tx: Connection, today: date, *, protected: bool) -> dict[TaskKind, tuple[int, int]]:
        """Kind → (open, of these overdue); kinds without any are left out."""
        query = _open(protected=protected).with_only_columns(tasks.c.kind, tasks.c.due_on).order_by(None)
        found: dict[TaskKind, tuple[int, int]] = {}
        for kind, due_on in tx.execute(query):
            standing, late = found.get(TaskKind(kind), (0, 0))
            found[TaskKind(kind)] = standing + 1, late + (due_on < today)
        return found

    def load(self, tx: Connection, task_id: bytes) -> Task | None:
        row = tx.execute(_query().where(tasks.c.task_id == task_id)).one_or_none()
        return None if row is None else self._opened(row)

    def of_pupil(self, tx: Connection, pupil_id: bytes) -> tuple[Task, ...]:
        """All tasks about a pupil, newest first."""
        return self._all(tx, _query().where(tasks.c.pupil_id == pupil_id).order_by(tasks.c.made_on.desc()))

    def of_residents(self, tx: Connection, numbers: Iterable[str]) -> tuple[Task, ...]:
        """What is asked about children of the list of residents, of these numbers, who are no pupils here."""
        indexes = [self._index(TaskKind.NOT_PLACED, number.encode()) for number in numbers]
        found = _query().where(tasks.c.subject_index.in_(indexes), tasks.c.pupil_id.is_(None))
        return self._all(tx, found.order_by(tasks.c.made_on.desc()))

    def residents(self, tx: Connection) -> tuple[bytes, ...]:
        """The ids of all tasks about children who are no pupils here."""
        of_nobody = (tasks.c.kind == TaskKind.NOT_PLACED.value, tasks.c.pupil_id.is_(None))
        return tuple(tx.scalars(select(tasks.c.task_id).where(*of_nobody)))

    # -- writing ----------------------------------------------------------------------------------------------------

    def ask(self, tx: Connection, wanted: Iterable[New], today: date) -> int:
        """Make the tasks that are not there yet, and open anew what was dropped or is to be looked at again.

        Returns how many were made or opened.
        """
        made = 0
        for new in wanted:
            index = self._index(new.kind, new.subject)
            row = tx.execute(select(tasks).where(tasks.c.subject_index == index)).one_or_none()
            if row is not None and new.protected and not row.protected:
                # Whom it is about is protected from now on: a task that stands, or was answered, is hidden too.
                tx.execute(update(tasks).where(tasks.c.task_id == row.task_id).values(protected=True))
            if row is None:
                task_id = self._token(TASK_ID_BYTES)
                tx.execute(
                    insert(tasks).values(
                        task_id=task_id,
                        kind=new.kind.value,
                        pupil_id=new.pupil_id,
                        subject_index=index,
                        protected=new.protected,
                        made_on=today,
                        due_on=new.due_on,
                        state=TaskState.OPEN.value,
                        sealed_content=self._seal(task_id, _Content(new.about)),
                    )
                )
            elif row.state == TaskState.DROPPED.value or (
                row.state == TaskState.DONE.value and row.again_on is not None and row.again_on <= today
            ):
                content = self._content(row)
                tx.execute(
                    update(tasks)
                    .where(tasks.c.task_id == row.task_id)
                    .values(
                        state=TaskState.OPEN.value,
                        protected=new.protected,
                        made_on=today,
                        due_on=new.due_on,
                        settled_on=None,
                        again_on=None,
                        pupil_id=new.pupil_id,
                        sealed_content=self._seal(row.task_id, _Content(new.about, content.answered)),
                    )
                )
            else:
                continue
            made += 1
        return made

    def belongs(self, tx: Connection, task: Task, pupil_id: bytes) -> None:
        """Whom a task is about has become a pupil here: it goes where the pupil goes."""
        tx.execute(update(tasks).where(tasks.c.task_id == task.task_id).values(pupil_id=pupil_id))

    def answer(self, tx: Connection, task: Task, answered: Answered, again_on: date | None = None) -> bool:
        """Keep a person's answer; False where the task is open no more (somebody was quicker, or it was sent twice)."""
        done = tx.execute(
            update(tasks)
            .where(tasks.c.task_id == task.task_id, tasks.c.state == TaskState.OPEN.value)
            .values(
                state=TaskState.DONE.value,
                settled_on=answered.on,
                again_on=again_on,
                sealed_content=self._seal(task.task_id, _Content(task.about, answered)),
            )
        )
        return bool(done.rowcount)

    def drop(self, tx: Connection, task_ids: Iterable[bytes], today: date) -> None:
        """What was asked about is no more."""
        for chunk in chunks(task_ids):
            tx.execute(
                update(tasks)
                .where(tasks.c.task_id.in_(chunk), tasks.c.state == TaskState.OPEN.value)
                .values(state=TaskState.DROPPED.value, settled_on=today)
            )

    def drop_of(self, tx: Connection, pupil_ids: Iterable[bytes], kind: TaskKind, today: date) -> None:
        """`drop` of all tasks of a kind about these pupils."""
        for chunk in chunks(pupil_ids):
            tx.execute(
                update(tasks)
                .where(tasks.c.pupil_id.in_(chunk), tasks.c.kind == kind.value, tasks.c.state == TaskState.OPEN.value)
                .values(state=TaskState.DROPPED.value, settled_on=today)
            )

    def erase(self, tx: Connection, task_ids: Iterable[bytes]) -> int:
        """Take tasks away, answered or not; returns how many there were."""
        return sum(tx.execute(delete(tasks).where(tasks.c.task_id.in_(chunk))).rowcount for chunk in chunks(task_ids))

    def forget(self, tx: Connection, before: date, today: date, limit: int) -> int:
        """Take away what was settled before a day and is not to be looked at again; returns how many."""
        over = and_(
            tasks.c.state != TaskState.OPEN.value,
            tasks.c.settled_on < before,
            or_(tasks.c.again_on.is_(None), tasks.c.again_on < today),
        )
        old = select(tasks.c.task_id).where(over).limit(limit)
        return tx.execute(delete(tasks).where(tasks.c.task_id.in_(old))).rowcount

    # -- rows -------------------------------------------------------------------------------------------------------

    def _index(self, kind: TaskKind, subject: bytes) -> bytes:
        return self._sealer.index("task", kind.value.encode() + b"\0" + subject)

    def _all(self, tx: Connection, query: Select[Any]) -> tuple[Task, ...]:
        return tuple(self._opened(row) for row in tx.execute(query))

    def _opened(self, row: Any) -> Task:
        content = self._content(row)
        return Task(
            TaskId(row.task_id),
            TaskKind(row.kind),
            row.pupil_id,
            content.about,
            row.protected or bool(row.secret),
            row.made_on,
            row.due_on,
            TaskState(row.state),
            row.settled_on,
            row.again_on,
            content.answered,
        )

    def _content(self, row: Any) -> _Content:
        return _decode(self._sealer.open("tasks", row.task_id, "sealed_content", row.sealed_content))

    def _seal(self, task_id: bytes, content: _Content) -> bytes:
        return self._sealer.seal("tasks", task_id, "sealed_content", _encode(content))


@dataclass(frozen=True, slots=True)
class _Content:
    about: About
    answered: Answered | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Content).decode


def _query() -> Select[Any]:
    """Tasks with whether their pupil is that role's alone today, whatever they were when the task was made."""
    return select(tasks, func.coalesce(_secret(), False).label("secret")).outerjoin(
        pupils, pupils.c.pupil_id == tasks.c.pupil_id
    )


def _secret() -> ColumnElement[bool]:
    return or_(pupils.c.protected, pupils.c.route.in_(["protected", "renumbered"]))


def _open(*, protected: bool) -> Select[Any]:
    query = _query().where(tasks.c.state == TaskState.OPEN.value).order_by(tasks.c.due_on, tasks.c.task_id)
    if protected:
        return query
    return query.where(~tasks.c.protected, or_(tasks.c.pupil_id.is_(None), ~_secret()))
