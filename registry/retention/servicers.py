"""What the registry answers on its control socket about retention."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from federation.control import Handlers
from federation.v1 import control_pb2
from registry.retention.purging import Retention, Round


def handlers(retention: Retention) -> Handlers:
    """Retain."""

    def retain(request: control_pb2.RetainRequest) -> Iterator[control_pb2.RetainResponse]:
        if request.dry_run:
            yield _report(retention.due())
            return
        yield from _carried_out(retention)

    return {"Retain": retain}


def _carried_out(retention: Retention) -> Iterator[control_pb2.RetainResponse]:
    """A round in a thread of its own, so that it ends even if whoever asked for it goes away."""
    steps: queue.SimpleQueue[str | Round | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            steps.put(retention.run(steps.put))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
            steps.put(error)

    threading.Thread(target=work, name="retention").start()
    done = 0
    while True:
        step = steps.get()
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Round):
            yield _report(step)
            return
        done += 1
        yield control_pb2.RetainResponse(progress=control_pb2.Progress(step=step, done=done))


def _report(round_: Round) -> control_pb2.RetainResponse:
    steps = [control_pb2.RetainedStep(step=step, due=due) for step, due in round_.due.items()]
    closed_on = "" if round_.closed_on is None else round_.closed_on.isoformat()
    return control_pb2.RetainResponse(report=control_pb2.RetainReport(closed_on=closed_on, steps=steps))
