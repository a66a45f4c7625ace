"""Writes the chart's README, whose tables of values are made of the comments in values.yaml.

`python helm/readme.py` writes helm/upprop/README.md; `--check` only says whether that is fresh (exit code 1: no).
Every value has its comment, or this ends with an error.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHART = Path(__file__).parent / "upprop"
README = CHART / "README.md"

HEAD = """\
# The chart upprop

One release runs one role of one body: a municipality's node, the registry, an evaluator, or the pages of the national
statistics. [Installing with the chart](../README.md) says how. This page is made of `values.yaml` by `helm/readme.py`.
"""

_KEY = re.compile(r"^( *)([A-Za-z_][A-Za-z0-9_]*):(?: |$)")
_COMMENT = re.compile(r"^ *# ?(.*)$")


class Value(NamedTuple):
    """One row: the path of a value, what it is without anybody's doing, and its comment."""

    path: tuple[str, ...]
    default: Any
    comment: str


def values(text: str) -> list[Value]:
    """All values of a values.yaml, in its order. Raises ValueError for one without a comment."""
    content = yaml.safe_load(text)
    comments = dict(_comments(text))
    found: list[Value] = []

    def walk(path: tuple[str, ...], value: Any) -> None:
        children = [(*path, key) for key in value] if isinstance(value, dict) else []
        # A map whose keys bear no comments is one value: labels, resources.
        if any(each[: len(path)] == path and len(each) > len(path) for each in comments) or not path:
            for child in children:
                walk(child, value[child[-1]])
        elif path in comments:
            found.append(Value(path, value, comments[path]))
        else:
            raise ValueError(f"{'.'.join(path)} has no comment in values.yaml")

    walk((), content)
    return found


def page(text: str) -> str:
    """The README of these values."""
    sections: dict[str, list[Value]] = {}
    for value in values(text):
        sections.setdefault(value.path[0] if len(value.path) > 1 else "", []).append(value)
    return HEAD + "".join(_section(name, rows) for name, rows in sections.items())


def _section(name: str, rows: list[Value]) -> str:
    lines = [f"\n## {name or 'The release'}\n", "| Value | Default | What it is |", "|---|---|---|"]
    for row in rows:
        default = json.dumps(row.default, ensure_ascii=False)
        lines.append(f"| `{'.'.join(row.path)}` | `{default}` | {row.comment.replace('|', '&#124;')} |")
    return "\n".join(lines) + "\n"


def _comments(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The comment right above each key that has one."""
    above: list[str] = []
    parents: list[tuple[int, str]] = []
    for line in text.splitlines():
        if match := _COMMENT.match(line):
            above.append(match[1])
            continue
        if match := _KEY.match(line):
            depth = len(match[1])
            parents = [*(each for each in parents if each[0] < depth), (depth, match[2])]
            if above:
                yield tuple(name for _, name in parents), " ".join(above)
        above = []


def main(arguments: list[str]) -> int:
    made = page((CHART / "values.yaml").read_text(encoding="utf-8"))
    if "--check" in arguments:
        fresh = README.exists() and README.read_text(encoding="utf-8") == made
        if not fresh:
            sys.stderr.write("helm/upprop/README.md is not what values.yaml says. Run: python helm/readme.py\n")
        return 0 if fresh else 1
    README.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
