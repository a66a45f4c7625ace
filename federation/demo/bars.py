"""Progress on standard error: a bar for each thing that takes its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

SHOWN_AS = {"starting": "Starting the parties", "playing": "Playing the term"}
"""How a step is called where not by its own name."""


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """What is yielded is called with (step, done, total). "starting X" and "playing X" are one bar each, for any X; a
    step that begins anew has its bar begin anew.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}
        reached: dict[str, int] = {}

        def show_step(step: str, done: int, total: int) -> None:
            kind = step.partition(" ")[0]
            if kind not in tasks:
                tasks[kind] = progress.add_task(SHOWN_AS.get(kind, step.capitalize()), total=total)
            elif done < reached[kind]:
                progress.reset(tasks[kind])
            reached[kind] = done
            description = step.capitalize() if kind == "playing" else None
            progress.update(tasks[kind], completed=done, total=total, description=description)

        yield show_step
