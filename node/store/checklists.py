"""The aggregate "checklist": the routines that were begun in a case file, and their steps.

State: `node.casework.routines.checklist`; this module keeps it. A row is added once and done once, both under UNIQUE
keys: whoever is second finds it done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from node.casework.files.model import FileId
from node.casework.routines import reading
from node.casework.routines.checklist import LineName
from node.casework.routines.model import Routine, Step
from node.store.bulk import chunks
from node.store.schema_files import files
from node.store.schema_routines import routine_runs, routine_steps, routine_versions


@dataclass(frozen=True, slots=True)
class Run:
    """One routine begun in a case file; `number` counts up within it."""

    number: int
    routine: Routine
    began_on: date
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class Row:
    """A step of a run as it is kept."""

    name: LineName
    begun_on: date
    due_on: date | None
    done_on: date | None
    outcome_id: str | None
    position: int | None


class Checklists:
    """The checklists of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self) -> None:
        self._versions: dict[bytes, Routine] = {}

    # -- writing ----------------------------------------------------------------------------------------------------

    def begin(self, tx: Connection, file_id: FileId, routine: Routine, on: date) -> int:
        """Begin a run and return its number; the version's text is kept with it."""
        digest = reading.digest(routine)
        if tx.execute(select(routine_versions.c.name).where(routine_versions.c.digest == digest)).first() is None:
            _insert(tx, routine_versions, digest=digest, name=routine.name, content=reading.as_json(routine))
        query = select(func.max(routine_runs.c.run)).where(routine_runs.c.file_id == file_id)
        number: int = (tx.execute(query).scalar_one() or 0) + 1
        _insert(
            tx,
            routine_runs,
            file_id=file_id,
            run=number,
            digest=digest,
            name=routine.name,
            began_on=on,
            outlives_close=routine.outlives_close,
        )
        return number

    def add(self, tx: Connection, file_id: FileId, run: int, step: Step, on: date, due_on: date | None) -> None:
        """Begin a step of a run; nothing where a round of it is open."""
        here = and_(routine_steps.c.file_id == file_id, routine_steps.c.run == run, routine_steps.c.step_id == step.id)
        query = select(routine_steps).where(here).order_by(routine_steps.c.round.desc()).limit(1)
        last = tx.execute(query).first()
        if last is not None and last.done_on is None:
            return
        tx.execute(
            insert(routine_steps).values(
                file_id=file_id,
                run=run,
                step_id=step.id,
                round=1 if last is None else last.round + 1,
                counts_as=None if step.counts_as is None else step.counts_as.value,
                begun_on=on,
                due_on=due_on,
            )
        )

    def finish(self, tx: Connection, file_id: FileId, name: LineName, on: date, outcome_id: str, position: int) -> bool:
        """Keep how a step went; False where it was done before."""
        done = tx.execute(
            update(routine_steps)
            .where(
                routine_steps.c.file_id == file_id,
                routine_steps.c.run == name.run,
                routine_steps.c.step_id == name.step_id,
                routine_steps.c.round == name.round,
                routine_steps.c.done_on.is_(None),
            )
            .values(done_on=on, outcome=outcome_id, position=position)
        )
        return bool(done.rowcount)

    def end(self, tx: Connection, file_id: FileId, run: int, on: date) -> None:
        """What is open of this run lapses."""
        here = and_(routine_runs.c.file_id == file_id, routine_runs.c.run == run, routine_runs.c.ended_on.is_(None))
        tx.execute(update(routine_runs).where(here).values(ended_on=on))

    # -- reading ----------------------------------------------------------------------------------------------------

    def runs(self, tx: Connection, file_id: FileId) -> tuple[Run, ...]:
        """In the order in which they were begun."""
        query = select(routine_runs).where(routine_runs.c.file_id == file_id).order_by(routine_runs.c.run)
        return tuple(
            Run(row.run, self._version(tx, row.digest), row.began_on, row.ended_on) for row in tx.execute(query)
        )

    def rows(self, tx: Connection, file_id: FileId) -> tuple[Row, ...]:
        order = (routine_steps.c.run, routine_steps.c.begun_on, routine_steps.c.step_id, routine_steps.c.round)
        query = select(routine_steps).where(routine_steps.c.file_id == file_id).order_by(*order)
        return tuple(_row(row) for row in tx.execute(query))

    def due(
        self, tx: Connection, file_ids: Iterable[FileId] | None, until: date | None = None, counts_as: str | None = None
    ) -> Iterator[tuple[FileId, Row, Routine]]:
        """Open steps that have a day, the earliest first: of these case files, or of all.

        Of a closed case file only those whose routine outlives its close; of a shredded one none.
        """
        wanted = [None] if file_ids is None else list(chunks(file_ids))
        for chunk in wanted:
            steps = (
                select(routine_steps, routine_runs.c.digest)
                .join(
                    routine_runs,
                    and_(routine_runs.c.file_id == routine_steps.c.file_id, routine_runs.c.run == routine_steps.c.run),
                )
                .join(files, files.c.file_id == routine_steps.c.file_id)
                .where(
                    routine_steps.c.done_on.is_(None),
                    routine_steps.c.due_on.is_not(None),
                    routine_runs.c.ended_on.is_(None),
                    files.c.shredded_on.is_(None),
                    or_(files.c.closed_on.is_(None), routine_runs.c.outlives_close),
                )
                .order_by(routine_steps.c.due_on, routine_steps.c.file_id, routine_steps.c.step_id)
            )
            if chunk is not None:
                steps = steps.where(routine_steps.c.file_id.in_(chunk))
            if until is not None:
                steps = steps.where(routine_steps.c.due_on <= until)
            if counts_as is not None:
                steps = steps.where(routine_steps.c.counts_as == counts_as)
            for row in tx.execute(steps).all():
                yield FileId(row.file_id), _row(row), self._version(tx, row.digest)

    def _version(self, tx: Connection, digest: bytes) -> Routine:
        """A version never changes: read once."""
        found = self._versions.get(digest)
        if found is None:
            query = select(routine_versions.c.content).where(routine_versions.c.digest == digest)
            found = self._versions[digest] = reading.from_json(tx.execute(query).scalar_one())
        return found


def _insert(tx: Connection, table: Table, **values: Any) -> None:
    """Add a row that another transaction may be adding now: PostgreSQL then has this one run again, and see it."""
    make = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    tx.execute(make(table).values(**values).on_conflict_do_nothing())


def _row(row: Any) -> Row:
    return Row(
        LineName(row.run, row.step_id, row.round), row.begun_on, row.due_on, row.done_on, row.outcome, row.position
    )
