"""A program of the version before goes on working on the newer schema: no migration takes away or narrows anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FIRST_RELEASED = {"registry/store": "0013", "node/store": "0014", "privacy/evaluator/store": "0006"}
"""From here on: what came before was never run by two versions at once."""

ADDING = {"create_table", "add_column", "create_index", "execute", "bulk_insert", "f", "get_bind", "get_context"}


def _flaws(source: str) -> Iterator[str]:
    for call in (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)):
        function = call.func
        if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)):
            continue
        if function.value.id == "op" and function.attr not in ADDING:
            yield f"op.{function.attr}"
        if (function.value.id, function.attr) == ("op", "add_column"):
            column = call.args[1]
            assert isinstance(column, ast.Call)
            stated = {each.arg: each.value for each in column.keywords}
            null = stated.get("nullable")
            if isinstance(null, ast.Constant) and null.value is False and "server_default" not in stated:
                yield "a column that the version before would have to fill"


def _later() -> list[Path]:
    return [
        path
        for package, first in FIRST_RELEASED.items()
        for path in sorted((ROOT / package / "migrations" / "versions").glob("[0-9]*.py"))
        if path.name[:4] >= first
    ]


@pytest.mark.parametrize("path", _later(), ids=lambda path: f"{path.parents[3].name}-{path.stem}")
def test_a_migration_only_adds(path: Path) -> None:
    assert list(_flaws(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "change",
    [
        'op.drop_column("signals", "drill")',
        'op.alter_column("signals", "drill", nullable=False)',
        'op.batch_alter_table("signals")',
        'op.create_unique_constraint("uq", "signals", ["member"])',
        'op.add_column("signals", sa.Column("a", sa.Integer(), nullable=False))',
    ],
)
def test_what_would_stop_the_version_before_is_found(change: str) -> None:
    assert list(_flaws(change))


def test_what_it_does_not_see_is_no_flaw() -> None:
    assert not list(
        _flaws('op.add_column("signals", sa.Column("a", sa.Integer(), nullable=False, server_default="0"))')
    )
