"""How findings are shown: a line each on a terminal, as wide as it is; or as JSON."""

from __future__ import annotations

import enum
import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import click

from federation.doctor.english import DOCTOR
from federation.doctor.findings import Finding, Level, counted, exit_code_of

_MARKS = {Level.OK: ("✓", "ok", "green"), Level.WARNING: ("!", "!", "yellow"), Level.FAILED: ("✗", "X", "red")}
_SIGNS = "✓✗→"
_LABEL_WIDTH = 18
_INDENT = " " * (_LABEL_WIDTH + 4)
_NARROWEST = 60
_UNBROKEN: Mapping[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
"""What is to be copied, a path or a command, stays whole."""


class Wording(Protocol):
    """The sentence for a key, with its parameters."""

    def __call__(self, key: enum.Enum, /, **parameters: object) -> str: ...


class Summary(enum.Enum):
    """The last line."""

    ALL_WELL = enum.auto()
    WARNED = enum.auto()
    FAILED = enum.auto()


SUMMARY: Mapping[enum.Enum, str] = {
    Summary.ALL_WELL: "All is well.",
    Summary.WARNED: "It works. Warnings: {warnings}; the arrows say what to do.",
    Summary.FAILED: "Failed: {failed}. Warnings: {warnings}. The arrows say what to do; begin at the top.",
}


def english(more: Mapping[enum.Enum, str] | None = None) -> Wording:
    """The words of a role, which may say more than every role does."""
    catalogue = {**DOCTOR, **SUMMARY, **(more or {})}

    def say(key: enum.Enum, /, **parameters: object) -> str:
        return catalogue[key].format(**parameters)

    return say


def report(found: Iterable[Finding], words: Wording, *, as_json: bool) -> int:
    """Show findings as they come, and return the exit code that follows from them."""
    seen: list[Finding] = []
    unicode = _takes_unicode()
    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    for finding in found:
        seen.append(finding)
        if not as_json:
            click.echo(_shown(finding, words, width, unicode=unicode))
    if as_json:
        click.echo(json.dumps([plain(each, words) for each in seen], ensure_ascii=False, indent=1))
    else:
        click.echo("\n" + _last(seen, words))
    return exit_code_of(seen)


def plain(finding: Finding, words: Wording) -> dict[str, Any]:
    """For scripts: `check`, `subject`, `level` and `code` are stable, the sentences are for people."""
    sentence, do = _said(finding, words)
    return {
        "check": finding.topic.value,
        "subject": finding.subject or None,
        "level": finding.level.value,
        "code": None if finding.code is None else finding.code.value,
        "sentence": sentence,
        "do": do or None,
    }


def _said(finding: Finding, words: Wording) -> tuple[str, str]:
    sentence, _, do = words(finding.says, **finding.parameters).partition("\n")
    return sentence, do


def _shown(finding: Finding, words: Wording, width: int, *, unicode: bool) -> str:
    sign, plain_sign, colour = _MARKS[finding.level]
    label = f"{words(finding.topic)} {finding.subject}".strip()
    sentence, do = _said(finding, words)
    arrow = "→ " if unicode else "-> "
    room = width - len(_INDENT)
    lines = textwrap.wrap(sentence, room, **_UNBROKEN)
    if do:
        lines += textwrap.wrap(do, room, initial_indent=arrow, subsequent_indent=" " * len(arrow), **_UNBROKEN)
    if len(label) >= _LABEL_WIDTH:
        lines.insert(0, "")
    mark = click.style(f"{sign if unicode else plain_sign:<2}", fg=colour, bold=True)
    head = f"{mark} {click.style(label, bold=True)}{' ' * (_LABEL_WIDTH - len(label))} "
    return head + f"\n{_INDENT}".join(lines)


def _last(seen: list[Finding], words: Wording) -> str:
    failures, warnings = counted(seen, Level.FAILED), counted(seen, Level.WARNING)
    if failures:
        return click.style(words(Summary.FAILED, failed=failures, warnings=warnings), fg="red", bold=True)
    if warnings:
        return click.style(words(Summary.WARNED, warnings=warnings), fg="yellow", bold=True)
    return click.style(words(Summary.ALL_WELL), fg="green", bold=True)


def _takes_unicode() -> bool:
    encoding = sys.stdout.encoding or "ascii"
    try:
        _SIGNS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
