"""Shares refreshed and shares made again, for any threshold: the key stays, and nothing but whole sums tells of it."""

from __future__ import annotations

import secrets

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import group, keys, refresh, remaking, threshold
from privacy.group import Scalar

SIZES = st.integers(2, 6).flatmap(lambda shares: st.tuples(st.integers(2, shares), st.just(shares)))


def dealt(needed: int, shares: int) -> tuple[keys.DealtEpoch, dict[int, keys.Share]]:
    epoch = keys.deal_epoch(1, needed, shares, secrets.token_bytes)
    return epoch, {index: keys.parse_share(content) for index, content in epoch.shares.items()}


def refreshed(held: dict[int, keys.Share], dealers: list[int], needed: int) -> dict[int, keys.Share]:
    deals = {dealer: refresh.deal_zero(needed, len(held), secrets.token_bytes) for dealer in dealers}
    for index in held:
        for deal in deals.values():
            refresh.check_value(deal.commitments, index, deal.values[index], needed)
    after = {
        index: refresh.refreshed_share(share, {dealer: deal.values[index] for dealer, deal in deals.items()})
        for index, share in held.items()
    }
    before = {index: share.commitment for index, share in held.items()}
    commitments = {dealer: deal.commitments for dealer, deal in deals.items()}
    found = refresh.refreshed_commitments(before, commitments, needed)
    assert found == {index: share.commitment for index, share in after.items()}
    return after


@settings(max_examples=25, deadline=None)
@given(sizes=SIZES, data=st.data())
def test_a_refresh_keeps_the_key_and_the_threshold(sizes: tuple[int, int], data: st.DataObject) -> None:
    needed, shares = sizes
    epoch, held = dealt(needed, shares)
    dealers = data.draw(st.lists(st.sampled_from(sorted(held)), min_size=needed, unique=True))
    after = refreshed(refreshed(held, dealers, needed), sorted(held), needed)
    assert {share.version for share in after.values()} == {3}
    assert not {share.secret for share in after.values()} & {share.secret for share in held.values()}
    # Any t, and so all, of the new commitments lie on one polynomial of degree t−1 through K: no fewer are enough.
    threshold.check_commitments(needed, {index: share.commitment for index, share in after.items()}, epoch.public_key)


@settings(max_examples=25, deadline=None)
@given(sizes=SIZES.filter(lambda sizes: sizes[0] < sizes[1]), data=st.data())
def test_a_lost_share_is_the_sum_of_sums_and_of_nothing_less(sizes: tuple[int, int], data: st.DataObject) -> None:
    needed, shares = sizes
    _, held = dealt(needed, shares)
    lost, *helpers = data.draw(st.permutations(sorted(held)))[: needed + 1]
    parts = {helper: remaking.split(held[helper], helpers, lost, secrets.token_bytes) for helper in helpers}
    sums: list[Scalar] = []
    for helper in helpers:
        remaking.check_parts(parts[helper].commitments, helpers, lost, helper, held[helper].commitment)
        given_ = [parts[giver].values[helper] for giver in helpers]
        for giver, part in zip(helpers, given_, strict=True):
            remaking.check_part(parts[giver].commitments[helper], part)
        sums.append(remaking.added(given_))
        remaking.check_sum([parts[giver].commitments[helper] for giver in helpers], sums[-1])
    made = remaking.remade(1, lost, 1, sums, held[lost].commitment)
    assert made == held[lost]
    seen = {value for each in parts.values() for value in each.values.values()} | set(sums)
    weighted = {
        group.multiply_scalars([remaking.coefficient(helpers, lost, helper)], [held[helper].secret])[0]
        for helper in helpers
    }
    assert not seen & (weighted | {share.secret for share in held.values()})
