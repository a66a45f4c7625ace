"""One sync while it runs: what it works by, what it has to report, and its progress."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from federation.descriptor import Descriptor
from federation.errors import UppropError
from federation.observability import Event, Level, Log
from node.gaps import Judge
from node.streaming import relayed

STEP_FAILED = Event("sync_step_failed", ("step", "code"), Level.WARNING)
STORE_BEHIND = Event("store_behind_registry", ("of",), Level.ERROR)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """Work done so far in one step, for a progress bar."""

    step: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. `waiting`: versions still to be sent; `problems`: why, in plain sentences."""

    submitted: int = 0
    parked: int = 0
    waiting: int = 0
    notices: int = 0
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Sync:
    """One run, from step to step."""

    descriptor: Descriptor
    today: date
    judge: Judge
    log: Log
    expired: bool = False
    behind: bool = False
    """The registry knows more than this store, or could not be asked whether it does."""
    late: bool = False
    """The registry answers, and has not closed the last school day."""
    closed_on: date | None = None
    submitted: int = 0
    notices: int = 0
    problems: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)

    def failed(self, step: str, error: UppropError) -> None:
        self.say(error.sentence)
        self.log(STEP_FAILED, step=step, code=error.code)


def named(step: str, steps: Generator[tuple[int, int], None, T]) -> Generator[Progress, None, T]:
    """The progress of a step under its name; passes its result on."""
    return (yield from relayed(steps, lambda each: Progress(step, *each)))
