"""The aggregate "drill": a test pupil on its way through the chain, and what was seen of it.

State of a drill: RUNNING → PASSED | FAILED, moved by `end` alone; one runs at a time. Its steps are only ever added.
The pupil itself, its versions and its gap stand where every pupil's do, marked by `pupils.drill`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from node.drill.steps import Done, Drill, Failure, Fault, State, Step
from node.store.schema_drills import drill_steps, drills


class Drills:
    """The drills of the node. Every method works on the connection of the caller's transaction."""

    def begin(self, tx: Connection, pupil_id: bytes, handle: bytes, made: Done) -> Drill:
        """Keep a drill whose pupil has just been made."""
        row = {"pupil_id": pupil_id, "handle": handle, "state": State.RUNNING.value}
        drill_id = tx.execute(insert(drills).values(row).returning(drills.c.drill_id)).scalar_one()
        self.done(tx, drill_id, {Step.MADE: made})
        return Drill(drill_id, pupil_id, handle, State.RUNNING, {Step.MADE: made})

    def running(self, tx: Connection) -> Drill | None:
        return self._one(tx, drills.c.state == State.RUNNING.value)

    def newest(self, tx: Connection, state: State | None = None) -> Drill | None:
        """The drill that began last, of those in this state."""
        return self._one(tx, True if state is None else drills.c.state == state.value)

    def load(self, tx: Connection, drill_id: int) -> Drill:
        found = self._one(tx, drills.c.drill_id == drill_id)
        if found is None:
            raise KeyError(drill_id)
        return found

    def done(self, tx: Connection, drill_id: int, steps: Mapping[Step, Done]) -> None:
        """These steps have happened."""
        if steps:
            tx.execute(
                insert(drill_steps),
                [
                    {
                        "drill_id": drill_id,
                        "step": step.value,
                        "done_on": done.on,
                        "done_at": done.at,
                        "detail": done.detail,
                    }
                    for step, done in steps.items()
                ],
            )

    def end(self, tx: Connection, drill_id: int, at: datetime, failure: Failure | None) -> None:
        """It has passed, or failed."""
        values: dict[str, Any] = {"state": State.PASSED.value, "ended_at": at}
        if failure is not None:
            values |= {
                "state": State.FAILED.value,
                "failed_step": failure.step.value,
                "fault": failure.fault.value,
                "code": failure.code,
            }
        tx.execute(update(drills).where(drills.c.drill_id == drill_id).values(values))

    def _one(self, tx: Connection, which: Any) -> Drill | None:
        row = tx.execute(select(drills).where(which).order_by(drills.c.drill_id.desc()).limit(1)).first()
        if row is None:
            return None
        steps = tx.execute(select(drill_steps).where(drill_steps.c.drill_id == row.drill_id))
        return Drill(
            row.drill_id,
            row.pupil_id,
            row.handle,
            State(row.state),
            {Step(each.step): Done(each.done_on, each.done_at, each.detail) for each in steps},
            row.ended_at,
            None if row.failed_step is None else Failure(Step(row.failed_step), Fault(row.fault), row.code),
        )
