"""How many statements the registry's work takes: the same number, however much there is of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from registry import pipeline
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import DUE, A, B, C, Scene, again, arrival, leaving, pupil


@contextlib.contextmanager
def counted(scene: Scene) -> Iterator[list[str]]:
    """The statements that reach the store in the block. Many rows bound to one statement are one."""
    said: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    sa.event.listen(scene.database.engine, "before_cursor_execute", record)
    try:
        yield said
    finally:
        sa.event.remove(scene.database.engine, "before_cursor_execute", record)


def test_a_batch_takes_as_many_statements_for_10_signals_as_for_1_000(empty_database: MakeDatabase) -> None:
    taken = []
    for count in (10, 1_000):
        scene = Scene(empty_database())
        first = [leaving(pupil(f"p{number}")) for number in range(count)]
        with counted(scene) as new:
            scene.submit(A, *first)
        with counted(scene) as known:
            scene.submit(A, *(again(signal) for signal in first))
        taken.append((len(new), len(known)))
    assert taken[0] == taken[1]
    assert max(taken[0]) < 25


def test_a_portion_takes_as_many_statements_for_10_groups_as_for_500(empty_database: MakeDatabase) -> None:
    taken = []
    for count in (10, pipeline.GROUPS_A_PORTION):
        scene = Scene(empty_database())
        # Answered, alone, linked, asked for: everything that a close writes.
        for kind in range(0, count, 5):
            names = [pupil(f"p{kind + place}") for place in range(5)]
            scene.submit(A, *map(leaving, names))
            scene.submit(B, arrival(names[0]), arrival(names[1]), leaving(names[2]))
        scene.report(A, B, C, as_of=DUE)
        with counted(scene) as statements:
            report = scene.daily_close.run(DUE)
        assert report.groups == count
        taken.append(len(statements))
    assert taken[0] == taken[1]
    assert taken[0] < 90
