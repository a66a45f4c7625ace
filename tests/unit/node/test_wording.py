"""Every language says everything, with the same parameters, and in its own plural forms."""

from __future__ import annotations

import ast
import enum
import string
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import node
from federation.rules.vocabulary import GapState, OpeningKind, Urgency
from node.casework.sayings import words as words_to_say
from node.drill.texts import DrillText
from node.duty import Cause
from node.explain.findings import SECTIONS, Next
from node.gaps import OpenedBy
from node.identity import Route
from node.model import HAND_MADE_OPENINGS, Reason, Status
from node.records.dates import WHY_NO_DATE
from node.records.report import number_remark
from node.records.values import WHY_UNKNOWN_FORM, WHY_UNKNOWN_MARKING, WHY_UNKNOWN_STATUS
from node.wording import CATALOGUES, Catalogue, Language, words_in
from node.wording.texts import Text
from privacy.identifiers import Invalid, InvalidReason, Missing, ParsedNumber, Temporary

KINDS_OF_KEYS: set[type[enum.Enum]] = {
    Text,
    DrillText,
    *SECTIONS,
    *(type(key) for catalogue in CATALOGUES.values() for key in catalogue.sentences),
}
KEYS = {key for kind in KINDS_OF_KEYS for key in kind}
REMARKING = ("Remark", "reject", "note", "remarks.count")
"""How calls that remark on a row end."""
NAMED = {kind.__name__: kind for kind in KINDS_OF_KEYS}
SWEDISH, ENGLISH = words_in(Language.SWEDISH), words_in(Language.ENGLISH)


def parameters(sentence: str) -> set[tuple[str, str | None]]:
    """The names in a sentence; a plural or a term is asked for in both languages or in none."""
    return {
        (name, conversion or ("n" if "|" in (spec or "") else None))
        for _, name, spec, conversion in string.Formatter().parse(sentence)
        if name is not None
    }


@pytest.mark.parametrize("language", Language)
def test_a_language_has_every_key_and_no_other(language: Language) -> None:
    assert set(CATALOGUES[language].sentences) == KEYS


@pytest.mark.parametrize("key", sorted(KEYS, key=str), ids=str)
def test_both_languages_say_a_key_with_the_same_parameters(key: enum.Enum) -> None:
    swedish, english = (CATALOGUES[language].sentences[key] for language in Language)
    assert {name for name, _ in parameters(swedish)} == {name for name, _ in parameters(english)}
    assert {each for each in parameters(swedish) if each[1] == "t"} == {
        each for each in parameters(english) if each[1] == "t"
    }


CODES: tuple[type[enum.StrEnum], ...] = (OpeningKind, Urgency, GapState, Route, OpenedBy, Reason, Cause)


@pytest.mark.parametrize("catalogue", CATALOGUES.values(), ids=list(Language))
def test_every_code_that_a_sentence_may_carry_has_a_term(catalogue: Catalogue) -> None:
    codes = {code.value for codes in CODES for code in codes}
    codes |= {what.value for what in HAND_MADE_OPENINGS} | {Status.DECEASED.value, Status.EMIGRATED.value}
    codes |= set(words_to_say())
    assert codes <= set(catalogue.terms)


def test_the_languages_have_the_same_terms() -> None:
    assert CATALOGUES[Language.SWEDISH].terms.keys() == CATALOGUES[Language.ENGLISH].terms.keys()


@pytest.mark.parametrize(
    ("days", "swedish", "english"),
    [(0, "0 skoldagar", "0 school days"), (1, "1 skoldag", "1 school day"), (2, "2 skoldagar", "2 school days")],
)
def test_numbers_take_the_form_that_fits(days: int, swedish: str, english: str) -> None:
    on = date(2026, 10, 19)
    assert f"2026-10-19 ({swedish} kvar)" in SWEDISH(Next.DUE, on=on, school_days=days)
    assert f"2026-10-19 ({english} left)" in ENGLISH(Next.DUE, on=on, school_days=days)


def test_a_code_without_a_term_is_shown_as_it_is() -> None:
    assert SWEDISH(Text.STATE_SINCE, state="NEWSTATE", on="2026-10-19") == "NEWSTATE sedan 2026-10-19"


def test_a_parameter_that_is_not_given_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        SWEDISH(Text.IMPORTED)


def whys() -> Iterator[str]:
    """Every sentence that an import may remark on a row, as the sources spell it."""
    for path in sorted((Path(node.__file__).parent / "records").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(REMARKING):
                yield from (
                    value.value
                    for value in call.args[-1:]
                    if isinstance(value, ast.Constant) and isinstance(value.value, str)
                )
    unusable: list[ParsedNumber] = [Temporary(), Missing(), *map(Invalid, InvalidReason)]
    yield from (number_remark(parsed, 1).why for parsed in unusable)
    yield from (WHY_NO_DATE, WHY_UNKNOWN_FORM, WHY_UNKNOWN_MARKING, WHY_UNKNOWN_STATUS)
    yield "expected `str`, got `int`: the enrolment is left out"
    yield "is empty, and no known grade is given: taken for GR, in 12 rows"
    yield "gives no known grade, nor is a school type given: taken for GR, in 12 rows"
    yield "has more or fewer fields than the header: the row is left out"


def test_every_remark_on_a_row_is_said_in_swedish() -> None:
    sentences = set(whys())
    assert len(sentences) > 20
    for why in sentences:
        assert SWEDISH.remark(why) != why, why
        assert ENGLISH.remark(why) == why
    assert SWEDISH.remark("is empty, and no known grade is given: taken for GR, in 12 rows").endswith("i 12 rader")
    assert SWEDISH.remark("is odd: the row is left out") == "is odd: the row is left out"


def calls() -> Iterator[tuple[enum.Enum, set[str]]]:
    """Every `words(Text.KEY, name=…)` in the node's source, and its like with another kind of key."""
    for path in sorted(Path(node.__file__).parent.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(call, ast.Call)
                and call.args
                and isinstance(key := call.args[0], ast.Attribute)
                and isinstance(key.value, ast.Name)
                and key.value.id in NAMED
                and isinstance(call.func, ast.Name)
                and call.func.id in ("words", "finding")
                and all(keyword.arg for keyword in call.keywords)
            ):
                yield NAMED[key.value.id][key.attr], {keyword.arg for keyword in call.keywords if keyword.arg}


def test_every_call_gives_the_parameters_of_its_sentence() -> None:
    found = list(calls())
    assert len(found) > 20
    for key, given in found:
        asked = {name for name, _ in parameters(CATALOGUES[Language.SWEDISH].sentences[key])}
        # A finding carries what scripts ask for, beyond its sentence.
        assert asked <= given, key
        assert given == asked or not isinstance(key, Text), key
