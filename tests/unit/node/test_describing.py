"""What is told of a child when a case opens: an age band and a sex, or nothing."""

from __future__ import annotations

import pytest

from federation.rules.vocabulary import Handle
from node.describing.child import AgeBand, Sex, age_band, described, sex
from node.identity import Identity
from privacy.identifiers import CanonicalNumber, NumberKind, Sound

HANDLE = Handle(b"h" * 16)


def born(year: int, birth_number: str = "980", kind: NumberKind = NumberKind.PERSONNUMMER, **fields: str) -> Identity:
    """By a number whose check digit nobody looks at here."""
    return Identity((), (Sound(kind, CanonicalNumber(f"{year}0101{birth_number}0")),), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("year", "band"),
    [
        (2026, AgeBand.YOUNGEST),
        (2017, AgeBand.YOUNGEST),
        (2016, AgeBand.MIDDLE),
        (2014, AgeBand.MIDDLE),
        (2013, AgeBand.OLDEST),
        (2007, AgeBand.OLDEST),
    ],
)
def test_the_age_band_is_by_the_year_of_birth(year: int, band: AgeBand) -> None:
    assert age_band(born(year), 2026) is band


def test_the_number_of_a_child_says_more_than_its_row() -> None:
    assert age_band(born(2016, birth_date="2001-01-01"), 2026) is AgeBand.MIDDLE
    assert age_band(Identity((), birth_date="2016-12-31"), 2026) is AgeBand.MIDDLE


@pytest.mark.parametrize("birth_date", ["", "16-12-31", "unknown", "２０１６-12-31"])
def test_without_a_year_of_birth_there_is_no_age_band(birth_date: str) -> None:
    assert age_band(Identity((), birth_date=birth_date), 2026) is None


@pytest.mark.parametrize(
    ("stated", "expected"), [("Kvinna", Sex.FEMALE), ("kvinna", Sex.FEMALE), ("Man", Sex.MALE), ("MAN", Sex.MALE)]
)
def test_the_sex_is_the_one_that_the_school_system_states(stated: str, expected: Sex) -> None:
    other = "981" if expected is Sex.FEMALE else "980"
    assert sex(born(2016, other, sex=stated)) is expected


@pytest.mark.parametrize("stated", ["", "Okänd", "X"])
def test_where_it_states_none_a_personnummer_tells(stated: str) -> None:
    assert sex(born(2016, "981", sex=stated)) is Sex.MALE
    assert sex(born(2016, "998", sex=stated)) is Sex.FEMALE
    # A samordningsnummer is given to whoever says so, and a drill's is nobody's.
    for kind in (NumberKind.SAMORDNINGSNUMMER, NumberKind.DRILL):
        assert sex(born(2016, "981", kind, sex=stated)) is None
    assert sex(Identity((), sex=stated)) is None


def test_nothing_of_the_identity_shows() -> None:
    known = born(2016, sex="Kvinna", given_name="Ada")
    description = described(known, HANDLE, 3, 2026)
    assert repr(description) == "Description(number=3)"
    assert (description.age_band, description.sex, description.number) == (AgeBand.MIDDLE, Sex.FEMALE, 3)
