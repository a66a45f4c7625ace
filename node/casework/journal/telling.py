"""A journal entry in words: what its kind and its body say, line by line. Pure but for the language's texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from federation.web.i18n import Texts
from node.casework.journal.model import Entry

_CODES = {
    "answer": ("task.answer",),
    "ground": ("contact.ground",),
    "task": ("task.kind", "tasks.asks"),
    "told": ("worry.what",),
}
"""Keys of a body whose values are codes spelt elsewhere, with the texts that spell them."""


def lines(entry: Entry, words: Texts) -> list[tuple[str, str]]:
    """(label, value) pairs; what is of no meaning to a reader is left out, what nobody foresaw is shown as it is."""
    if entry.damaged:
        return [("", words("journal.damaged"))]
    if entry.body is None:
        return [("", words("journal.shredded"))]
    found: list[tuple[str, str]] = []
    for key, value in entry.body.items():
        if value in (None, "") or key in HIDDEN:
            continue
        label = words(f"journal.field.{key}") if f"journal.field.{key}" in words else key
        found.append(("" if key == "text" else label, _value(key, value, words)))
    return found


HIDDEN = frozenset({"revision", "form", "attachment", "opened_on", "step_id", "outcome_id"})
"""Keys of a body that are for the node alone."""


def _value(key: str, value: Any, words: Texts) -> str:
    if isinstance(value, Mapping):
        # A text in two languages.
        return str(value.get(words.language.value) or value.get("sv") or "")
    for texts in (*_CODES.get(key, (key,)), f"journal.value.{key}"):
        if f"{texts}.{value}" in words:
            return words(f"{texts}.{value}")
    return str(value)
