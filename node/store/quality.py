"""Case files and their steps as the yearly report counts them: no identity, and nothing that is sealed is opened.

What it reads stays when a case file is shredded.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, and_, func, or_, select

from federation.rules.vocabulary import CaseOutcome
from node.casework.files.model import Absence, Classification, OpenedFor
from node.casework.quality.model import CountedFile, CountedStep
from node.casework.routines.model import CountsAs
from node.store.files import PUPIL_PROTECTED, with_pupils
from node.store.schema_files import files
from node.store.schema_routines import routine_runs, routine_steps

_SECRET = or_(files.c.protected, PUPIL_PROTECTED)


def oldest(tx: Connection, *, with_protected: bool) -> date | None:
    """The day on which the first case file was opened, of those that may be counted."""
    query = with_pupils(func.min(files.c.opened_on))
    found: date | None = tx.execute(query if with_protected else query.where(~_SECRET)).scalar()
    return found


def counted(tx: Connection, first: date, last: date) -> tuple[CountedFile, ...]:
    """Those that were worked, or in which a step was due or done, between two days, both counted."""
    concerned = select(routine_steps.c.file_id).where(
        or_(routine_steps.c.due_on.between(first, last), routine_steps.c.done_on.between(first, last))
    )
    query = (
        with_pupils(
            files.c.file_id,
            files.c.opened_for,
            files.c.opened_on,
            files.c.closed_on,
            files.c.outcome,
            files.c.classification,
            files.c.absence,
            _SECRET.label("secret"),
        )
        .where(files.c.opened_on <= last)
        .where(or_(files.c.closed_on.is_(None), files.c.closed_on >= first, files.c.file_id.in_(concerned)))
        .order_by(files.c.opened_on, files.c.reference)
    )
    rows = tx.execute(query).all()
    of_run = and_(routine_runs.c.file_id == routine_steps.c.file_id, routine_runs.c.run == routine_steps.c.run)
    ordered = (routine_steps.c.begun_on, routine_steps.c.run, routine_steps.c.step_id, routine_steps.c.round)
    wanted = {row.file_id: row for row in rows}
    steps: dict[bytes, list[CountedStep]] = {file_id: [] for file_id in wanted}
    for step in tx.execute(
        select(routine_steps, routine_runs.c.name, routine_runs.c.ended_on, routine_runs.c.outlives_close)
        .join(routine_runs, of_run)
        .join(files, files.c.file_id == routine_steps.c.file_id)
        .where(files.c.opened_on <= last)
        .order_by(*ordered)
    ):
        if step.file_id not in wanted:
            continue
        ends = [step.ended_on, None if step.outlives_close else wanted[step.file_id].closed_on]
        steps[step.file_id].append(
            CountedStep(
                step.name,
                None if step.counts_as is None else CountsAs(step.counts_as),
                step.begun_on,
                step.due_on,
                step.done_on,
                min((day for day in ends if day is not None), default=None),
            )
        )
    return tuple(
        CountedFile(
            OpenedFor(row.opened_for),
            row.opened_on,
            row.closed_on,
            None if row.outcome is None else CaseOutcome(row.outcome),
            Classification(row.classification),
            Absence(row.absence),
            bool(row.secret),
            tuple(steps[row.file_id]),
        )
        for row in rows
    )
