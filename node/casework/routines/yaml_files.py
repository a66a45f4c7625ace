"""Reads what people write in YAML: small, without aliases, without a key twice. Pure.

YAML's own reader takes the last of two equal keys and follows aliases, by which a few lines grow to gigabytes; both are
refused here. What is read is put into a class field by field; a field that it does not know is refused.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, TypeVar

import msgspec
import yaml

from node.casework.routines.flaws import Flaw, FlawedError, FlawKind

MAX_BYTES = 262_144
"""A routine of 200 steps is a tenth of it."""
MAX_DEPTH = 50

StructT = TypeVar("StructT", bound=msgspec.Struct)


class _KeyTwiceError(Exception):
    def __init__(self, key: str, line: int) -> None:
        super().__init__(key)
        self.key, self.line = key, line


class _AliasError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__("alias")
        self.line = line


# Every start of a node reads a dozen files: the parser in C takes a tenth of the time.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[valid-type, misc]  # chosen above
    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if key.value in seen:
                raise _KeyTwiceError(str(key.value), key.start_mark.line + 1)
            seen.add(key.value if isinstance(key.value, str) else repr(key.value))
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found


# `no` is a word, and 2026-10-19 and 10:30 are texts: people write titles and hours.
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in found
        if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool") and not tag.endswith("merge")
    ]
    for first, found in _SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def read(content: str | bytes, kind: type[StructT]) -> StructT:
    """Put the file into `kind`. Raises FlawedError."""
    if len(content) > MAX_BYTES:
        raise FlawedError((Flaw(FlawKind.TOO_LARGE, what=str(MAX_BYTES)),))
    try:
        _check_form(content)
        found = yaml.load(content, _Loader)  # noqa: S506 - a SafeLoader made stricter
    except _KeyTwiceError as error:
        raise FlawedError((Flaw(FlawKind.KEY_TWICE, _line(error.line), error.key),)) from None
    except _AliasError as error:
        raise FlawedError((Flaw(FlawKind.ALIAS, _line(error.line)),)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else _line(mark.line + 1)
        raise FlawedError((Flaw(FlawKind.NOT_YAML, where),)) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise FlawedError((Flaw(FlawKind.NOT_YAML),)) from None
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise FlawedError((_flaw(str(error), found),)) from None


def _check_form(content: str | bytes) -> None:
    """Raises for an alias, and for what is nested so deep that a parser's own stack might not hold it."""
    depth = 0
    for event in yaml.parse(content, _SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            assert event.start_mark is not None
            raise _AliasError(event.start_mark.line + 1)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError


def _line(number: int) -> str:
    return f"rad/line {number}"


_UNKNOWN = re.compile(r"contains unknown field `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")
_PLACE = re.compile(r" - at `(?:key in )?\$?([^`]*)`$")
_INDEX = re.compile(r"\[(\d+)\]")


def _flaw(reason: str, found: Any) -> Flaw:
    """What msgspec said, in terms of the file."""
    place = _PLACE.search(reason)
    path = "" if place is None else place[1].lstrip(".")
    where = _named(path, found)
    if unknown := _UNKNOWN.search(reason):
        return Flaw(FlawKind.UNKNOWN_FIELD, where, unknown[1])
    if missing := _MISSING.search(reason):
        return Flaw(FlawKind.MISSING_FIELD, where, missing[1])
    return Flaw(FlawKind.WRONG_VALUE, where or "·", _value(path, found))


def _follow(path: str, found: Any) -> Any:
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        elif isinstance(found, dict):
            found = found.get(part)
        else:
            return None
    return found


def _value(path: str, found: Any) -> str:
    value = _follow(path, found)
    return str(value)[:60] if isinstance(value, str | int | float | bool) else ""


def _named(path: str, found: Any) -> str:
    """The path, each place of a list with the id that stands there: `steps[2] (contacts).due`."""

    def name(match: re.Match[str]) -> str:
        held = _follow(path[: match.end()], found)
        own = held.get("id") if isinstance(held, dict) else None
        return f"[{int(match[1]) + 1}]" + (f" ({str(own)[:40]})" if own else "")

    return _INDEX.sub(name, path)
