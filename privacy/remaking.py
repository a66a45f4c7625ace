"""A lost share made again by t other evaluators, none of whom learns it, nor another's share, nor the key.

The lost share is kᵣ = Σ μᵢ·kᵢ over t helpers, with the Lagrange coefficients μᵢ at xᵣ in place of zero. As μᵢ·kᵢ would
tell kᵢ, helper i splits it into t random parts, one for each helper; each helper adds the parts it was given and hands
the sum to evaluator r, who adds the sums. Whoever sees fewer than all parts of a helper sees random scalars.

    parts sᵢⱼ with Σⱼ sᵢⱼ = μᵢ·kᵢ   →   sums σⱼ = Σᵢ sᵢⱼ   →   kᵣ = Σⱼ σⱼ

Invariants: exactly t different helpers, the loser not among them; every part and sum is checked against the commitments
Sᵢⱼ = sᵢⱼ·G, and these against Kᵢ of the descriptor, so that who gave a wrong one is named; the result against Kᵣ.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from privacy import group, oprf, threshold
from privacy.errors import PrivacyError, Reason
from privacy.group import Element, RandomBytes, Scalar
from privacy.keys import Share


@dataclass(frozen=True, slots=True)
class Parts:
    """One helper's contribution by the helper who is given it: secret parts, and their commitments for everyone."""

    values: Mapping[int, Scalar] = field(repr=False)
    commitments: Mapping[int, Element]


def coefficient(helpers: Sequence[int], lost: int, own: int) -> Scalar:
    """μ of helper `own`: Π (xᵣ − xⱼ)/(xᵢ − xⱼ) over the other helpers."""
    if lost in helpers or own not in helpers or len(set(helpers)) != len(helpers):
        raise PrivacyError(Reason.EVALUATOR_UNKNOWN, "the helpers are different evaluators beside the one that lost")
    at, here = threshold.point(lost), threshold.point(own)
    others = [threshold.point(each) for each in helpers if each != own]
    above = functools.reduce(int.__mul__, (at - each for each in others), 1)
    below = functools.reduce(int.__mul__, (here - each for each in others), 1)
    inverse = group.invert_scalars([group.scalar_of(below)])
    return group.multiply_scalars([group.scalar_of(above)], inverse)[0]


def split(share: Share, helpers: Sequence[int], lost: int, random_bytes: RandomBytes) -> Parts:
    """What helper `share.index` gives to each helper, itself included."""
    _check_count(helpers, share.threshold)
    whole = group.multiply_scalars([coefficient(helpers, lost, share.index)], [share.secret])[0]
    first, *rest = sorted(helpers)
    values = dict(zip(rest, group.random_scalars(len(rest), random_bytes), strict=True))
    for value in values.values():
        whole = group.subtract_scalars([whole], [value])[0]
    values[first] = group.scalars([whole])[0]
    return Parts(values, dict(zip(values, group.multiply_base(list(values.values())), strict=True)))


def check_parts(
    commitments: Mapping[int, bytes], helpers: Sequence[int], lost: int, helper: int, own_commitment: Element
) -> None:
    """Σⱼ Sᵢⱼ = μᵢ·Kᵢ for helper i, whose Kᵢ the descriptor lists. Raises `PrivacyError`."""
    if set(commitments) != set(helpers):
        raise PrivacyError(Reason.LENGTHS_UNEQUAL, "a helper commits to one part for each helper")
    total = group.weighted_sum([group.scalar_of(1)] * len(commitments), list(commitments.values()))
    if total != group.multiply([coefficient(helpers, lost, helper)], [own_commitment])[0]:
        raise PrivacyError(Reason.VALUE_WRONG, "a helper's parts do not add up to what its share gives")


def check_part(commitment: bytes, value: Scalar) -> None:
    """Raises `PrivacyError` unless a part is the one committed to."""
    if oprf.public_key(value) != commitment:
        raise PrivacyError(Reason.VALUE_WRONG, "a part does not fit its commitment")


def check_sum(given: Sequence[bytes], value: Scalar) -> None:
    """Raises `PrivacyError` unless a helper's sum is that of the parts it was given, by their commitments."""
    if oprf.public_key(value) != group.weighted_sum([group.scalar_of(1)] * len(given), given):
        raise PrivacyError(Reason.VALUE_WRONG, "a sum is not that of the parts that were given")


def added(values: Sequence[Scalar]) -> Scalar:
    """The sum of parts, or of sums. Raises `PrivacyError` in the one case in 2²⁵² in which it is zero."""
    total = functools.reduce(lambda left, right: group.add_scalars([left], [right])[0], values)
    return group.scalars([total])[0]


def remade(epoch: int, index: int, version: int, sums: Sequence[Scalar], commitment: Element) -> Share:
    """The lost share from the sums of all t helpers; `commitment` is what the descriptor lists for it."""
    secret = added(sums)
    if oprf.public_key(secret) != commitment:
        raise PrivacyError(Reason.PUBLIC_KEY_WRONG, "what was made is not the share that the descriptor lists")
    return Share(epoch, index, version, len(sums), secret, commitment)


def _check_count(helpers: Sequence[int], threshold_: int) -> None:
    if len(helpers) != threshold_:
        raise PrivacyError(Reason.ANSWERS_TOO_FEW, f"{len(helpers)} helpers where exactly {threshold_} are needed")
