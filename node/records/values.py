"""School types, markings and statuses as people and other standards write them, in the words of SS 12000.

What is not known is kept as it stands: the rules know what an unknown value means, and the report names the row.
"""

from __future__ import annotations

from collections.abc import Iterable

from node.coverage import is_known
from node.model import UNMARKED, Status

DEFAULT_FORM = "GR"
"""Compulsory school: where nothing is said, a leaving must open a case."""

SECRECY_MARKING = "Sekretessmarkering"
MARKINGS = frozenset({UNMARKED, SECRECY_MARKING, "Skyddad folkbokföring"})
STATUSES = frozenset(status.value for status in Status)

WHY_UNKNOWN_FORM = "is not a known school type: it counts as enrolled, and its end opens no case"
WHY_UNKNOWN_MARKING = "is not a value of the standard: the person is treated as protected"
WHY_UNKNOWN_STATUS = "is not a value of the standard: it ends no duty of attendance"

_FORMS = {
    "förskola": "FS",
    "förskoleklass": "FKLASS",
    "fritidshem": "FTH",
    "grundskola": "GR",
    "grundskolan": "GR",
    "grundsärskola": "GRS",
    "anpassad grundskola": "GRAN",
    "träningsskola": "TR",
    "specialskola": "SP",
    "sameskola": "SAM",
    "gymnasieskola": "GY",
    "gymnasium": "GY",
    "gymnasiesärskola": "GYS",
    "anpassad gymnasieskola": "GYAN",
}
_STATUSES = {"active": Status.ACTIVE, "emigrated": Status.EMIGRATED, "deceased": Status.DECEASED}
_SEXES = {"male": "Man", "man": "Man", "m": "Man", "female": "Kvinna", "kvinna": "Kvinna", "f": "Kvinna", "k": "Kvinna"}
_NO = frozenset({"", "nej", "no", "n", "false", "0"})
_YES = frozenset({"ja", "yes", "j", "y", "true", "1", "x"})

_PRESCHOOL_GRADES = frozenset({"it", "pr", "pk", "tk"})
_PREPARATORY_GRADES = frozenset({"kg", "f", "fk", "fklass", "0", "00"})
LAST_COMPULSORY_GRADE = 9
LAST_GRADE = 13


def form_of(text: str) -> str:
    """A school type by code or Swedish name."""
    code = text.upper()
    return code if is_known(code) else _FORMS.get(text.casefold(), text)


def form_and_year(grades: str) -> tuple[str | None, int | None]:
    """School type and school year of a grade, or of a list of grades in a text, as OneRoster has them (CEDS) or people.

    A list of several grades gives the type of the first that is known, and no year.
    """
    each = [grade.strip().casefold() for grade in grades.split(",") if grade.strip()]
    read = [_grade(grade) for grade in each]
    form = next((form for form, _ in read if form is not None), None)
    return form, read[0][1] if len(read) == 1 else None


def _grade(grade: str) -> tuple[str | None, int | None]:
    if grade in _PRESCHOOL_GRADES:
        return "FS", None
    if grade in _PREPARATORY_GRADES:
        return "FKLASS", 0
    if grade.isdecimal() and 1 <= int(grade) <= LAST_GRADE:
        year = int(grade)
        return ("GR", year) if year <= LAST_COMPULSORY_GRADE else ("GY", year)
    return None, None


def marking_of(text: str) -> str:
    """A marking of protected identity; a plain yes is the lesser of the two."""
    known = {marking.casefold(): marking for marking in MARKINGS}
    plain = text.casefold()
    if plain in _NO:
        return UNMARKED
    return SECRECY_MARKING if plain in _YES else known.get(plain, text)


def status_of(text: str) -> str:
    known = {status.value.casefold(): status for status in Status} | _STATUSES
    return str(known.get(text.casefold(), text or Status.ACTIVE.value))


def sex_of(text: str) -> str:
    return _SEXES.get(text.casefold(), text)


def yes_or_no(text: str) -> bool | None:
    """None where it is neither."""
    plain = text.casefold()
    return None if plain not in _YES | _NO else plain in _YES


def first_of(texts: Iterable[str]) -> str:
    """The first that is not empty."""
    return next((text for text in texts if text), "")
