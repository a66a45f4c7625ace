"""Progress as the control socket carries it, for the handlers of every feature."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from federation.v1 import control_pb2
from node.streaming import Step, relayed

T = TypeVar("T")
Response = TypeVar("Response")


def shown(response: Callable[..., Response], steps: Generator[Step, None, T]) -> Generator[Response, None, T]:
    """What streamed work reports, as responses of this kind; returns the work's result."""

    def progress(step: Step) -> Response:
        name, done, total = step
        return response(progress=control_pb2.Progress(step=name, done=done, total=total))

    return (yield from relayed(steps, progress))
