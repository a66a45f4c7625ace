"""Pages in two languages: Swedish first, English beside it.

A catalogue is one language's texts by key, gathered from areas (one module each). Keys are dotted: `map.legend.silent`.

Invariants
    - Every language has the same keys with the same parameters (`differences`; a test asks it of every application).
    - A key that is not there is a mistake of ours and raises; it never reaches a page as its own name.
    - Texts are plain text; markup is the templates' alone.
"""

from __future__ import annotations

import enum
import string
from collections.abc import Mapping
from typing import Any


class Language(enum.StrEnum):
    """By the names that stand in addresses and in `lang`."""

    SWEDISH = "sv"
    ENGLISH = "en"

    @property
    def other(self) -> Language:
        return Language.ENGLISH if self is Language.SWEDISH else Language.SWEDISH


class Texts:
    """One language's texts. Called with a key and parameters it gives the sentence."""

    def __init__(self, language: Language, *areas: Mapping[str, str]) -> None:
        self.language = language
        self._texts: dict[str, str] = {}
        for area in areas:
            if again := self._texts.keys() & area.keys():
                raise ValueError(f"texts stand in two areas: {', '.join(sorted(again))}")
            self._texts |= area

    def __call__(self, key: str, /, **parameters: object) -> str:
        """KeyError for a key or parameter that is not there. `{n:barn|barn}` counts: one form, the other. `{n:,}` has
        its thousands apart as the language has them."""
        return _FORMATTERS[self.language].vformat(self._texts[key], (), parameters)

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def parameters(self) -> dict[str, frozenset[str]]:
        """Key → names of the parameters that its text asks for."""
        return {key: frozenset(_names(text)) for key, text in self._texts.items()}


def differences(one: Texts, other: Texts) -> list[str]:
    """Keys that stand in one language alone, or ask for other parameters there."""
    here, there = one.parameters(), other.parameters()
    return sorted(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))


def preferred(accept_language: str) -> Language:
    """The language of a reader by the header `Accept-Language`; Swedish where it names neither."""
    best, weight = Language.SWEDISH, 0.0
    for part in accept_language[:1000].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            language, asked = Language(tag.strip().lower().partition("-")[0]), float(quality or 1)
        except ValueError:
            continue
        if asked > weight:
            best, weight = language, asked
    return best


class _Formatter(string.Formatter):
    def __init__(self, thousands: str) -> None:
        self._thousands = thousands

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == ",":
            return f"{value:,}".replace(",", self._thousands)
        one, bar, many = format_spec.partition("|")
        if bar:
            return one if value == 1 else many
        formatted: str = super().format_field(value, format_spec)
        return formatted


_FORMATTERS = {Language.SWEDISH: _Formatter("\N{NO-BREAK SPACE}"), Language.ENGLISH: _Formatter(",")}


def _names(text: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
