"""Shamir shares of a key, and the combination of t answers as if the whole key had answered.

Evaluator i holds kᵢ = f(xᵢ) of a polynomial f of degree t−1 with f(0) = k, at the points xᵢ = 1, −1, 2, −2, 3 … for the
share indices 1, 2, 3, 4, 5 …. For t indices, k = Σ λᵢ·kᵢ with the Lagrange coefficients λᵢ = Πⱼ≠ᵢ xⱼ/(xⱼ−xᵢ). With the
denominators cleared these are small integers (1 and 2: 1, 1 over 2; 1 and 3: 2, −1; 2 and 3: 2, 1 over 3), so that
answers are combined by one or two additions and the common denominator goes into the unblinding. Points of both signs
keep them smaller than 1, 2, 3 … would.

Invariants: an index is 1 to `MAX_SHARES`; exactly t answers of t different evaluators are combined, never fewer, more
or the same one twice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from privacy import group
from privacy.errors import PrivacyError, Reason
from privacy.group import Element, RandomBytes, Scalar

MAX_SHARES = 255
"""What the descriptor allows."""
_SMALL_COEFFICIENT = 16
"""Below it, doubling and adding costs less than multiplying."""


@dataclass(frozen=True, slots=True)
class Combination:
    """denominator · k = Σ coefficient · kᵢ, in the order of `indices`; whole numbers without a common divisor."""

    indices: tuple[int, ...]
    coefficients: tuple[int, ...]
    denominator: int


def combination(threshold: int, indices: Sequence[int]) -> Combination:
    """The Lagrange coefficients at zero of exactly `threshold` different share indices. Raises `PrivacyError`."""
    if len(set(indices)) != len(indices):
        raise PrivacyError(Reason.EVALUATOR_REPEATED, "one evaluator's answer was given twice")
    if not all(1 <= index <= MAX_SHARES for index in indices):
        raise PrivacyError(Reason.EVALUATOR_UNKNOWN, f"a share index is not between 1 and {MAX_SHARES}")
    if len(indices) < threshold:
        raise PrivacyError(Reason.ANSWERS_TOO_FEW, f"{len(indices)} answers where {threshold} are needed")
    if len(indices) > threshold:
        raise PrivacyError(Reason.ANSWERS_TOO_MANY, f"{len(indices)} answers where {threshold} are combined")
    points = [point(index) for index in indices]
    fractions = [
        math.prod((Fraction(other, other - own) for other in points if other != own), start=Fraction(1))
        for own in points
    ]
    denominator = math.lcm(*(fraction.denominator for fraction in fractions))
    return Combination(tuple(indices), tuple(int(fraction * denominator) for fraction in fractions), denominator)


def combine(chosen: Combination, answers: Sequence[Sequence[Element]]) -> list[Element]:
    """denominator · k · B for each blinded element B, from the lists of kᵢ·B in the order of `chosen.indices`.

    Only verified answers may come in: with unverified ones the result is whatever the liar wishes.
    """
    if len(answers) != len(chosen.indices):
        raise PrivacyError(Reason.LENGTHS_UNEQUAL, "there are not as many answers as coefficients")
    if len({len(answer) for answer in answers}) != 1:
        raise PrivacyError(Reason.LENGTHS_UNEQUAL, "the answers of two evaluators differ in length")
    if max(map(abs, chosen.coefficients)) >= _SMALL_COEFFICIENT:
        return _sum_of_products(chosen.coefficients, answers)
    return _double_and_add(chosen.coefficients, answers)


def check_commitments(threshold: int, commitments: Mapping[int, Element], public_key: Element) -> None:
    """Σ λᵢ·Kᵢ = K, for enough choices of t that all commitments lie on one polynomial. Raises `PrivacyError`.

    The first t−1 with each of the others in turn: two polynomials of degree t−1 that agree in zero and in t−1 indices
    are one.
    """
    if not 2 <= threshold <= len(commitments):
        raise PrivacyError(Reason.THRESHOLD_IMPOSSIBLE, "the threshold is not between 2 and the number of shares")
    indices = sorted(commitments)
    fixed, others = indices[: threshold - 1], indices[threshold - 1 :]
    for other in others:
        chosen = combination(threshold, [*fixed, other])
        found = combine(chosen, [[commitments[index]] for index in chosen.indices])
        if found != group.multiply([group.scalar_of(chosen.denominator)], [public_key]):
            raise PrivacyError(
                Reason.PUBLIC_KEY_WRONG, "the commitments of the evaluators do not add up to the public key"
            )


def deal(key: Scalar, threshold: int, shares: int, random_bytes: RandomBytes) -> dict[int, Scalar]:
    """Shares of `key` for the indices 1 to `shares`. Whoever runs this knows the key: a dealer, for demo and tests.

    Raises `PrivacyError` in the one case in 2²⁵² in which a share comes out as zero.
    """
    if not 2 <= threshold <= shares <= MAX_SHARES:
        raise PrivacyError(
            Reason.THRESHOLD_IMPOSSIBLE,
            f"the threshold must lie between 2 and the number of shares, at most {MAX_SHARES}",
        )
    coefficients = [key, *group.random_scalars(threshold - 1, random_bytes)]
    return {index: polynomial_at(coefficients, index) for index in range(1, shares + 1)}


def polynomial_at(coefficients: Sequence[Scalar], index: int) -> Scalar:
    """Σ coefficient_m · xᵐ at the point x of a share index, the constant first. Raises `PrivacyError` where it is 0."""
    at = group.scalar_of(point(index))
    value = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        value = group.add_scalars(group.multiply_scalars([value], [at]), [coefficient])[0]
    return group.scalars([value])[0]


def point(index: int) -> int:
    """The point x at which the share of an index is taken: 1, −1, 2, −2, 3 …"""
    return (index + 1) // 2 if index % 2 else -(index // 2)


def _double_and_add(coefficients: Sequence[int], answers: Sequence[Sequence[Element]]) -> list[Element]:
    """All coefficients at once, from the highest bit down: 1, 1 takes one addition, 2, −1 two."""
    total: Sequence[Element] | None = None
    for bit in range(max(map(abs, coefficients)).bit_length() - 1, -1, -1):
        if total is not None:
            total = group.add(total, total)
        # Positive ones first: a sum can start with them, but there is no cheap negation to start with.
        for coefficient, answer in sorted(zip(coefficients, answers, strict=True), key=_negative):
            if abs(coefficient) >> bit & 1:
                if total is None:
                    total = answer if coefficient > 0 else group.multiply_each(group.scalar_of(-1), answer)
                else:
                    total = group.add(total, answer) if coefficient > 0 else group.subtract(total, answer)
    assert total is not None
    return list(total)


def _negative(pair: tuple[int, object]) -> bool:
    return pair[0] < 0


def _sum_of_products(coefficients: Sequence[int], answers: Sequence[Sequence[Element]]) -> list[Element]:
    products = [
        group.multiply_each(group.scalar_of(coefficient), answer)
        for coefficient, answer in zip(coefficients, answers, strict=True)
    ]
    total = products[0]
    for product in itertools.islice(products, 1, None):
        total = group.add(total, product)
    return total
