"""Further questions: what the few that the reserve pays for tell of one child, asked as cleverly as can be.

The attacker chooses places and months, and combines all answers by the best rule there is: the likelihood ratio where
it knows of all others, the linear guess of least squared error where it does not. A budget is what stops it, so each
attack is also played against questions without one, and then wins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from random import Random

import pytest

from privacy import noise
from privacy.budget import QUESTIONS, STANDARD
from tests.harness.attack_scoring import Evidence, Score, bound, holds, likelier_present, scored, trials, wins

BITS = 60
SUBSETS = 600
"""As many as reconstruction takes for 60 secrets (Dinur and Nissim 2003), where noise does not grow with them."""

RECONSTRUCTIONS = 60
"""Of 60 bits each. Bits of one reconstruction share its answers and are nearly independent; what a sound release leaves
the attacker is so far below the bound that it does not matter."""


BATCH = 100
"""Of trials, an even number."""


def inverse(matrix: list[list[float]]) -> list[list[float]]:
    """Of a symmetric, positive definite matrix (Gauss and Jordan, no pivots needed)."""
    size = len(matrix)
    rows = [[*row, *(float(place == k) for k in range(size))] for place, row in enumerate(matrix)]
    for place in range(size):
        first = rows[place][place]
        pivot = rows[place] = [value / first for value in rows[place]]
        for other in range(size):
            if other != place:
                factor = rows[other][place]
                rows[other] = [a - factor * b for a, b in zip(rows[other], pivot, strict=True)]
    return [row[size:] for row in rows]


def dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def rules(subsets: Sequence[Sequence[int]], sigma: float) -> list[list[float]]:
    """Secret → what each answer counts in the best linear guess of it, each secret being as likely 0 as 1.

    Of answers A·x + noise, where x has a variance of ¼: (AᵀA/σ² + 4)⁻¹ Aᵀ/σ².
    """
    columns = [[value / sigma for value in column] for column in zip(*subsets, strict=True)]
    normal = [[dot(a, b) + 4.0 * (a is b) for b in columns] for a in columns]
    rows = list(zip(*columns, strict=True))
    return [[dot(row, answer) / sigma for answer in rows] for row in inverse(normal)]


def averaged(others: Sequence[int], price: int, count: int) -> Score:
    """Each of the answers counts the child once, beside others that the attacker knows.

    All have the same noise, so that the likelihood ratio is a matter of their sum.
    """
    known, middle = sum(others), len(others) / 2
    worlds = ([other + present for other in others] for present in (True, False))
    return scored(drawn(worlds, price, count), lambda seen: sum(seen) - known > middle)


def drawn(worlds: Iterable[Sequence[int]], price: int, count: int) -> Iterator[tuple[list[int], bool]]:
    """Answers in so many trials, the child present in every second one, drawn many at once: noise is independent.

    `worlds` are counts with the child and without it, in turn; they begin anew where there are fewer than trials.
    """
    asked = zip(itertools.cycle(worlds), itertools.cycle((True, False)), strict=False)
    for begun in range(0, count, BATCH):
        batch = list(itertools.islice(asked, min(BATCH, count - begun)))
        answers = noise.gaussian([each for counts, _ in batch for each in counts], price)
        at = iter(answers)
        for counts, present in batch:
            yield list(itertools.islice(at, len(counts))), present


def test_all_questions_of_a_year_averaged_stay_within_the_reserve() -> None:
    """Different and overlapping sets of places, all of which hold the child, by readers of all roles together."""
    assert STANDARD.question_cost * QUESTIONS == STANDARD.reserve
    others = [Random(place).randrange(40) for place in range(QUESTIONS)]
    score = averaged(others, STANDARD.question_cost, trials(STANDARD.reserve))
    assert holds(score, STANDARD.reserve), score


def test_noise_made_anew_for_each_asking_would_be_averaged_away() -> None:
    """The control: one question, asked a hundred times of a service that draws for whoever asks and counts nothing."""
    score = averaged([3] * 100, STANDARD.reserve, 2_000)
    assert wins(score, STANDARD.reserve), score


# -- reconstruction ----------------------------------------------------------------------------------------------------


def subsets(count: int) -> list[list[int]]:
    """Which of the secrets each question counts; half of them, at random, as the attacker chose them."""
    random = Random(600)
    return [[random.randrange(2) for _ in range(BITS)] for _ in range(count)]


def reconstructed(count: int, price: int) -> Score:
    """Each secret is whether a place has a child. How many of them come out of so many questions at this price each."""
    asked, sigma, random = subsets(count), noise.sigma(price), Random(60)
    guesses = rules(asked, sigma)
    middles = [sum(row) / 2 for row in asked]

    def shown() -> list[tuple[float, bool]]:
        secret = [1] * (BITS // 2) + [0] * (BITS // 2)
        random.shuffle(secret)
        counts = [sum(bit for bit, chosen in zip(secret, row, strict=True) if chosen) for row in asked]
        surplus = [a - b for a, b in zip(noise.gaussian(counts, price), middles, strict=True)]
        return [(dot(rule, surplus), bit == 1) for rule, bit in zip(guesses, secret, strict=True)]

    return scored((each for _ in range(RECONSTRUCTIONS) for each in shown()), lambda guess: guess > 0)


def test_sixty_secrets_do_not_come_out_of_what_the_budget_pays_for() -> None:
    """Of the 600 questions that it takes, twenty are answered; the next one is refused (test_statistics_service)."""
    assert STANDARD.reserve // STANDARD.question_cost == QUESTIONS < SUBSETS
    score = reconstructed(QUESTIONS, STANDARD.question_cost)
    assert holds(score, STANDARD.reserve), score


def test_nor_out_of_600_answers_that_share_the_whole_budget_of_a_year() -> None:
    """Were all that a year may cost spent on these questions, and each drawn anew: the bound still stands."""
    score = reconstructed(SUBSETS, STANDARD.cap_nano_rho // SUBSETS)
    assert holds(score, STANDARD.cap_nano_rho), score


def test_with_noise_that_does_not_grow_with_the_questions_they_come_out() -> None:
    """The control: 600 answers, each at what a whole year may cost, and nobody counts how many there are."""
    score = reconstructed(SUBSETS, STANDARD.cap_nano_rho)
    assert score.lower > 0.99, score
    assert score.lower > bound(STANDARD.cap_nano_rho) + 0.3


# -- ranges of months --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("drawn_at", "sound"), [(STANDARD.question_cost, True), (100 * STANDARD.question_cost, False)])
def test_overlapping_ranges_of_months_leave_the_month_between_them_in_the_noise(drawn_at: int, sound: bool) -> None:
    """January to June less January to May is June, and so on: what others there are in each month cancels out.

    The attacker knows nothing of the other months, however many children there are in them; the child is the only one
    that June may have. Every question is about a range that ends or begins beside June. The control pays for one
    question and is answered as if it had paid for a hundred. Differences of noisy answers have twice the noise: this
    attacker stays so far below the bound that fewer trials do than `trials` says.
    """
    ranges = [(1, 6), (1, 5), (2, 6), (2, 5), (3, 6), (3, 5), (4, 6), (4, 5), (5, 6), (5, 5)]
    ranges += [(6, last) for last in range(8, 13)] + [(7, last) for last in range(8, 13)]
    assert len(ranges) == QUESTIONS
    random, sigma = Random(12), noise.sigma(drawn_at)

    def counts(present: bool) -> list[int]:
        months = {month: random.randrange(100) for month in range(1, 13)} | {6: int(present)}
        return [sum(months[month] for month in range(first, last + 1)) for first, last in ranges]

    def guess(seen: list[int]) -> bool:
        of = dict(zip(ranges, seen, strict=True))
        pairs = [((first, 6), (first, 5)) for first in range(1, 6)] + [((6, last), (7, last)) for last in range(8, 13)]
        return likelier_present(
            [Evidence(of[with_june] - of[without], 0, sigma * 2**0.5) for with_june, without in pairs]
        )

    trials_played = 6_000 if sound else 2_000
    worlds = (counts(present) for present in itertools.islice(itertools.cycle((True, False)), trials_played))
    score = scored(drawn(worlds, drawn_at, trials_played), guess)
    assert holds(score, STANDARD.reserve) if sound else wins(score, STANDARD.reserve), score
