"""Identity numbers as school systems hold them. Every number here has a birth number kept for tests (980–999)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from personnummer import personnummer

from privacy.identifiers import (
    CanonicalNumber,
    Invalid,
    InvalidReason,
    Missing,
    NumberKind,
    ParsedNumber,
    Sound,
    Temporary,
    parse,
)

TODAY = date(2026, 10, 19)


def check_digit(nine: str) -> str:
    digits = (int(digit) * (2 - at % 2) for at, digit in enumerate(nine))
    return str(-sum(value // 10 + value % 10 for value in digits) % 10)


def number(born: date, birth_number: int = 980, coordination: bool = False) -> str:
    day = f"{born:%Y%m}{born.day + 60 * coordination:02}"
    return f"{day}{birth_number}{check_digit(day[2:] + str(birth_number))}"


def canonical(found: ParsedNumber) -> str:
    assert isinstance(found, Sound)
    return found.number


@given(born=st.dates(date(1930, 1, 1), TODAY), birth_number=st.integers(980, 999), coordination=st.booleans())
def test_every_form_of_a_number_is_the_same_number(born: date, birth_number: int, coordination: bool) -> None:
    twelve = number(born, birth_number, coordination)
    kind = NumberKind.SAMORDNINGSNUMMER if coordination else NumberKind.PERSONNUMMER
    forms = [twelve, f"{twelve[:8]}-{twelve[8:]}", f" {twelve}\n"]
    if born.year > TODAY.year - 100:
        forms += [twelve[2:], f"{twelve[2:8]}-{twelve[8:]}"]
    for form in forms:
        assert parse(form, TODAY) == Sound(kind, CanonicalNumber(twelve))


@pytest.mark.parametrize(
    ("sign", "today", "century"),
    [("-", date(2026, 12, 31), "19"), ("", date(2026, 12, 31), "19"), ("-", date(2027, 1, 1), "20"),
     ("+", date(2027, 1, 1), "19"), ("+", date(2026, 12, 31), "18")],
)  # fmt: skip
def test_the_century_follows_from_the_business_date(sign: str, today: date, century: str) -> None:
    ten = number(date(2027, 1, 1))[2:]
    assert canonical(parse(ten[:6] + sign + ten[6:], today)) == century + ten


def test_the_system_clock_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    ten = number(date(2015, 3, 4))[2:]
    before = canonical(parse(ten, TODAY))
    monkeypatch.setattr(personnummer, "_get_current_date", lambda: date(1980, 1, 1))
    assert canonical(parse(ten, TODAY)) == before == "20" + ten


@pytest.mark.parametrize("digit", range(10))
def test_a_wrong_check_digit_is_told(digit: int) -> None:
    sound = number(date(2013, 5, 6))
    if sound[-1] == str(digit):
        assert isinstance(parse(sound, TODAY), Sound)
    else:
        assert parse(sound[:-1] + str(digit), TODAY) == Invalid(InvalidReason.CHECK_DIGIT)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (None, Missing()),
        ("", Missing()),
        ("  ", Missing()),
        ("20130101TF01", Temporary()),
        ("20130101-tf01", Temporary()),
        ("130101TF01", Temporary()),
        ("20130101T001", Temporary()),
        ("2013010", Invalid(InvalidReason.FORMAT)),
        ("20130101", Invalid(InvalidReason.FORMAT)),
        ("2013-01-01-9802", Invalid(InvalidReason.FORMAT)),
        ("201301019802x", Invalid(InvalidReason.FORMAT)),
        ("２０１３０１０１９８０２", Invalid(InvalidReason.FORMAT)),
        ("171301019802", Invalid(InvalidReason.FORMAT)),
        ("okänd", Invalid(InvalidReason.FORMAT)),
        ("201302309802", Invalid(InvalidReason.DATE)),
        ("201313019802", Invalid(InvalidReason.DATE)),
        ("201301609802", Invalid(InvalidReason.DATE)),
        ("201301929802", Invalid(InvalidReason.DATE)),
        (number(date(2026, 10, 20)), Invalid(InvalidReason.DATE_IN_FUTURE)),
        (number(date(2026, 10, 20))[2:], Invalid(InvalidReason.DATE_IN_FUTURE)),
    ],
)
def test_what_is_no_number_is_told_apart(given_: str | None, expected: object) -> None:
    assert parse(given_, TODAY) == expected


@given(st.text(max_size=16))
def test_nothing_a_school_system_holds_makes_it_stumble(text: str) -> None:
    found = parse(text, TODAY)
    shown = repr(found)
    assert not isinstance(found, Sound) or found.number not in shown
    assert len(text.strip()) < 6 or text not in shown


def test_no_repr_shows_the_number() -> None:
    sound = number(date(2013, 5, 6))
    assert sound[8:] not in repr(parse(sound, TODAY))
