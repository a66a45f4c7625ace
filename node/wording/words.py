"""Sentences from keys and parameters, in one language."""

from __future__ import annotations

import enum
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Language(enum.StrEnum):
    SWEDISH = "sv"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language: a sentence for every key, and a term for every code that a sentence may carry."""

    sentences: Mapping[enum.Enum, str]
    terms: Mapping[str, str]


class Words:
    """Says things in one language."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._formatter = _Formatter(catalogue.terms)

    def __call__(self, key: enum.Enum, /, **parameters: object) -> str:
        """The sentence for `key`. KeyError for a key or a parameter that is not there: a mistake of ours, not input."""
        return self._formatter.vformat(self._catalogue.sentences[key], (), parameters)

    def term(self, code: str) -> str:
        """The word for a code; the code itself where there is none, since a new code must not hide what it is about."""
        return self._catalogue.terms.get(code, code)


class _Formatter(string.Formatter):
    """`{code!t}` looks a term up; `{number:one|many}` counts."""

    def __init__(self, terms: Mapping[str, str]) -> None:
        self._terms = terms

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion == "t":
            return self._terms.get(str(value), str(value))
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        one, bar, many = format_spec.partition("|")
        if bar:
            return f"{value} {one if int(value) == 1 else many}"
        formatted: str = super().format_field(value, format_spec)
        return formatted
