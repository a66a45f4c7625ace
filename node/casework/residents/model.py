"""Who of the residents is of school age: pure, from a date of birth and a date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from node.casework.tasks.model import Answer

FIRST_YEAR = 6
"""The duty begins with the preschool class, in the autumn of the year in which the child turns six
(skollagen 7 kap. 10 §)."""
LAST_YEAR = 16
"""It ends with the spring term of the tenth school year, in the year in which the pupil turns sixteen (12 §)."""

AUTUMN = (8, 1)
SPRING_ENDS = (6, 30)


@dataclass(frozen=True, slots=True)
class Resident:
    """One row of the list. `elsewhere`: the school that is known to the municipality, as text; empty where none is."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    born: date = field(repr=False)
    since: date | None
    elsewhere: bool
    protected: bool
    position: int


def of_school_age(born: date, today: date) -> bool:
    """Whether the duty to attend school holds today for one of this date of birth."""
    begins = date(born.year + FIRST_YEAR, *AUTUMN)
    ends = date(born.year + LAST_YEAR, *SPRING_ENDS)
    return begins <= today <= ends


def asked_again_on(answer: Answer, until: date | None, today: date) -> date | None:
    """The day on which an answer about a resident is looked at again: at the latest when a new school year begins."""
    if answer is Answer.NOT_PLACED:
        return None
    autumn = date(today.year + (today >= date(today.year, *AUTUMN)), *AUTUMN)
    return min(until, autumn) if until is not None else autumn
