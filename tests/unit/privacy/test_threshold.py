"""Shares of a key: any t of them are the key, fewer are nothing, and a wrong descriptor is noticed."""

from __future__ import annotations

import itertools
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import group, oprf, threshold
from privacy.errors import PrivacyError, Reason

SIZES = st.integers(2, 6).flatmap(lambda shares: st.tuples(st.integers(2, shares), st.just(shares)))


@settings(max_examples=25, deadline=None)
@given(sizes=SIZES, data=st.data())
def test_any_t_shares_combine_to_the_whole_key(sizes: tuple[int, int], data: st.DataObject) -> None:
    needed, shares = sizes
    key = group.random_scalars(1, secrets.token_bytes)[0]
    dealt = threshold.deal(key, needed, shares, secrets.token_bytes)
    chosen = threshold.combination(needed, data.draw(st.permutations(list(dealt)))[:needed])
    points = group.multiply_base(group.random_scalars(3, secrets.token_bytes))
    combined = threshold.combine(chosen, [group.multiply_each(dealt[index], points) for index in chosen.indices])
    scaled = group.multiply_scalars([key], [group.scalar_of(chosen.denominator)])[0]
    assert combined == group.multiply_each(scaled, points)


@pytest.mark.parametrize(
    ("indices", "coefficients", "denominator"),
    [((1, 2), (1, 1), 2), ((1, 3), (2, -1), 1), ((2, 3), (2, 1), 3), ((3, 2), (1, 2), 3), ((1, 2, 3), (3, 1, -1), 3)],
)
def test_coefficients_are_small_whole_numbers(
    indices: tuple[int, ...], coefficients: tuple[int, ...], denominator: int
) -> None:
    found = threshold.combination(len(indices), indices)
    assert (found.coefficients, found.denominator) == (coefficients, denominator)


def test_fewer_shares_than_the_threshold_give_another_key() -> None:
    key = group.random_scalars(1, secrets.token_bytes)[0]
    dealt = threshold.deal(key, 3, 5, secrets.token_bytes)
    for pair in itertools.combinations(dealt, 2):
        chosen = threshold.combination(2, pair)
        found = threshold.combine(chosen, [[oprf.public_key(dealt[index])] for index in pair])
        assert found != group.multiply([group.scalar_of(chosen.denominator)], [oprf.public_key(key)])


def test_a_commitment_that_lies_beside_the_polynomial_is_noticed_wherever_it_stands() -> None:
    key = group.random_scalars(1, secrets.token_bytes)[0]
    dealt = threshold.deal(key, 2, 3, secrets.token_bytes)
    commitments = {index: oprf.public_key(share) for index, share in dealt.items()}
    threshold.check_commitments(2, commitments, oprf.public_key(key))
    foreign = group.multiply_base(group.random_scalars(1, secrets.token_bytes))[0]
    for index in commitments:
        with pytest.raises(PrivacyError) as caught:
            threshold.check_commitments(2, commitments | {index: foreign}, oprf.public_key(key))
        assert caught.value.reason is Reason.PUBLIC_KEY_WRONG


def test_shares_of_two_dealings_do_not_combine() -> None:
    key = group.random_scalars(1, secrets.token_bytes)[0]
    old, new = (threshold.deal(key, 2, 3, secrets.token_bytes) for _ in range(2))
    chosen = threshold.combination(2, (1, 2))
    mixed = threshold.combine(chosen, [[oprf.public_key(old[1])], [oprf.public_key(new[2])]])
    same = threshold.combine(chosen, [[oprf.public_key(new[1])], [oprf.public_key(new[2])]])
    assert mixed != same == group.multiply([group.scalar_of(chosen.denominator)], [oprf.public_key(key)])
