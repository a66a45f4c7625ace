"""Synthetic people: numbers, names and what an export shows of a pupil.

Birth numbers are 980 to 999 alone, which Sweden keeps for test numbers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from federation.errors import Code, UppropError

BIRTH_NUMBERS = range(980, 1000)
DAYS_TRIED = 90
"""Days of birth on which an unused number is looked for; each has twenty."""
SAMORDNING_DAY = 60
GIVEN_NAMES = ("Alva", "Bo", "Dag", "Ebba", "Folke", "Gry", "Hedda", "Ivar", "Juni", "Kaj", "Liv", "My", "Nils")
FAMILY_NAMES = (
    "Testholm",
    "Provberg",
    "Modellsson",
    "Exempelkvist",
    "Skissgren",
    "Utkastberg",
    "Mallström",
    "Övningsdal",
)

UNIT_BEGINS = ("Al", "Ask", "Asp", "Björk", "Bok", "Ek", "En", "Gran", "Hassel", "Lind", "Lönn", "Tall")
UNIT_ENDS = ("backaskolan", "bergsskolan", "dalsskolan", "hagaskolan", "lundaskolan", "ängsskolan")


def unit_name(unit: str) -> str:
    """What a school unit is called, by its id: no such school need exist."""
    place = int(unit[:8], 16)
    return UNIT_BEGINS[place % len(UNIT_BEGINS)] + UNIT_ENDS[place // len(UNIT_BEGINS) % len(UNIT_ENDS)]


@dataclass(frozen=True)
class Row:
    """One enrolment as an export gives it; `end` is the last day with."""

    unit: str
    form: str
    start: date
    year: int
    end: date | None = None
    cancelled: bool = False
    start_text: str | None = None
    """Stands in the export in place of the start date: the broken date of a faulty row."""

    def ended(self, last: date) -> Row:
        return replace(self, end=last)

    def withdrawn(self) -> Row:
        return replace(self, cancelled=True)


@dataclass(frozen=True)
class Entry:
    """What one export shows of one person."""

    number: str | None
    rows: tuple[Row, ...]
    marking: str = "Ingen"
    status: str = "Aktiv"


@dataclass(frozen=True)
class Pupil:
    """A child: its numbers and its schooling. The person id is each member's own and is not here."""

    number: str
    samordning: str
    invalid: str
    birth: date
    sex: str
    given_name: str
    family_name: str
    form: str
    year: int


def check_digit(digits: str) -> int:
    """The tenth digit of a Swedish number from its first nine: every other one doubled, digits summed, modulo ten."""
    total = 0
    for position, digit in enumerate(digits):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return -total % 10


def number(birth: date, birth_number: int, *, samordning: bool = False) -> str:
    """The canonical 12 digits."""
    day = birth.day + (SAMORDNING_DAY if samordning else 0)
    body = f"{birth.year:04}{birth.month:02}{day:02}{birth_number:03}"
    return f"{body}{check_digit(body[2:])}"


@dataclass
class Population:
    """Draws pupils; no number is given twice."""

    rng: random.Random
    school_year_start: int
    """The calendar year in which the school year of the scenario's pupils began."""
    taken: set[str] = field(default_factory=set)

    def pupil(self, form: str, year: int) -> Pupil:
        sound, birth, birth_number = self._draw(self._birth(year))
        return Pupil(
            number=sound,
            samordning=number(birth, birth_number, samordning=True),
            invalid=f"{sound[:-1]}{(int(sound[-1]) + self.rng.randrange(1, 10)) % 10}",
            birth=birth,
            sex="Kvinna" if birth_number % 2 == 0 else "Man",
            given_name=self.rng.choice(GIVEN_NAMES),
            family_name=self.rng.choice(FAMILY_NAMES),
            form=form,
            year=year,
        )

    def temporary(self, pupil: Pupil) -> str:
        """A temporary number, as school systems give it where no other is known."""
        while (drawn := f"{pupil.birth:%Y%m%d}TF{self.rng.randrange(1, 100):02}") in self.taken:
            pass
        self.taken.add(drawn)
        return drawn

    def renumbered(self, pupil: Pupil) -> str:
        """Another personnummer in place of the pupil's own, as protected identities are given."""
        return self._draw(pupil.birth)[0]

    def _birth(self, year: int) -> date:
        """When somebody may be born who is in that school year."""
        return date(self.school_year_start - 6 - year, 1, 1) + timedelta(days=self.rng.randrange(365))

    def _draw(self, birth: date) -> tuple[str, date, int]:
        """An unused number of somebody born on that day, or on the next on which one is left."""
        for _ in range(DAYS_TRIED):
            for birth_number in self.rng.sample(BIRTH_NUMBERS, len(BIRTH_NUMBERS)):
                if (drawn := number(birth, birth_number)) not in self.taken:
                    self.taken.add(drawn)
                    return drawn, birth, birth_number
            birth += timedelta(days=1)
        raise UppropError(
            Code.INPUT_REFUSED,
            "There are not enough test numbers for so many pupils of one age: ask for fewer pupils or members.",
        )
