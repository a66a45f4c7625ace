"""What a list is padded with hides how many gaps it calls."""

from __future__ import annotations

from collections import Counter
from datetime import date
from random import Random, SystemRandom

import pytest

from federation.rules.matching import months_before
from federation.rules.vocabulary import PSEUDONYM_BYTES, Presence, Pseudonym
from registry.roll_call.padding import PART, RECENT_DAYS, Called, padded, plausible_begins

ON = date(2026, 9, 14)
BEGINS = [date(2025, 8, 18), date(2025, 8, 14), date(2026, 1, 11)]


def called(count: int, epoch: int = 1) -> list[Called]:
    return [Called(Pseudonym(epoch, place.to_bytes(PSEUDONYM_BYTES, "big")), BEGINS[0]) for place in range(count)]


@pytest.mark.parametrize(
    ("count", "parts"), [(0, 1), (1, 1), (PART - 1, 1), (PART, 1), (PART + 1, 2), (2 * PART + 7, 3)]
)
def test_of_every_epoch_there_is_a_whole_number_of_parts(count: int, parts: int) -> None:
    whole = padded(called(count), [1, 2], BEGINS, SystemRandom())
    assert Counter(each.pseudonym.epoch for each in whole) == {1: parts * PART, 2: PART}
    assert set(called(count)) <= set(whole)


def test_what_is_made_up_has_the_form_of_what_is_called_and_is_never_made_twice() -> None:
    first, second = (padded(called(3), [1], BEGINS, SystemRandom()) for _ in range(2))
    made_up = [set(whole) - set(called(3)) for whole in (first, second)]
    assert [len(each) for each in made_up] == [PART - 3, PART - 3]
    assert not {each.pseudonym for each in made_up[0]} & {each.pseudonym for each in made_up[1]}
    for each in made_up[0]:
        assert len(each.pseudonym.value) == PSEUDONYM_BYTES
        assert each.begun_since in BEGINS


def test_the_epochs_tell_the_same_begins() -> None:
    """A begin that stood under one epoch alone would be a gap's."""
    whole = padded([], [1, 2], BEGINS, Random(5))
    of = [Counter(each.begun_since for each in whole if each.pseudonym.epoch == epoch) for epoch in (1, 2)]
    assert of[0] == of[1]


def test_what_is_called_may_stand_anywhere() -> None:
    chance = Random(7)
    places = {padded(called(1), [1], BEGINS, chance).index(called(1)[0]) * 10 // PART for _ in range(100)}
    assert places == set(range(10))


def test_a_pseudonym_of_another_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match="epoch"):
        padded(called(1, epoch=3), [1, 2], BEGINS, Random(1))


def test_made_up_begins_are_those_of_pupils_who_left() -> None:
    left = [(Presence(date(2025, 8, 18), date(2026, 9, 1)),), (Presence(None, date(2026, 8, 20)),)]
    begins = plausible_begins(left, ON, Random(3))
    assert begins[0] == date(2025, 8, 18)
    oldest = months_before(ON, 13).toordinal() - RECENT_DAYS - 3
    assert oldest <= begins[1].toordinal() <= months_before(ON, 13).toordinal()


def test_where_nobody_has_left_begins_are_made_up_all_the_same() -> None:
    begins = plausible_begins([], ON, Random(3))
    assert len(set(begins)) > RECENT_DAYS // 2
    assert max(begins) <= months_before(ON, 13)
