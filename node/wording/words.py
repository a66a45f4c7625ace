"""Sentences from keys and parameters, in one language."""

from __future__ import annotations

import enum
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_VALUE = re.compile(r"\d+|`[^`]*`")
"""What differs from one remark to the next of its kind: a number, or a type."""


class Language(enum.StrEnum):
    SWEDISH = "sv"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language: a sentence for every key, a term for every code that a sentence may carry, and the phrases of
    remarks on rows, by the English phrase; none where that is what is shown."""

    sentences: Mapping[enum.Enum, str]
    terms: Mapping[str, str]
    remarks: Mapping[str, str] = field(default_factory=dict)


class Words:
    """Says things in one language."""

    def __init__(self, catalogue: Catalogue, language: Language = Language.SWEDISH) -> None:
        self.language = language
        self._catalogue = catalogue
        self._formatter = _Formatter(catalogue.terms)

    def __call__(self, key: enum.Enum, /, **parameters: object) -> str:
        """The sentence for `key`. KeyError for a key or a parameter that is not there: a mistake of ours, not input."""
        return self._formatter.vformat(self._catalogue.sentences[key], (), parameters)

    def term(self, code: str) -> str:
        """The word for a code; the code itself where there is none, since a new code must not hide what it is about."""
        return self._catalogue.terms.get(code, code)

    def remark(self, why: str) -> str:
        """What an import remarked on a row and kept as an English sentence, phrase by phrase.

        Shown as it was kept where a phrase is not known: half a translation says less than none.
        """
        phrases = [self._phrase(phrase) for phrase in why.split(": ")]
        return ": ".join(phrase for phrase in phrases if phrase is not None) if None not in phrases else why

    def _phrase(self, phrase: str) -> str | None:
        values = iter(_VALUE.findall(phrase))
        found = self._catalogue.remarks.get(_VALUE.sub("#", phrase))
        return None if found is None else re.sub("#", lambda _place: next(values), found)


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
