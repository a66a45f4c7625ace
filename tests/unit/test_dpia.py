"""What the assessments claim is tested: the tests that they name exist, and no risk stands without one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DPIA = ROOT / "privacy" / "DPIA.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@cache
def functions(path: Path) -> frozenset[str]:
    """The tests of a file, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def risks() -> list[str]:
    return [line for line in DPIA.read_text(encoding="utf-8").splitlines() if re.match(r"\| R\d+ \|", line)]


@pytest.mark.parametrize("document", ["privacy/DPIA.md", "privacy/TRUST.md"])
def test_every_test_that_is_named_exists(document: str) -> None:
    named = TEST.findall((ROOT / document).read_text(encoding="utf-8"))
    assert named
    for path, name in named:
        assert (ROOT / path).is_file(), path
        assert not name or (name.startswith("test_") and name in functions(ROOT / path)), f"{path}::{name}"


def test_every_risk_names_a_test() -> None:
    assert len(risks()) >= 15
    for risk in risks():
        assert any(name for _, name in TEST.findall(risk)), risk[:40]


def test_risks_are_numbered_in_order() -> None:
    numbers = [int(number) for number in re.findall(r"^\| R(\d+) \|", "\n".join(risks()), re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_path_that_is_linked_exists() -> None:
    for document in (DPIA, ROOT / "docs" / "manual" / "data-subjects.md"):
        for target in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), target
