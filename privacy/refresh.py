"""Proactive refresh of shares (Herzberg, Jarecki, Krawczyk, Yung 1995): new shares of the same key.

Each dealer i picks a random polynomial δᵢ of degree t−1 with δᵢ(0) = 0, tells evaluator j the value δᵢ(xⱼ) and all of
them the commitments Bₘ = bₘ·G of its coefficients b₁ … bₜ₋₁ (Feldman). Evaluator j's new share is kⱼ + Σᵢ δᵢ(xⱼ). As
Σᵢ δᵢ is zero at zero, the key stays, and with it K and every pseudonym; old shares and new ones lie on two polynomials
and do not combine. Whoever stole fewer than t shares before, and did not see the values of every dealer, has nothing.

Invariants: a value is used only once it fits its dealer's commitments; there is no constant coefficient to lie about;
all evaluators must use the same dealers, at least t of them, so that one at least was not among fewer than t thieves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from privacy import group, oprf, threshold
from privacy.errors import PrivacyError, Reason
from privacy.group import Element, RandomBytes, Scalar
from privacy.keys import Share


@dataclass(frozen=True, slots=True)
class ZeroSharing:
    """What one dealer made: a secret value per share index, and the t−1 commitments B₁ … that everyone sees."""

    values: Mapping[int, Scalar] = field(repr=False)
    commitments: tuple[Element, ...]


def deal_zero(threshold_: int, shares: int, random_bytes: RandomBytes) -> ZeroSharing:
    """A random sharing of zero for the indices 1 to `shares`. Raises `PrivacyError` where one value comes out as 0."""
    if not 2 <= threshold_ <= shares <= threshold.MAX_SHARES:
        raise PrivacyError(Reason.THRESHOLD_IMPOSSIBLE, "the threshold must lie between 2 and the number of shares")
    higher = group.random_scalars(threshold_ - 1, random_bytes)
    values = {
        index: group.multiply_scalars(
            [threshold.polynomial_at(higher, index)], [group.scalar_of(threshold.point(index))]
        )[0]
        for index in range(1, shares + 1)
    }
    return ZeroSharing(values, tuple(group.multiply_base(higher)))


def committed_at(commitments: Sequence[bytes], index: int) -> Element:
    """δ(x)·G of a dealer's commitments: Σ xᵐ·Bₘ. Checks the commitments; raises `PrivacyError`."""
    at = threshold.point(index)
    return group.weighted_sum([group.scalar_of(at**power) for power in range(1, len(commitments) + 1)], commitments)


def check_value(commitments: Sequence[bytes], index: int, value: Scalar, threshold_: int) -> None:
    """Raises `PrivacyError` unless the value is the one that its dealer committed to for this share index."""
    if len(commitments) != threshold_ - 1:
        # One more would raise the degree: the shares of t evaluators would no longer be the key.
        raise PrivacyError(Reason.LENGTHS_UNEQUAL, "a dealer commits to one coefficient less than the threshold")
    if oprf.public_key(value) != committed_at(commitments, index):
        raise PrivacyError(Reason.VALUE_WRONG, "a dealt value does not fit its dealer's commitments")


def refreshed_commitments(
    before: Mapping[int, Element], dealt: Mapping[int, Sequence[bytes]], threshold_: int
) -> dict[int, Element]:
    """K′ⱼ = Kⱼ + Σᵢ δᵢ(xⱼ)·G for every share index; `dealt` are the commitments by dealer. Raises `PrivacyError`."""
    _check_dealers(dealt, threshold_)
    one = group.scalar_of(1)
    return {
        index: group.weighted_sum(
            [one] * (len(dealt) + 1), [commitment, *(committed_at(dealt[dealer], index) for dealer in sorted(dealt))]
        )
        for index, commitment in before.items()
    }


def refreshed_share(share: Share, values: Mapping[int, Scalar]) -> Share:
    """The share after a refresh, of the next version; `values` are what each dealer gave, checked before."""
    _check_dealers(values, share.threshold)
    secret = share.secret
    for dealer in sorted(values):
        secret = group.add_scalars([secret], [values[dealer]])[0]
    secret = group.scalars([secret])[0]
    return Share(share.epoch, share.index, share.version + 1, share.threshold, secret, oprf.public_key(secret))


def _check_dealers(dealers: Mapping[int, object], threshold_: int) -> None:
    if len(dealers) < threshold_:
        raise PrivacyError(Reason.ANSWERS_TOO_FEW, f"{len(dealers)} evaluators dealt where {threshold_} are needed")
