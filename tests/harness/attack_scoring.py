"""How well an attacker does against the statistics, and what the guarantee allows.

An attack is played over and over: in half of the trials the child is in the data, in the other half it is not, and the
attacker, who knows all else, says which. Under zero-concentrated differential privacy with parameter ρ no attacker is
right more often than ½ + ½ √(ρ/2): the two worlds' answers differ by at most ρ in Kullback-Leibler divergence, hence by
at most √(ρ/2) in total variation (Pinsker), and balanced guessing gains half of that.

Chance alone
    Noise is the operating system's, so no seed makes a test come out twice the same. An attack fails where the lower
    99 % limit (Clopper-Pearson) of its accuracy exceeds the bound. `trials` says how many make that less likely than
    one in a million for a release that is drawn as it should be: the best attacker on Gaussian noise gains
    Φ(√(2ρ)/2) − ½, which is less than the bound, by little where ρ is little.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

NANO = 1_000_000_000
TRIALS = 2_000
"""At least."""

CONFIDENCE = 0.99
BY_CHANCE = 1e-6

AUC_LIMIT = 0.52
"""Of a channel beside the answers: ½ is nothing learnt at all."""

_NORMAL = NormalDist()
Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Score:
    """How many of the trials the attacker got right."""

    right: int
    trials: int

    @property
    def accuracy(self) -> float:
        return self.right / self.trials

    @property
    def lower(self) -> float:
        """The lower 99 % limit of the attacker's accuracy: of no smaller one would so many come out right."""
        return lower_limit(self.right, self.trials)

    def __str__(self) -> str:
        return f"{self.accuracy:.3f} right of {self.trials}, at least {self.lower:.3f}"


def bound(nano_rho: int) -> float:
    """What no attacker exceeds."""
    return 0.5 + 0.5 * math.sqrt(nano_rho / NANO / 2)


def best_accuracy(nano_rho: int) -> float:
    """What the best attacker reaches against Gaussian noise, however the levels share ρ."""
    return _NORMAL.cdf(math.sqrt(2 * nano_rho / NANO) / 2)


def trials(nano_rho: int) -> int:
    """So many that a sound release exceeds its bound by chance once in a million times at most; an even number."""
    spare = bound(nano_rho) - best_accuracy(nano_rho)
    deviations = _NORMAL.inv_cdf(1 - BY_CHANCE) - _NORMAL.inv_cdf(CONFIDENCE)
    needed = math.ceil((0.5 * deviations / spare) ** 2)
    return max(TRIALS, needed + needed % 2)


def play(world: Callable[[bool], Seen], guess: Callable[[Seen], bool], count: int) -> Score:
    """Show the attacker one world after the other, the child present in every second one."""
    assert count >= TRIALS
    assert count % 2 == 0
    return scored(
        ((world(present), present) for present in itertools.islice(itertools.cycle((True, False)), count)), guess
    )


def scored(shown: Iterable[tuple[Seen, bool]], guess: Callable[[Seen], bool]) -> Score:
    """The score of an attacker on worlds that were drawn before."""
    right = total = present = 0
    for seen, truth in shown:
        right += guess(seen) is truth
        present += truth
        total += 1
    assert total >= TRIALS
    assert 2 * present == total, "as many present as absent"
    return Score(right, total)


def holds(score: Score, nano_rho: int) -> bool:
    """The guarantee is not refuted by the attack."""
    return score.lower <= bound(nano_rho)


def wins(score: Score, nano_rho: int) -> bool:
    """The same attacker against a release that somebody has broken: so a test that measures `holds` can fail."""
    return not holds(score, nano_rho)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One released number that the child adds to, if it is there: what it would be without it, and its noise."""

    value: float
    without: float
    sigma: float
    adds: int = 1


def likelier_present(evidence: Sequence[Evidence]) -> bool:
    """The likelihood-ratio test of Neyman and Pearson on independent numbers: no better guess is possible.

    Where levels were fitted to each other by inverse variance it loses nothing: the fit is the projection onto tables
    that add up, along which the child lies.
    """
    gained = sum((each.value - each.without) * each.adds / each.sigma**2 for each in evidence)
    return gained > sum(each.adds**2 / each.sigma**2 for each in evidence) / 2


def lower_limit(right: int, total: int, confidence: float = CONFIDENCE) -> float:
    """Clopper and Pearson's lower limit: the chance p of being right at which P[so many or more] is 1 − confidence."""
    if right == 0:
        return 0.0
    low, high = 0.0, right / total
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_least(right, total, middle) < 1 - confidence else (low, middle)
    return low


def _at_least(right: int, total: int, chance: float) -> float:
    """P[Binomial(total, chance) ≥ right], for `right` above the mean; terms fall off quickly there."""
    if chance <= 0:
        return 0.0
    if chance >= 1:
        return 1.0
    odds = math.log(chance) - math.log1p(-chance)
    term = (
        math.lgamma(total + 1)
        - math.lgamma(right + 1)
        - math.lgamma(total - right + 1)
        + right * math.log(chance)
        + (total - right) * math.log1p(-chance)
    )
    summed = 0.0
    for number in range(right, total + 1):
        added = math.exp(term)
        summed += added
        if added < summed * 1e-16:
            break
        term += math.log((total - number) / (number + 1)) + odds if number < total else 0.0
    return min(summed, 1.0)


def auc(present: Sequence[float], absent: Sequence[float]) -> float:
    """The area under the attacker's curve: how often a score of the one world is the larger; ties count half.

    At least ½: the attacker knows which way the channel leans.
    """
    ranked = sorted([(score, True) for score in present] + [(score, False) for score in absent])
    place, ranks = 0, 0.0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        ranks += (place + 1 + end) / 2 * sum(truth for _, truth in ranked[place:end])
        place = end
    area = (ranks - len(present) * (len(present) + 1) / 2) / (len(present) * len(absent))
    return max(area, 1 - area)
